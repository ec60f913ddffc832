"""The trials of one tuning job in pages: filter, order, and a token that says where the next page begins."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tobo.kit.fault import validation
from tobo.resources.tuning_jobs.trials import OVER, Trial


def page_of_trials(trials: Sequence[Trial], asked: Mapping[str, Any]) -> tuple[list[Trial], str | None]:
    """(trials, NextToken or None). Sorted by FinalObjectiveMetricValue there are only those that have one, as on AWS."""
    wanted = [trial for trial in trials if trial.status == asked.get("StatusEquals", trial.status)]
    order = asked.get("SortBy", "Name")
    if order == "FinalObjectiveMetricValue":
        wanted = [trial for trial in wanted if trial.status in OVER and trial.value is not None]
    wanted = sorted(wanted, key=lambda trial: (_key(trial, order), trial.number))
    if asked.get("SortOrder", "Ascending") == "Descending":
        wanted.reverse()
    begin = _begin(asked)
    end = begin + (asked.get("MaxResults") or 10)
    return wanted[begin:end], _token(asked, end) if end < len(wanted) else None


def _key(trial: Trial, order: str) -> Any:
    match order:
        case "CreationTime":
            return trial.times.get("CreationTime", 0.0)
        case "Status":
            return trial.status
        case "FinalObjectiveMetricValue":
            return trial.value
        case _:
            return trial.job


def _seal(asked: Mapping[str, Any]) -> str:
    filters = [asked[name] for name in sorted(asked) if name not in ("NextToken", "MaxResults")]
    return hashlib.blake2s(orjson.dumps(filters), digest_size=6).hexdigest()


def _token(asked: Mapping[str, Any], end: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([_seal(asked), end])).decode()


def _begin(asked: Mapping[str, Any]) -> int:
    if not asked.get("NextToken"):
        return 0
    try:
        seal, begin = orjson.loads(base64.urlsafe_b64decode(asked["NextToken"]))
    except (ValueError, TypeError):
        raise validation("NextToken is not one that this operation gave; start again without it.") from None
    if seal != _seal(asked) or not isinstance(begin, int):
        raise validation("NextToken belongs to a request with other filters; start again without it.")
    return begin

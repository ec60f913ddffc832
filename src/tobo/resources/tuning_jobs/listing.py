"""The trials of one tuning job in the order that a list asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.resources.tuning_jobs.trials import OVER, Trial


def listed(trials: Sequence[Trial], asked: Mapping[str, Any]) -> list[Trial]:
    """Those that were created, filtered. By FinalObjectiveMetricValue there are only those that have one, as on AWS."""
    wanted = [trial for trial in trials if trial.status != "Planned"]
    if "StatusEquals" in asked:
        wanted = [trial for trial in wanted if trial.status == asked["StatusEquals"]]
    order = asked.get("SortBy", "Name")
    if order == "FinalObjectiveMetricValue":
        wanted = [trial for trial in wanted if trial.status in OVER and trial.value is not None]
    wanted.sort(key=lambda trial: (_key(trial, order), trial.number))
    return wanted[::-1] if asked.get("SortOrder") == "Descending" else wanted


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

"""Labelling queues: pictures that somebody shall look at, as an augmented manifest in S3.

One JSON line a picture, in Ground Truth's form: `source-ref`, `<attribute>-suggested` (a class index) and
`<attribute>-suggested-metadata` with the class' name, the confidence and where the suggestion is from.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tobo.kit.fault import validation
from tobo.kit.s3_uri import parse_s3_uri

PREFIX = "labelling/queue/"
SUFFIX = ".manifest"
MOST = 5000
"""Pictures that one request adds."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})")


@dataclass(frozen=True)
class Suggestion:
    """A picture, and what the model takes it for; `labelled` is the class that it has now, "" for none."""

    uri: str
    index: int
    label: str
    confidence: float
    labelled: str


def key_of(name: str) -> str:
    """Where a queue lies in its bucket. Raises Fault ValidationException for a name that is none."""
    return f"{PREFIX}{checked_name(name)}{SUFFIX}"


def is_queue(key: str) -> bool:
    """Whether an object's key is that of a queue."""
    return bool(key.startswith(PREFIX) and key.endswith(SUFFIX) and _NAME.fullmatch(key[len(PREFIX) : -len(SUFFIX)]))


def checked_name(name: str, what: str = "queue") -> str:
    if not _NAME.fullmatch(name):
        raise validation(
            f"The {what}'s name '{name}' must have letters, digits and hyphens only, at most 63; choose another."
        )
    return name


def suggestions_of(text: str) -> list[Suggestion]:
    """What the page sends: JSON of [address, class index, class name, confidence, present class] a picture."""
    try:
        rows = json.loads(text or "[]")
        found = [Suggestion(str(r[0]), int(r[1]), str(r[2]), float(r[3]), str(r[4])) for r in rows]
    except (ValueError, TypeError, IndexError, KeyError):
        raise validation("The chosen pictures cannot be read; load the page again.") from None
    if not found:
        raise validation("No picture is chosen; choose those that somebody shall look at.")
    if len(found) > MOST:
        raise validation(f"{len(found)} pictures are chosen; send at most {MOST} at a time.")
    for each in found:
        if not parse_s3_uri(each.uri, "the chosen pictures").key:
            raise validation(f"'{each.uri}' is no picture's address; expected s3://bucket/key.")
    return found


def line_of(suggestion: Suggestion, attribute: str, source: str, now: datetime) -> dict[str, Any]:
    """One line of the manifest."""
    metadata = {
        "class-name": suggestion.label,
        "confidence": round(suggestion.confidence, 4),
        "type": "groundtruth/image-classification",
        "human-annotated": "no",
        "creation-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "job-name": source,
    }
    if suggestion.labelled:
        metadata["present-class-name"] = suggestion.labelled
    name = f"{attribute}-suggested"
    return {"source-ref": suggestion.uri, name: suggestion.index, f"{name}-metadata": metadata}


def merged(there: Sequence[Mapping[str, Any]], added: Sequence[Mapping[str, Any]]) -> bytes:
    """The manifest's text: each picture once, with its newest suggestion, in the order in which it came first."""
    lines = {line["source-ref"]: line for line in (*there, *added)}
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines.values()).encode()


def lines_of(text: bytes) -> list[dict[str, Any]]:
    """A manifest's lines; those that are none are left out."""
    found = []
    for line in text.decode("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("source-ref"), str):
            found.append(entry)
    return found


def suggested(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of a line's suggestion; empty where it has none."""
    found = [value for name, value in line.items() if name.endswith("-suggested-metadata") and isinstance(value, dict)]
    return found[0] if found else {}

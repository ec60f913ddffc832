"""The label category file of a job: its classes, instructions, and what tobo adds. Form: Ground Truth, "Label categories".

{"document-version": "2018-11-28", "labels": [{"label": "ok"}, {"label": "ko"}], "instructions": {"shortInstruction": "..."},
"auditLabelAttributeName": "label"}

tobo's own members: "review": {"below": 0.7}: what is agreed upon less than that goes to a reviewer; "consolidation":
"majority" or "dawid-skene" (the default): how several workers' classes become one at the job's end; "machine":
{"accuracy": 0.95}: how many of a machine's labels have to be right at least, where it may label at all.
"""

import json
from dataclasses import dataclass
from typing import Any

from tobo.kit.fault import validation

MOST = 10_000
CONSOLIDATIONS = ("dawid-skene", "majority")

ACCURACY = 0.95
"""Of a machine's labels, where the file says nothing. AWS has no member for it."""


@dataclass(frozen=True)
class Categories:
    """`review_below`: the agreement (0 to 1) under which an item is a conflict; 0 for none. `machine_accuracy`: the share of a
    machine's labels that has to be right. `audits`: the attribute of an earlier job whose labels are verified or adjusted, ""
    for the last one of a line that fits."""

    labels: tuple[str, ...]
    instructions: str = ""
    review_below: float = 0.0
    consolidation: str = CONSOLIDATIONS[0]
    machine_accuracy: float = ACCURACY
    audits: str = ""


def read_categories(body: bytes, place: str) -> Categories:
    """Raises Fault ValidationException that names `place`, the file's address."""
    try:
        told = json.loads(body)
    except ValueError as error:
        raise validation(f"The label categories in '{place}' are not JSON ({error}).") from None
    if not isinstance(told, dict) or not isinstance(told.get("labels"), list):
        raise validation(
            f'The label categories in \'{place}\' have no list; expected {{"labels": [{{"label": "ok"}}]}}.'
        )
    labels = tuple(_label(entry, number, place) for number, entry in enumerate(told["labels"], 1))
    if not labels or len(labels) > MOST:
        raise validation(f"The label categories in '{place}' are {len(labels)}; give 1 to {MOST}.")
    for label in labels:
        if labels.count(label) > 1:
            raise validation(f"The label '{label}' is twice in '{place}'; take one away.")
    return Categories(
        labels,
        _instructions(told),
        _review(told, place),
        _consolidation(told, place),
        _accuracy(told, place),
        _audits(told, place),
    )


def _label(entry: Any, number: int, place: str) -> str:
    label = entry.get("label") if isinstance(entry, dict) else None
    if not isinstance(label, str) or not label.strip() or len(label) > 1000:
        raise validation(
            f'Label {number} in \'{place}\' is {json.dumps(entry)[:100]}; expected {{"label": "<its name>"}}.'
        )
    return label


def _instructions(told: dict[str, Any]) -> str:
    given = told.get("instructions")
    texts = (given.get("shortInstruction"), given.get("fullInstruction")) if isinstance(given, dict) else (given,)
    return "\n\n".join(text for text in texts if isinstance(text, str) and text.strip())


def _review(told: dict[str, Any], place: str) -> float:
    given = told.get("review")
    if given is None:
        return 0.0
    below = given.get("below") if isinstance(given, dict) else None
    if isinstance(below, bool) or not isinstance(below, (int, float)) or not 0 <= below <= 1:
        raise validation(f"review.below in '{place}' is {json.dumps(below)}; it is a share of agreement, 0 to 1.")
    return float(below)


def _consolidation(told: dict[str, Any], place: str) -> str:
    given = told.get("consolidation", CONSOLIDATIONS[0])
    if given not in CONSOLIDATIONS:
        raise validation(f"consolidation in '{place}' is {json.dumps(given)[:100]}; it is dawid-skene or majority.")
    return str(given)


def _accuracy(told: dict[str, Any], place: str) -> float:
    given = told.get("machine")
    if given is None:
        return ACCURACY
    accuracy = given.get("accuracy") if isinstance(given, dict) else None
    if isinstance(accuracy, bool) or not isinstance(accuracy, (int, float)) or not 0 < accuracy < 1:
        raise validation(
            f"machine.accuracy in '{place}' is {json.dumps(accuracy)}; it is a share of labels that are right, between 0 and 1."
        )
    return float(accuracy)


def _audits(told: dict[str, Any], place: str) -> str:
    given = told.get("auditLabelAttributeName", "")
    if not isinstance(given, str):
        raise validation(f"auditLabelAttributeName in '{place}' is {json.dumps(given)[:100]}; name an attribute.")
    return given

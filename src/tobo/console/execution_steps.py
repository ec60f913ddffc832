"""The steps of a pipeline's execution as a page tells them: those that have begun, and those that wait or stay out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.console.visit import url

_PAGES = {
    "TrainingJob": "training-jobs",
    "TransformJob": "transform-jobs",
    "TuningJob": "tuning-jobs",
    "Model": "models",
    "Endpoint": "endpoints",
    "Job": "labeling-jobs",
}
"""Where what a step has made is shown, by the member of its Metadata."""


@dataclass(frozen=True)
class Told:
    """`status` "" for one that has not begun; `branch` says in which branch of which condition it is; `depth` of that."""

    name: str
    kind: str
    status: str
    words: str
    href: str
    link: str
    branch: str
    depth: int
    start: float | None
    seconds: float | None


def told_steps(
    definition: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], names: Mapping[str, str], now: float
) -> list[Told]:
    """In the definition's order. `names` gives the true name for one in lower case, as ARNs have it."""
    begun = {one["StepName"]: one for one in steps}
    return [
        _told(step, branch, depth, begun.get(step["Name"]), names, now)
        for step, branch, depth in _flat(definition.get("Steps", []), "", 0)
    ]


def _flat(steps: Sequence[Mapping[str, Any]], branch: str, depth: int) -> Iterator[tuple[Mapping[str, Any], str, int]]:
    for step in steps:
        yield step, branch, depth
        if step["Type"] == "Condition":
            for member, word in (("IfSteps", "If"), ("ElseSteps", "If not")):
                inner = step["Arguments"].get(member) or []
                yield from _flat(inner, f"{word} {step['Name']}", depth + 1)


def _told(
    step: Mapping[str, Any],
    branch: str,
    depth: int,
    found: Mapping[str, Any] | None,
    names: Mapping[str, str],
    now: float,
) -> Told:
    name, kind = step["Name"], step["Type"]
    if found is None:
        return Told(name, kind, "", "", "", "", branch, depth, None, None)
    href, link = _link(found["Metadata"], names)
    start, end = found.get("StartTime"), found.get("EndTime")
    seconds = (end or now) - start if start is not None else None
    return Told(name, kind, found["StepStatus"], _words(found), href, link, branch, depth, start, seconds)


def _words(found: Mapping[str, Any]) -> str:
    metadata = found["Metadata"]
    if reason := found.get("FailureReason"):
        return str(reason)
    if "Condition" in metadata:
        return {"True": "It holds.", "False": "It does not hold."}[metadata["Condition"]["Outcome"]]
    if "Callback" in metadata and found["StepStatus"] == "Executing":
        return f"Waits for an answer to the token {metadata['Callback']['CallbackToken']}."
    if "Job" in metadata and found["StepStatus"] == "Executing":
        return "Waits for people to label."
    return f"Attempt {found['AttemptCount']}." if found.get("AttemptCount", 1) > 1 else ""


def _link(metadata: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, str]:
    """(address, words) of what the step has made."""
    for member, told in metadata.items():
        arn = str(told.get("Arn", "")) if isinstance(told, Mapping) else ""
        if member == "RegisterModel":
            group, _, version = arn.split(":model-package/")[-1].rpartition("/")
            group = names.get(group, group)
            return f"{url('model-packages', group)}#version-{version}", f"{group}, version {version}"
        if member in _PAGES:
            name = names.get(arn.rsplit("/", 1)[-1], arn.rsplit("/", 1)[-1])
            return url(_PAGES[member], name), name
        if arn:
            return "", arn.rsplit("/", 1)[-1]
    return "", ""


def parsed(text: str) -> dict[str, Any]:
    """A definition, which was checked when its pipeline was made."""
    found: dict[str, Any] = json.loads(text)
    return found

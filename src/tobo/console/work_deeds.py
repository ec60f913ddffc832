"""Deeds of who labels: what the work page sends in one request, done in its order by the operations of tobo-labeling."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tobo.console.visit import Visit
from tobo.kit.fault import Fault, validation
from tobo.resources.labeling_jobs.task_types import PASS_THROUGH, TYPES, TaskType

SERVICE = "tobo-labeling"

HUMAN_LOOP = "HumanLoop"
"""The type of a flow definition's loops: shown in its own template, one at a time, and an answer is final."""

MOST = 200
"""Deeds of one request."""

MOST_HELD = 8
"""Tasks that a page may hold at a time: the one that is shown, three that are ready, and some whose answer is on its way."""

_DEEDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "answer": ("AnswerTask", ("ItemNumber", "Body", "Seconds")),
    "keep": ("KeepTask", ("ItemNumber", "Draft")),
    "skip": ("SkipTask", ("ItemNumber", "Reason", "Broken")),
    "reopen": ("ReopenTask", ("ItemNumber",)),
    "release": ("ReleaseTasks", ("ItemNumbers",)),
}
"""A deed's operation, and what of it the page says."""

_OF_A_ROLE = {"answer", "keep"}


@dataclass(frozen=True)
class Asked:
    """`deeds` as the page sent them; `claim` so many tasks are wanted in hand afterwards, 0 for none."""

    deeds: tuple[Mapping[str, Any], ...]
    claim: int
    role: str


def read_deeds(body: bytes) -> Asked:
    """Raises Fault ValidationException for what the page cannot have sent."""
    try:
        told = json.loads(body)
        deeds, claim, role = told.get("deeds", []), told.get("claim", 0), told.get("role", "label")
        good = (
            len(deeds) <= MOST
            and all(deed["deed"] in _DEEDS for deed in deeds)
            and 0 <= int(claim) <= MOST_HELD
            and role in ("label", "review")
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        good = False
    if not good:
        raise validation(f"A work page sends {{deeds, claim, role}}, the deeds being of {', '.join(_DEEDS)}.")
    return Asked(tuple(deeds), int(claim), role)


def do_deeds(visit: Visit, arn: str, asked: Asked) -> dict[str, Any]:
    """{results, tasks, now}: one result a deed, {state}, {task}, {until}, {gone: why} or {refused: why}; `over` where the job ended.

    Raises Fault where the key may not do this: then nothing else that it sends would be taken, either.
    """
    told: dict[str, Any] = {"results": [_do(visit, arn, deed, asked.role) for deed in asked.deeds], "tasks": []}
    if asked.claim:
        try:
            found = visit.call(SERVICE, "ClaimTasks", LabelingJobArn=arn, MaxResults=asked.claim, Role=asked.role)
            told["tasks"] = [task_of(task) for task in found["Tasks"]]
        except Fault as fault:
            if fault.code != "TaskGone":
                raise
            told["over"] = fault.message
    return told | {"now": visit.context.clock.now()}


def _do(visit: Visit, arn: str, deed: Mapping[str, Any], role: str) -> dict[str, Any]:
    operation, members = _DEEDS[deed["deed"]]
    given = {name: deed[name] for name in members if name in deed}
    if deed["deed"] in _OF_A_ROLE:
        given["Role"] = role
    try:
        answer = visit.call(SERVICE, operation, LabelingJobArn=arn, **given)
    except Fault as fault:
        if fault.code == "TaskGone":
            return {"gone": fault.message}
        if fault.code == "ValidationException":
            return {"refused": fault.message}
        raise
    if "Task" in answer:
        return {"task": task_of(answer["Task"])}
    if "Until" in answer:
        return {"until": answer["Until"]}
    return {"state": answer.get("State", "")}


def task_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task as the page's script takes it: its line read, its JSON decoded."""
    line = json.loads(task["Source"])
    answers = task.get("Answers", [])
    return {
        "number": task["ItemNumber"],
        "text": line.get("source"),
        "name": str(line.get("source-ref", "")).rsplit("/", 1)[-1],
        "until": task["Until"],
        "draft": json.loads(task["Draft"]) if task.get("Draft") else None,
        "guess": json.loads(task["Guess"]) if task.get("Guess") else None,
        "answers": [{"worker": one["Worker"], "answer": json.loads(one["Body"])} for one in answers],
    }


def element_of(kind: TaskType) -> str:
    """The custom element with which such a task is done."""
    if kind.verifies:
        return "label-verify"
    if kind.text:
        return "label-spans" if kind.shape == "spans" else "label-text-classes"
    return {"boxes": "label-boxes", "polygons": "label-polygons", "mask": "label-mask"}.get(
        kind.shape, "label-image-classes"
    )


def setup_of(work: Mapping[str, Any], role: str) -> dict[str, Any]:
    """What the page's script has to know of the job, of DescribeWork's answer."""
    kind = TYPES.get(work["TaskType"], TYPES[PASS_THROUGH])
    return {
        "role": role,
        "element": "task-frame" if work.get("OwnTemplate") else element_of(kind),
        "shape": kind.shape,
        "text": bool(kind.text),
        "multiple": kind.shape == "classes",
        "adjusts": kind.adjusts,
        "labels": work["Labels"],
        "title": work["Title"],
        "limit": work["TaskTimeLimitInSeconds"],
        "final": work["TaskType"] == HUMAN_LOOP,
    }

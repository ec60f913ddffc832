"""When an item is settled, and as what: asked after each answer and again by the controller, with the same end."""

import json
from collections.abc import Sequence
from typing import Any

from tobo.operations.context import Context
from tobo.resources.labeling_jobs.consolidation import Agreed, Said, consolidate
from tobo.resources.labeling_jobs.task_types import TYPES, TaskType
from tobo.store.base import Row
from tobo.tasks.base import Answer, Item, State

SKIPS = 2
"""As often as answers are wanted times this an item may be skipped before it is given up."""


def kind_of(row: Row) -> TaskType:
    return TYPES[row.found["_type"]]


def settle(context: Context, row: Row, item: Item) -> State:
    """Settles an item that has every answer, or that nobody can answer; gives the state that it has afterwards."""
    if item.state == "conflict":
        return _reviewed(context, row, item)
    if item.answers >= item.wanted:
        return _answered(context, row, item)
    if item.skips >= SKIPS * item.wanted:
        return fail(context, row, item.number, f"It was skipped {item.skips} times.")
    return item.state


def fail(context: Context, row: Row, number: int, reason: str) -> State:
    """The item counts as FailedNonRetryableError from now on."""
    context.tasks.settle(row.arn, [(number, "failed", json.dumps({"reason": reason}))])
    return "failed"


def said_of(answers: Sequence[Answer]) -> list[Said]:
    return [Said(answer.worker, json.loads(answer.body)) for answer in answers]


def result_of(agreed: Agreed, reviewed: bool = False) -> str:
    """An item's result as the task store keeps it."""
    told: dict[str, Any] = {
        "answer": agreed.answer,
        "confidence": round(agreed.confidence, 4),
        "confidences": [round(each, 4) for each in agreed.confidences],
    }
    return json.dumps(told | {"reviewed": True} if reviewed else told, ensure_ascii=False)


def _answered(context: Context, row: Row, item: Item) -> State:
    answers = [answer for answer in context.tasks.answers_of(row.arn, item.number) if answer.role == "label"]
    agreed = consolidate(kind_of(row).shape, said_of(answers), row.found["_labels"])
    if agreed.confidence < row.found["_review_below"]:
        context.tasks.dispute(row.arn, item.number)
        return "conflict"
    context.tasks.settle(row.arn, [(item.number, "labelled", result_of(agreed))])
    return "labelled"


def _reviewed(context: Context, row: Row, item: Item) -> State:
    """The reviewer's word alone counts."""
    reviews = [answer for answer in context.tasks.answers_of(row.arn, item.number) if answer.role == "review"]
    if not reviews:
        return item.state
    agreed = consolidate(kind_of(row).shape, said_of(reviews[-1:]), row.found["_labels"])
    context.tasks.settle(row.arn, [(item.number, "labelled", result_of(agreed, reviewed=True))])
    return "labelled"

"""Honeypots: items whose answer is known, by `<attribute>-gold` in their line; workers are asked, and do not see it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.resources.labeling_jobs.answers import read_answer
from tobo.resources.labeling_jobs.settling import kind_of
from tobo.resources.labeling_jobs.task_types import Shape
from tobo.store.base import Row
from tobo.tasks.base import Item

SUFFIX = "-gold"


def gold_of(told: Mapping[str, Any], attribute: str, shape: Shape, labels: Sequence[str]) -> dict[str, Any] | None:
    """The known answer of a manifest's line in the workers' shape; None where it has none.

    A class may be told by its name alone. Raises Fault ValidationException for what is no answer to this task.
    """
    given = told.get(attribute + SUFFIX)
    if given is None:
        return None
    if shape == "class" and isinstance(given, str):
        given = {"label": given}
    try:
        return read_answer(json.dumps(given), shape, labels)
    except Fault as fault:
        raise validation(f"{attribute}{SUFFIX} is no answer to this task: {fault.message}") from None


def gold_in(row: Row, item: Item) -> dict[str, Any] | None:
    """The known answer of a job's item."""
    attribute = row.asked["LabelAttributeName"]
    if not _may_have_gold(item.source, attribute):
        return None
    return gold_of(json.loads(item.source), attribute, kind_of(row).shape, row.found["_labels"])


def shown(row: Row, source: str) -> str:
    """An item's line as workers see it."""
    attribute = row.asked["LabelAttributeName"]
    if not _may_have_gold(source, attribute):
        return source
    told = json.loads(source)
    if told.pop(attribute + SUFFIX, None) is None:
        return source
    return json.dumps(told, ensure_ascii=False)


def _may_have_gold(source: str, attribute: str) -> bool:
    """Whether it is worth while to decode a line: false for those that surely have no known answer."""
    return f"{attribute}{SUFFIX}" in source or "\\" in source  # a name may be written with escapes

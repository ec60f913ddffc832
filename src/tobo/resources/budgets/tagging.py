"""TagResource, UntagResource, ListTagsForResource of budgets. Source: AWS Budgets API Reference."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.operations.budgeting import BUDGET
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.budgets.budget import not_found
from tobo.store.base import Row


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["ResourceARN"]
    return arn


@operation("budgets", "TagResource", resource=_resource)
def tag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Adds or overwrites. Raises Fault NotFoundException."""
    added = {tag["Key"]: tag["Value"] for tag in asked["ResourceTags"]}
    return _change(call, asked["ResourceARN"], lambda tags: {**tags, **added})


@operation("budgets", "UntagResource", resource=_resource)
def untag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that are not there are no error. Raises Fault NotFoundException."""
    gone = set(asked["ResourceTagKeys"])
    return _change(call, asked["ResourceARN"], lambda tags: {key: tags[key] for key in tags if key not in gone})


@operation("budgets", "ListTagsForResource", resource=_resource)
def list_tags_for_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of them, in the order of their keys. Raises Fault NotFoundException."""
    tags = _known(call, asked["ResourceARN"]).tags
    return {"ResourceTags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def _change(call: Call, arn: str, change: Callable[[Mapping[str, str]], dict[str, str]]) -> dict[str, Any]:
    change_row(call, lambda: _known(call, arn), "tagged", lambda row: {"tags": change(row.tags)})
    return {}


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.kind != BUDGET or row.key.space.account != call.principal.account:
        raise not_found(f"Budget '{arn[:200]}' does not exist here.")
    return row

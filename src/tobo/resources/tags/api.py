"""AddTags, ListTags, DeleteTags. Source: API reference; tags live in the row of the resource that bears them."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.store.base import Conflict, Event, Row

MOST_TAGS = 50
"""A resource's, as on AWS."""


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["ResourceArn"]
    return arn


@operation("sagemaker", "AddTags", resource=_resource)
def add_tags(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Adds or overwrites; answers all tags. Raises Fault ValidationException for more than 50."""
    added = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
    return {"Tags": _listed(_change(call, asked["ResourceArn"], lambda tags: {**tags, **added}))}


@operation("sagemaker", "ListTags", resource=_resource)
def list_tags(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of them, in the order of their keys: a page holds 50 at least, and a resource has no more."""
    if asked.get("NextToken"):
        raise validation("NextToken is not one that this operation gave; all tags come on one page.")
    return {"Tags": _listed(_known(call, asked["ResourceArn"]).tags)}


@operation("sagemaker", "DeleteTags", resource=_resource)
def delete_tags(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that are not there are no error."""
    gone = set(asked["TagKeys"])
    _change(call, asked["ResourceArn"], lambda tags: {key: value for key, value in tags.items() if key not in gone})
    return {}


def _change(call: Call, arn: str, change: Callable[[Mapping[str, str]], dict[str, str]]) -> Mapping[str, str]:
    while True:
        row = _known(call, arn)
        tags = change(row.tags)
        if len(tags) > MOST_TAGS:
            raise validation(f"'{arn}' would have {len(tags)} tags; a resource has at most {MOST_TAGS}.")
        try:
            call.context.store.update(row, Event(call.now, "tagged", row.state), tags=tags)
        except Conflict:
            continue
        return tags


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space:
        raise validation(f"Could not find resource '{arn}'.")
    return row


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]

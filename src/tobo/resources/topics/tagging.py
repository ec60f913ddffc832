"""TagResource, UntagResource, ListTagsForResource of topics. Source: Amazon SNS API Reference."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.topics.topic import TOPIC
from tobo.store.base import Row

MOST_TAGS = 50
"""A topic's, as on AWS."""


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["ResourceArn"]
    return arn


@operation("sns", "TagResource", resource=_resource)
def tag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Adds or overwrites. Raises Fault ResourceNotFound, TagLimitExceeded for more than 50."""
    added = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
    _change(call, asked["ResourceArn"], lambda tags: {**tags, **added})
    return {}


@operation("sns", "UntagResource", resource=_resource)
def untag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that are not there are no error."""
    gone = set(asked["TagKeys"])
    _change(call, asked["ResourceArn"], lambda tags: {key: value for key, value in tags.items() if key not in gone})
    return {}


@operation("sns", "ListTagsForResource", resource=_resource)
def list_tags_for_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of them, in the order of their keys."""
    tags = _known(call, asked["ResourceArn"]).tags
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def _change(call: Call, arn: str, change: Callable[[Mapping[str, str]], dict[str, str]]) -> None:
    def tagged(row: Row) -> dict[str, Any]:
        tags = change(row.tags)
        if len(tags) > MOST_TAGS:
            raise Fault("TagLimitExceeded", f"'{arn}' would have {len(tags)} tags; a topic has at most {MOST_TAGS}.")
        return {"tags": tags}

    change_row(call, lambda: _known(call, arn), "tagged", tagged)


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space or row.key.kind != TOPIC:
        raise Fault("ResourceNotFound", f"Topic '{arn}' does not exist here.", 404)
    return row

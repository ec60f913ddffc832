"""TagResource, UntagResource, ListTagsForResource of alarms. Source: Amazon CloudWatch API Reference."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.alarms.alarm import KIND, SERVICE
from tobo.store.base import Row

MOST_TAGS = 50
"""An alarm's, as on AWS."""


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["ResourceARN"]
    return arn


@operation(SERVICE, "TagResource", resource=_resource)
def tag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Adds or overwrites. Raises Fault ResourceNotFoundException, InvalidParameterValue for more than 50."""
    added = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
    _change(call, asked["ResourceARN"], lambda tags: {**tags, **added})
    return {}


@operation(SERVICE, "UntagResource", resource=_resource)
def untag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that are not there are no error."""
    gone = set(asked["TagKeys"])
    _change(call, asked["ResourceARN"], lambda tags: {key: value for key, value in tags.items() if key not in gone})
    return {}


@operation(SERVICE, "ListTagsForResource", resource=_resource)
def list_tags_for_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of them, in the order of their keys."""
    tags = _known(call, asked["ResourceARN"]).tags
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def check_tags(name: str, tags: Mapping[str, str]) -> None:
    """Raises Fault InvalidParameterValue."""
    if len(tags) > MOST_TAGS:
        raise Fault("InvalidParameterValue", f"'{name}' would have {len(tags)} tags; an alarm has at most {MOST_TAGS}.")


def _change(call: Call, arn: str, change: Callable[[Mapping[str, str]], dict[str, str]]) -> None:
    def tagged(row: Row) -> dict[str, Any]:
        tags = change(row.tags)
        check_tags(arn, tags)
        return {"tags": tags}

    change_row(call, lambda: _known(call, arn), "tagged", tagged)


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space or row.key.kind != KIND:
        raise Fault("ResourceNotFoundException", f"The alarm '{arn}' does not exist here.", 404)
    return row

"""TagResource, UntagResource, ListTagsForResource of scalable targets. Source: Application Auto Scaling API reference."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.autoscaling.resource import SERVICE
from tobo.store.base import Conflict, Event, Row

MOST_TAGS = 50
"""A resource's, as on AWS."""


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["ResourceARN"]
    return arn


@operation(SERVICE, "TagResource", resource=_resource)
def tag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Adds or overwrites. Raises Fault ResourceNotFoundException, TooManyTagsException."""
    _change(call, asked["ResourceARN"], lambda tags: {**tags, **asked["Tags"]})
    return {}


@operation(SERVICE, "UntagResource", resource=_resource)
def untag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that are not there are no error."""
    gone = set(asked["TagKeys"])
    _change(call, asked["ResourceARN"], lambda tags: {key: value for key, value in tags.items() if key not in gone})
    return {}


@operation(SERVICE, "ListTagsForResource", resource=_resource)
def list_tags_for_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of them."""
    return {"Tags": dict(_known(call, asked["ResourceARN"]).tags)}


def check_tags(arn: str, tags: Mapping[str, str]) -> None:
    """Raises Fault TooManyTagsException."""
    if len(tags) > MOST_TAGS:
        raise Fault(
            "TooManyTagsException",
            f"'{arn}' would have {len(tags)} tags; a scalable target has at most {MOST_TAGS}.",
            members={"ResourceName": arn},
        )


def _change(call: Call, arn: str, change: Callable[[Mapping[str, str]], dict[str, str]]) -> None:
    while True:
        row = _known(call, arn)
        tags = change(row.tags)
        check_tags(arn, tags)
        try:
            call.context.store.update(row, Event(call.now, "tagged", row.state), tags=tags)
        except Conflict:
            continue
        return


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space:
        raise Fault(
            "ResourceNotFoundException",
            f"The scalable target '{arn}' is not registered here.",
            members={"ResourceName": arn},
        )
    return row

"""Tagging: TagResource, UntagResource and ListTagsForResource of services whose resources bear their tags in their rows."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.store.base import Row

MOST_TAGS = 50
"""A resource's, as on AWS."""

Asked = Mapping[str, Any]


def tag_operations(
    service: str,
    known: Callable[[Call, str], Row],
    too_many: Callable[[str], Fault],
    arn: str = "ResourceArn",
    tags: str = "Tags",
    keys: str = "TagKeys",
) -> None:
    """Registers the three. `known` gives the row of an ARN or refuses, `too_many` makes a Fault of the sentence about more than
    50; the rest are the service's names of the members."""

    def resource(call: Call, asked: Asked) -> str:
        return str(asked[arn])

    def change(call: Call, asked: Asked, changed: Callable[[Mapping[str, str]], dict[str, str]]) -> dict[str, Any]:
        def tagged(row: Row) -> dict[str, Any]:
            found = changed(row.tags)
            check_count(asked[arn], found, too_many)
            return {"tags": found}

        change_row(call, lambda: known(call, asked[arn]), "tagged", tagged)
        return {}

    @operation(service, "TagResource", resource=resource)
    def tag_resource(call: Call, asked: Asked) -> dict[str, Any]:
        """Adds or overwrites."""
        return change(call, asked, lambda had: {**had, **{tag["Key"]: tag["Value"] for tag in asked[tags]}})

    @operation(service, "UntagResource", resource=resource)
    def untag_resource(call: Call, asked: Asked) -> dict[str, Any]:
        """Keys that are not there are no error."""
        return change(call, asked, lambda had: {key: had[key] for key in had if key not in asked[keys]})

    @operation(service, "ListTagsForResource", resource=resource)
    def list_tags_for_resource(call: Call, asked: Asked) -> dict[str, Any]:
        """All of them, in the order of their keys."""
        found = known(call, asked[arn]).tags
        return {tags: [{"Key": key, "Value": found[key]} for key in sorted(found)]}


def check_count(arn: str, tags: Mapping[str, str], too_many: Callable[[str], Fault]) -> None:
    """Raises what `too_many` makes of the sentence."""
    if len(tags) > MOST_TAGS:
        raise too_many(f"'{arn}' would have {len(tags)} tags; a resource has at most {MOST_TAGS}.")

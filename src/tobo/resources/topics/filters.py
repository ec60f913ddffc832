"""Filter policies: which messages a subscription wants, by their attributes. Source: SNS Developer Guide, "Subscription filter policies"."""

import json
from collections.abc import Mapping
from typing import Any

from tobo.operations.conditions import check_condition, meets
from tobo.resources.topics.topic import bad_parameter

Attributes = Mapping[str, Mapping[str, Any]]
"""MessageAttributes: {name: {DataType, StringValue | BinaryValue}}."""


def read_policy(text: str) -> dict[str, list[Any]]:
    """Raises Fault InvalidParameter that names what is no policy."""
    try:
        policy = json.loads(text)
    except ValueError:
        raise bad_parameter(f"FilterPolicy is no JSON: {text[:60]}") from None
    if not isinstance(policy, dict):
        raise bad_parameter("FilterPolicy is no JSON object of attribute names.")
    for name, conditions in policy.items():
        if not isinstance(conditions, list) or not conditions:
            raise bad_parameter(f"FilterPolicy's '{name[:60]}' is no list of values or conditions.")
        for condition in conditions:
            check_condition(name, condition, lambda said: bad_parameter(f"FilterPolicy's {said}"))
    return policy


def wants(policy: Mapping[str, list[Any]], attributes: Attributes) -> bool:
    """Each name of the policy has an attribute that meets one of its conditions."""
    return all(
        meets(conditions, name in attributes, _values(attributes[name]) if name in attributes else [])
        for name, conditions in policy.items()
    )


def _values(attribute: Mapping[str, Any]) -> list[Any]:
    text = attribute.get("StringValue")
    if text is None:
        return []
    try:
        if attribute["DataType"].partition(".")[0] == "Number":
            return [float(text)]
        if attribute["DataType"] == "String.Array":
            found = json.loads(text)
            return found if isinstance(found, list) else [found]
    except ValueError:
        return []
    return [text]

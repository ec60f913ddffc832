"""Filter policies: which messages a subscription wants, by their attributes.

Source: Amazon SNS Developer Guide, "Subscription filter policies". Built are exact strings, numbers and booleans, prefix, suffix,
anything-but (values or prefix), equals-ignore-case, numeric and exists; other operators are refused.
"""

import json
from collections.abc import Mapping
from typing import Any

from tobo.resources.topics.topic import bad_parameter

Attributes = Mapping[str, Mapping[str, Any]]
"""MessageAttributes: {name: {DataType, StringValue | BinaryValue}}."""

_COMPARE = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_OPERATORS = ("prefix", "suffix", "anything-but", "equals-ignore-case", "numeric", "exists")


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
            _check(name, condition)
    return policy


def wants(policy: Mapping[str, list[Any]], attributes: Attributes) -> bool:
    """Each name of the policy has an attribute that meets one of its conditions."""
    return all(_meets(conditions, attributes.get(name)) for name, conditions in policy.items())


def _check(name: str, condition: Any) -> None:
    if not isinstance(condition, dict):
        if isinstance(condition, list):
            raise bad_parameter(f"FilterPolicy's '{name[:60]}' has a list in its list; one level is enough.")
        return
    if len(condition) != 1 or next(iter(condition)) not in _OPERATORS:
        raise bad_parameter(
            f"FilterPolicy's '{name[:60]}' has {json.dumps(condition)[:60]}; take one of {', '.join(_OPERATORS)}."
        )
    bounds = condition.get("numeric")
    if bounds is not None and (
        not isinstance(bounds, list)
        or len(bounds) not in (2, 4)
        or any(sign not in _COMPARE for sign in bounds[::2])
        or any(not isinstance(bound, int | float) for bound in bounds[1::2])
    ):
        raise bad_parameter(f"FilterPolicy's '{name[:60]}': numeric is a list such as ['>', 0, '<=', 5].")


def _meets(conditions: list[Any], attribute: Mapping[str, Any] | None) -> bool:
    values = [] if attribute is None else _values(attribute)
    return any(
        condition["exists"] is (attribute is not None)
        if isinstance(condition, dict) and "exists" in condition
        else any(_meets_one(condition, value) for value in values)
        for condition in conditions
    )


def _values(attribute: Mapping[str, Any]) -> list[Any]:
    text = attribute.get("StringValue")
    if text is None:
        return []
    kind = attribute["DataType"].partition(".")[0]
    try:
        if kind == "Number":
            return [float(text)]
        if attribute["DataType"] == "String.Array":
            found = json.loads(text)
            return found if isinstance(found, list) else [found]
    except ValueError:
        return []
    return [text]


def _meets_one(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        return bool(value == condition) and isinstance(value, bool) is isinstance(condition, bool)
    ((operator, wanted),) = condition.items()
    if operator == "anything-but":
        if isinstance(wanted, dict):
            return not _meets_one(wanted, value)
        return value not in (wanted if isinstance(wanted, list) else [wanted])
    if operator == "numeric":
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        return isinstance(value, int | float) and all(_COMPARE[sign](value, bound) for sign, bound in pairs)
    if not isinstance(value, str):
        return False
    if operator == "equals-ignore-case":
        return value.lower() == str(wanted).lower()
    return value.startswith(wanted) if operator == "prefix" else value.endswith(wanted)

"""Conditions on values, as SNS's filter policies and EventBridge's patterns have them in common.

Source: Amazon SNS Developer Guide, "Subscription filter policies"; Amazon EventBridge User Guide, "Comparison operators". Built are exact
strings, numbers, booleans and null, prefix, suffix, anything-but (values or prefix), equals-ignore-case, numeric and exists.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault

OPERATORS = ("prefix", "suffix", "anything-but", "equals-ignore-case", "numeric", "exists")

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, bound: bool(value == bound),
    "<": lambda value, bound: bool(value < bound),
    "<=": lambda value, bound: bool(value <= bound),
    ">": lambda value, bound: bool(value > bound),
    ">=": lambda value, bound: bool(value >= bound),
}


def check_condition(name: str, condition: Any, refused: Callable[[str], Fault]) -> None:
    """`name` is what it is about. Raises what `refused` makes of a sentence that names what is wrong."""
    if not isinstance(condition, dict):
        if isinstance(condition, list):
            raise refused(f"'{name[:60]}' has a list in its list; one level is enough.")
        return
    if len(condition) != 1 or next(iter(condition)) not in OPERATORS:
        raise refused(f"'{name[:60]}' has {json.dumps(condition)[:60]}; take one of {', '.join(OPERATORS)}.")
    bounds = condition.get("numeric")
    if bounds is not None and (
        not isinstance(bounds, list)
        or len(bounds) not in (2, 4)
        or any(sign not in _COMPARE for sign in bounds[::2])
        or any(not isinstance(bound, int | float) for bound in bounds[1::2])
    ):
        raise refused(f"'{name[:60]}': numeric is a list such as ['>', 0, '<=', 5].")


def meets(conditions: Sequence[Any], present: bool, values: Sequence[Any]) -> bool:
    """Whether one of the conditions holds for one of the values of what is `present`."""
    return any(
        condition["exists"] is present
        if isinstance(condition, dict) and "exists" in condition
        else any(_meets_one(condition, value) for value in values)
        for condition in conditions
    )


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
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and all(_COMPARE[sign](value, bound) for sign, bound in pairs)
    if not isinstance(value, str):
        return False
    if operator == "equals-ignore-case":
        return value.lower() == str(wanted).lower()
    return value.startswith(str(wanted)) if operator == "prefix" else value.endswith(str(wanted))

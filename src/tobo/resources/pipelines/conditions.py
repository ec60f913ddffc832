"""Conditions of Condition steps. Source: SageMaker Python SDK, sagemaker.workflow.conditions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tobo.kit.fault import validation

COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: left == right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}
_MEMBERS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(COMPARED, frozenset({"Type", "LeftValue", "RightValue"})),
    "In": frozenset({"Type", "QueryValue", "Values"}),
    "Not": frozenset({"Type", "Expression"}),
    "Or": frozenset({"Type", "Conditions"}),
}


def problems_of(condition: Any, place: str) -> Iterator[str]:
    """What a condition cannot be judged for, one sentence each."""
    if not isinstance(condition, Mapping) or condition.get("Type") not in _MEMBERS:
        kind = condition.get("Type") if isinstance(condition, Mapping) else condition
        yield f"{place}: the condition '{kind}' is none of {', '.join(_MEMBERS)}"
        return
    kind, members = condition["Type"], _MEMBERS[condition["Type"]]
    if members != condition.keys():
        yield f"{place}: a condition {kind} has the members {', '.join(sorted(members))}, no more and no less"
    elif kind == "Not":
        yield from problems_of(condition["Expression"], place)
    elif kind == "Or":
        for one in condition["Conditions"] if isinstance(condition["Conditions"], list) else [None]:
            yield from problems_of(one, place)


def holds(condition: Mapping[str, Any]) -> bool:
    """Whether a condition, its functions resolved, is true. Raises Fault where two values cannot be compared."""
    match condition["Type"]:
        case "Not":
            return not holds(condition["Expression"])
        case "Or":
            return any(map(holds, condition["Conditions"]))
        case "In":
            return condition["QueryValue"] in condition["Values"]
    left, right = condition["LeftValue"], condition["RightValue"]
    try:
        return COMPARED[condition["Type"]](left, right)
    except TypeError:
        raise validation(
            f"The condition {condition['Type']} cannot compare {left!r} with {right!r}; make both numbers or both texts."
        ) from None

"""What Cost Explorer says of a span: its dimensions, its tags, and which filters it meets.

Source: Cost Explorer API Reference, data types Expression, DimensionValues and TagValues; usage types as AWS bills
SageMaker's instances ("USE1-Train:ml.m5.large").
"""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.telemetry.ledger import Span

CREATED_BY = "aws:createdBy"
"""AWS's own cost allocation tag: the ARN of who made the resource."""

_USES = {
    "training-job": "Train",
    "processing-job": "Processing",
    "transform-job": "Tsform",
    "endpoint": "Host",
    "notebook-instance": "Notebk",
}

DIMENSIONS: Mapping[str, Callable[[Span], str]] = {
    "SERVICE": lambda span: "Amazon SageMaker",
    "SERVICE_CODE": lambda span: "AmazonSageMaker",
    "USAGE_TYPE": lambda span: usage_type(span),
    "INSTANCE_TYPE": lambda span: span.use.instance_type,
    "INSTANCE_TYPE_FAMILY": lambda span: span.use.instance_type.rsplit(".", 1)[0],
    "REGION": lambda span: span.owner.space.region,
    "LINKED_ACCOUNT": lambda span: span.owner.space.account,
    "PAYER_ACCOUNT": lambda span: span.owner.space.account,
    "OPERATION": lambda span: "RunInstance",
    "RECORD_TYPE": lambda span: "Usage",
    "PURCHASE_TYPE": lambda span: "On Demand Instances",
    "RESOURCE_ID": lambda span: span.owner.arn,
}

_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "STARTS_WITH": lambda value, wanted: value.startswith(wanted),
    "ENDS_WITH": lambda value, wanted: value.endswith(wanted),
}
_CASES = ("CASE_SENSITIVE", "CASE_INSENSITIVE")

_MEMBERS = ("Or", "And", "Not", "Dimensions", "Tags")


def usage_type(span: Span) -> str:
    """eu-west-1 and a training job on ml.m5.large: EUW1-Train:ml.m5.large."""
    area, *directions, number = span.owner.space.region.split("-")
    place = f"{area}{''.join(direction[0] for direction in directions)}{number}".upper()
    return f"{place}-{_USES.get(span.owner.kind, span.owner.kind)}:{span.use.instance_type}"


def tags_of(span: Span) -> Mapping[str, str]:
    return {**span.owner.tags, CREATED_BY: span.owner.user} if span.owner.user else span.owner.tags


def dimension(name: str) -> Callable[[Span], str]:
    """Reads a dimension of a span; raises Fault ValidationException for one that nothing here has."""
    if name not in DIMENSIONS:
        raise validation(f"Dimension {name} is of nothing that tobo meters; take one of {', '.join(DIMENSIONS)}.")
    return DIMENSIONS[name]


def condition(expression: Mapping[str, Any] | None) -> Callable[[Span], bool]:
    """Whether a span meets an Expression; None is met by all. Raises Fault ValidationException for what is no expression."""
    if expression is None:
        return lambda span: True
    given = [member for member in expression if member in _MEMBERS]
    if len(given) != 1 or len(expression) != 1:
        named = ", ".join(expression) or "none"
        raise validation(f"An Expression has one of {', '.join(_MEMBERS)}; this has {named}. Join several with And.")
    return _CONDITIONS[given[0]](expression[given[0]])


def _any(parts: list[Mapping[str, Any]]) -> Callable[[Span], bool]:
    conditions = _several("Or", parts)
    return lambda span: any(each(span) for each in conditions)


def _all(parts: list[Mapping[str, Any]]) -> Callable[[Span], bool]:
    conditions = _several("And", parts)
    return lambda span: all(each(span) for each in conditions)


def _not(part: Mapping[str, Any]) -> Callable[[Span], bool]:
    inner = condition(part)
    return lambda span: not inner(span)


def _several(name: str, parts: list[Mapping[str, Any]]) -> list[Callable[[Span], bool]]:
    if len(parts) < 2:
        raise validation(f"{name} joins two expressions or more; this one has {len(parts)}.")
    return [condition(part) for part in parts]


def _of_dimension(wanted: Mapping[str, Any]) -> Callable[[Span], bool]:
    if "Key" not in wanted:
        raise validation("Dimensions has no Key; name one, such as SERVICE.")
    read = dimension(wanted["Key"])
    matches = _matcher(wanted)
    return lambda span: matches(read(span))


def _of_tag(wanted: Mapping[str, Any]) -> Callable[[Span], bool]:
    if "Key" not in wanted:
        raise validation("Tags has no Key; name one, such as project.")
    key, matches = wanted["Key"], _matcher(wanted)
    return lambda span: matches(tags_of(span).get(key))


def _matcher(wanted: Mapping[str, Any]) -> Callable[[str | None], bool]:
    """Whether a value (None: there is none) is one of `Values` in the way that `MatchOptions` say."""
    options, values = wanted.get("MatchOptions") or ["EQUALS"], wanted.get("Values") or []
    if "ABSENT" in options:
        if len(options) > 1 or values:
            raise validation(f"MatchOptions ABSENT stands alone, without Values; this has {', '.join(options)}.")
        return lambda value: not value
    kinds = [option for option in options if option not in _CASES] or ["EQUALS"]
    if len(kinds) > 1 or kinds[0] not in _MATCHES:
        named = ", ".join([*_MATCHES, "ABSENT"])
        raise validation(
            f"MatchOptions {', '.join(options)}: take one of {named}, and CASE_INSENSITIVE where you want it."
        )
    if not values:
        raise validation(f"{wanted.get('Key')} has no Values; name one at least, or take MatchOptions ABSENT.")
    matches = _MATCHES[kinds[0]]
    if "CASE_INSENSITIVE" in options:
        return lambda value: value is not None and any(matches(value.lower(), each.lower()) for each in values)
    # AWS matches the empty text with a tag that is not there
    return lambda value: any(matches(value or "", each) for each in values)


_CONDITIONS: Mapping[str, Callable[[Any], Callable[[Span], bool]]] = {
    "Or": _any,
    "And": _all,
    "Not": _not,
    "Dimensions": _of_dimension,
    "Tags": _of_tag,
}

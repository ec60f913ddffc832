"""SearchExpression: filters, nested filters and subexpressions, read once and then asked of every candidate.

Source of the operators' meaning: API reference, Filter, NestedFilters, SearchExpression.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tobo.kit.fault import validation
from tobo.resources.search.catalog import Candidate, Entity
from tobo.resources.search.properties import Property, read_property, values, values_below
from tobo.store.base import Query

Test = Callable[[Candidate], bool]
Accepts = Callable[[Iterable[Any]], bool]
"""Whether the values of a property satisfy a filter: any of them, for there are several only in lists."""

MOST_FILTERS = 50
"""Of an expression with all that is in it (API reference, Search: 20 a list; the sum has a bound, too)."""

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThan": lambda a, b: a < b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
}


def read_expression(entity: Entity, expression: Mapping[str, Any], place: str = "SearchExpression") -> Test:
    """What a candidate must satisfy. Raises Fault ValidationException naming the filter that cannot be."""
    if place == "SearchExpression" and _count(expression) > MOST_FILTERS:
        raise validation(f"SearchExpression has {_count(expression)} filters; at most {MOST_FILTERS} are searched by.")
    tests = [_filter(entity, one) for one in expression.get("Filters", ())]
    tests += [_nested(entity, one) for one in expression.get("NestedFilters", ())]
    tests += [
        read_expression(entity, one, f"{place}.SubExpressions[{number}]")
        for number, one in enumerate(expression.get("SubExpressions", ()))
    ]
    if not tests:
        return lambda found: True
    combine = any if expression.get("Operator") == "Or" else all
    return lambda found: combine(test(found) for test in tests)


def narrowed(entity: Entity, expression: Mapping[str, Any], query: Query) -> Query:
    """The query of what the store can rule out by itself; every row that is left is still tested."""
    for one in _required(expression):
        keys, kind = read_property(entity, one["Name"])
        operator, value = one.get("Operator", "Equals"), one.get("Value", "")
        if keys == (entity.name_member,) and operator in ("Equals", "Contains"):
            query = replace(query, name_contains=value)
        elif keys == (entity.name_member,) and operator == "In":
            query = replace(query, names=tuple(part.strip() for part in value.split(",")))
        elif kind == "text" and operator == "Equals":
            query = _with_text(entity, query, keys, value)
        elif keys in (("CreationTime",), ("LastModifiedTime",)) and operator in _COMPARISONS:
            name = "created" if keys == ("CreationTime",) else "modified"
            side = "after" if operator.startswith("Greater") else "before"
            bound: dict[str, Any] = {f"{name}_{side}": _time(one["Name"], value)}
            query = replace(query, **bound)
    return query


def looked_at(entity: Entity, expression: Mapping[str, Any]) -> set[str]:
    """The top-level names of all properties that the expression's test asks for."""
    names = [one["Name"] for one in expression.get("Filters", ())]
    names += [one["NestedPropertyName"] for one in expression.get("NestedFilters", ())]
    tops = {read_property(entity, name).keys[0] for name in names}
    return tops.union(*(looked_at(entity, one) for one in expression.get("SubExpressions", ())))


def parents(entity: Entity, expression: Mapping[str, Any]) -> dict[str, str]:
    """The ExperimentName and TrialName that the trial components must have as parents; {} where any may."""
    found = {}
    for one in _required(expression) if entity.member == "TrialComponent" else ():
        keys, _ = read_property(entity, one["Name"])
        if keys[0] == "Parents" and len(keys) == 2 and one.get("Operator", "Equals") == "Equals":
            found[keys[1]] = one["Value"]
    return found


def _with_text(entity: Entity, query: Query, keys: tuple[str, ...], value: str) -> Query:
    if keys == (f"{entity.noun}Status",):
        return replace(query, status=value)
    if keys == (f"{entity.noun}Arn",):
        return replace(query, arn=value)
    if keys[0] == "Tags" and '"' not in keys[1]:  # a quote would end the path that SQL looks at; no tag has one
        return replace(query, tags={**query.tags, keys[1]: value})
    if len(keys) == 1 and keys != (entity.name_member,) and not entity.described:
        return replace(query, where={**query.where, keys[0]: value})
    return query


def _required(expression: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The filters that every result satisfies."""
    filters: Sequence[Mapping[str, Any]] = expression.get("Filters", ())
    others = [*expression.get("NestedFilters", ()), *expression.get("SubExpressions", ())]
    return () if expression.get("Operator") == "Or" and len(filters) + len(others) > 1 else filters


def _count(expression: Mapping[str, Any]) -> int:
    nested = sum(len(one["Filters"]) for one in expression.get("NestedFilters", ()))
    return (
        len(expression.get("Filters", ())) + nested + sum(_count(one) for one in expression.get("SubExpressions", ()))
    )


def _filter(entity: Entity, asked: Mapping[str, Any]) -> Test:
    found = read_property(entity, asked["Name"])
    accepts = _accepts(found, asked)
    return lambda one: accepts(values(one, found.keys))


def _nested(entity: Entity, asked: Mapping[str, Any]) -> Test:
    """One item of the list must satisfy all the filters."""
    name = asked["NestedPropertyName"]
    listed = read_property(entity, name)
    tests: list[tuple[tuple[str, ...], Accepts]] = []
    for one in asked["Filters"]:
        found = read_property(entity, one["Name"])
        if found.keys[: len(listed.keys)] != listed.keys:
            raise validation(f"The nested filter '{one['Name']}' is not below its NestedPropertyName '{name}'.")
        tests.append((found.keys[len(listed.keys) :], _accepts(found, one)))
    return lambda found: any(
        all(accepts(values_below(item, keys)) for keys, accepts in tests) for item in values(found, listed.keys)
    )


def _accepts(found: Property, asked: Mapping[str, Any]) -> Accepts:
    name, operator, value = asked["Name"], asked.get("Operator", "Equals"), asked.get("Value")
    if operator in ("Exists", "NotExists"):
        if value is not None:
            raise validation(f"The filter on '{name}' has a Value; {operator} takes none.")
        exists = operator == "Exists"
        return lambda given: any(True for _ in given) == exists
    if value is None:
        raise validation(f"The filter on '{name}' has no Value; {operator} needs one.")
    if operator in _COMPARISONS:
        return _compared(found, name, operator, value)
    if operator == "Contains":
        if found.type in ("number", "time"):
            raise validation(f"Contains is for text, and '{name}' is a {found.type}; use Equals or a comparison.")
        return lambda given: any(value in _text(one) for one in given)
    if operator == "In":
        wanted = [_equals(found, name, part.strip()) for part in value.split(",")]
        return lambda given: any(equals(one) for one in given for equals in wanted)
    equals = _equals(found, name, value)
    if operator == "NotEquals":
        return lambda given: not any(equals(one) for one in given)
    return lambda given: any(equals(one) for one in given)


def _compared(found: Property, name: str, operator: str, value: str) -> Accepts:
    if found.type == "text":
        raise validation(f"{operator} is not for text, which '{name}' is; use Equals, NotEquals, Contains or In.")
    bound = _time(name, value) if found.type == "time" else _number(value)
    if bound is None:
        raise validation(f"The Value '{value}' of the filter on '{name}' is no number; {operator} needs one.")
    compare = _COMPARISONS[operator]
    return lambda given: any((number := _number(one)) is not None and compare(number, bound) for one in given)


def _equals(found: Property, name: str, value: str) -> Callable[[Any], bool]:
    """Numbers are equal as numbers ("0.10" is 0.1), times to the second, texts letter by letter."""
    if found.type == "time":
        second = math.floor(_time(name, value))
        return lambda one: (at := _number(one)) is not None and math.floor(at) == second
    if found.keys[0] == "Parents":  # names of experiments are taken without regard to case
        return lambda one: _text(one).lower() == value.lower()
    number = None if found.type == "text" else _number(value)
    if number is None and found.type == "number":
        raise validation(f"The Value '{value}' of the filter on '{name}' is no number, which the property is.")
    if number is None:
        return lambda one: _text(one) == value
    return lambda one: _number(one) == number


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float | None:
    """A number, or a text that is one: hyperparameters are texts."""
    if isinstance(value, int | float):
        return float(value)
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _time(name: str, value: str) -> float:
    """YYYY-mm-dd'T'HH:MM:SS (UTC unless it says otherwise), a date, or epoch seconds."""
    if (number := _number(value)) is not None:
        return number
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise validation(
            f"The Value '{value}' of the filter on '{name}' is no time; write it like 2026-07-01T12:00:00."
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()

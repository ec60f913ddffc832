"""The model's constraints on a request: required, type, enum, pattern, length and range, refused in AWS's words.

A shape is compiled into a function once, when first needed; a request that satisfies its model costs no text at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import OperationModel

from tobo.kit.fault import Fault
from tobo.wire.body import Body
from tobo.wire.models import description
from tobo.wire.patterns import matches_pattern

_CODES: Mapping[str, str] = {
    "cloudwatch": "ValidationError",
    "cognito-idp": "InvalidParameterException",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "s3": "InvalidArgument",
    "sagemaker-runtime": "ValidationError",
    "sts": "ValidationError",
}
"""What services call a ValidationException that do not call it so."""

_LARGER: Mapping[tuple[str, str], int] = {("sagemaker-runtime", "BodyBlob"): 25 << 20}
"""Bytes where AWS takes more than its model says: InvokeEndpoint's documented limit is 25 MB, the model still has 6."""

_LONGEST_ECHO = 1024
"""Characters of a value that a message repeats."""

_WHOLE = {"integer": 31, "long": 63}


@dataclass(frozen=True)
class Problem:
    """`value` is the text to echo in quotes, None for a null, "" for one that must not be shown (`secret`)."""

    path: str
    value: str | None
    constraint: str
    secret: bool = False

    def __str__(self) -> str:
        echo = "" if self.secret else " null" if self.value is None else f" '{self.value}'"
        return f"Value{echo} at '{self.path}' failed to satisfy constraint: {self.constraint}"

    def below(self, prefix: str) -> "Problem":
        return replace(self, path=f"{prefix}.{self.path}" if self.path else prefix)


Checker = Callable[[Any], list[Problem] | None]
"""Value -> its problems, paths relative to it; None or nothing where it is as the model wants it."""

_NOT_NULL = "Member must not be null"
_NULL = [Problem("", None, _NOT_NULL)]


def check(operation: OperationModel, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException (or the service's own name of it) naming every violated constraint.

    "1 validation error detected: Value 'x' at 'trainingJobName' failed to satisfy constraint: Member must ...".
    Members that the model does not know are not looked at.
    """
    shape = operation.input_shape
    if shape is None:
        return
    service = operation.service_model.service_name
    try:
        problems = checker(service, shape.name)(asked)
    except RecursionError:
        raise Fault(_code(service), "The request is nested too deeply.") from None
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise Fault(_code(service), count + "; ".join(map(str, problems)))


def _code(service: str) -> str:
    return _CODES.get(service, "ValidationException")


@cache
def checker(service: str, name: str) -> Checker:
    """The compiled check of one shape of a service's model."""
    shape = description(service)["shapes"][name]
    kind = shape["type"]
    if kind == "structure":
        return _anything if shape.get("document") else _structure(service, shape)
    if kind == "list":
        return _list(service, name, shape)
    if kind == "map":
        return _map(service, name, shape)
    return _scalar({**shape, "max": _LARGER[service, name]} if (service, name) in _LARGER else shape)


def _anything(value: Any) -> None:
    return None


def _structure(service: str, shape: Mapping[str, Any]) -> Checker:
    """Required members, then each given member by its own check."""
    required: tuple[str, ...] = tuple(shape.get("required", ()))
    references: Mapping[str, Any] = shape["members"]
    members: dict[str, Checker] = {}

    def member_checker(name: str) -> Checker:
        """Compiled when first given: shapes may be recursive. Unknown names come from outside and must not pile up."""
        if name not in references:
            return _anything
        found = members[name] = checker(service, references[name]["shape"])
        return found

    def check_structure(value: Any) -> list[Problem] | None:
        if not isinstance(value, (dict, Mapping)):
            return [_mistyped(value, "structure")]
        problems = [Problem(_camel(name), None, _NOT_NULL) for name in required if value.get(name) is None]
        for name, given in value.items():
            if given is not None:
                found = (members.get(name) or member_checker(name))(given)
                if found:
                    problems += [problem.below(_camel(name)) for problem in found]
        return problems

    return check_structure


def _list(service: str, name: str, shape: Mapping[str, Any]) -> Checker:
    """Length, then the items. Scalars that fail are told of together at the list, structures each at its own place."""
    low, high = shape.get("min", 0), shape.get("max", float("inf"))
    item_name = shape["member"]["shape"]

    def check_list(value: Any) -> list[Problem] | None:
        if not isinstance(value, (list, tuple)):
            return [_mistyped(value, "list")]
        problems = _length_problems(service, name, value, low, high)
        check_item = checker(service, item_name)
        for index, given in enumerate(value, 1):
            found = _NULL if given is None else check_item(given)
            if found and (constraints := _constraints(service, item_name)):
                return [*problems, _problem(service, name, value, f"Member must satisfy constraint: [{constraints}]")]
            if found:
                problems += [problem.below(f"{index}.member") for problem in found]
        return problems

    return check_list


def _map(service: str, name: str, shape: Mapping[str, Any]) -> Checker:
    """Size, then keys and values. Scalars that fail are told of together at the map, structures each at its key."""
    low, high = shape.get("min", 0), shape.get("max", float("inf"))
    key_name, value_name = shape["key"]["shape"], shape["value"]["shape"]

    def check_map(value: Any) -> list[Problem] | None:
        if not isinstance(value, (dict, Mapping)):
            return [_mistyped(value, "map")]
        problems = _length_problems(service, name, value, low, high)
        check_key, check_value = checker(service, key_name), checker(service, value_name)
        failed: dict[str, str] = {}
        for key, given in value.items():
            if check_key(key):
                failed["keys"] = key_name
            found = _NULL if given is None else check_value(given)
            if found and _constraints(service, value_name):
                failed["value"] = value_name
            elif found:
                problems += [problem.below(f"{key}.member") for problem in found]
        for what, part in failed.items():
            together = f"Map {what} must satisfy constraint: [{_constraints(service, part)}]"
            problems.append(_problem(service, name, value, together))
        return problems

    return check_map


def _length_problems(service: str, name: str, value: Sized, low: float, high: float) -> list[Problem]:
    if low <= len(value) <= high:
        return []
    return [_problem(service, name, value, constraint) for constraint in _length_constraints(len(value), low, high)]


def _scalar(shape: Mapping[str, Any]) -> Checker:
    kind = shape["type"]
    if kind in ("string", "character"):
        return _string(shape)
    if kind in ("integer", "long", "float", "double"):
        return _number(shape)
    if kind == "blob":
        return _blob(shape)
    types: tuple[type, ...] = (bool,) if kind == "boolean" else (datetime, int, float, str)

    def check_type(value: Any) -> list[Problem] | None:
        return None if isinstance(value, types) else [_mistyped(value, kind)]

    return check_type


def _string(shape: Mapping[str, Any]) -> Checker:
    low, high = shape.get("min", 0), shape.get("max", float("inf"))
    enum = frozenset(shape["enum"]) if "enum" in shape else None
    pattern: str | None = shape.get("pattern") if enum is None else None
    secret = bool(shape.get("sensitive"))

    def check_string(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return [_mistyped(value, "string")]
        if enum is not None:
            return None if value in enum else [Problem("", _echo(value), _enum_constraint(shape), secret)]
        short = len(value) <= high
        # A text that is too long is not matched as well: matching may take time that grows steeply with the length.
        matches = pattern is None or not short or matches_pattern(pattern, value)
        if matches and short and len(value) >= low:
            return None
        broken = [] if matches else [_pattern_constraint(str(pattern))]
        broken += _length_constraints(len(value), low, high)
        return [Problem("", _echo(value), constraint, secret) for constraint in broken]

    return check_string


def _number(shape: Mapping[str, Any]) -> Checker:
    kind = shape["type"]
    whole = kind in _WHOLE
    types: tuple[type, ...] = (int,) if whole else (int, float)
    low, high = shape.get("min", float("-inf")), shape.get("max", float("inf"))
    if whole:
        low, high = max(low, -(1 << _WHOLE[kind])), min(high, (1 << _WHOLE[kind]) - 1)
    secret = bool(shape.get("sensitive"))

    def check_number(value: Any) -> list[Problem] | None:
        if not isinstance(value, types) or isinstance(value, bool):
            return [_mistyped(value, kind)]
        if low <= value <= high or value != value:
            return None
        bound = f"less than or equal to {high}" if value > high else f"greater than or equal to {low}"
        return [Problem("", _echo(value), f"Member must have value {bound}", secret)]

    return check_number


def _blob(shape: Mapping[str, Any]) -> Checker:
    low, high = shape.get("min", 0), shape.get("max", float("inf"))

    def check_blob(value: Any) -> list[Problem] | None:
        if not isinstance(value, (bytes, bytearray, Body)):
            return [_mistyped(value, "blob")]
        size = value.size if isinstance(value, Body) else len(value)
        return [Problem("", "", constraint, True) for constraint in _length_constraints(size, low, high)]

    return check_blob


def _length_constraints(length: int, low: float, high: float) -> Iterator[str]:
    if length > high:
        yield f"Member must have length less than or equal to {high}"
    if length < low:
        yield f"Member must have length greater than or equal to {low}"


def _pattern_constraint(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {pattern}"


def _enum_constraint(shape: Mapping[str, Any]) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"


@cache
def _constraints(service: str, name: str) -> str:
    """All constraints of a scalar, as AWS lists them when the item of a list or map fails; "" for other shapes."""
    shape = description(service)["shapes"][name]
    kind = shape["type"]
    if kind in ("structure", "list", "map"):
        return ""
    if "enum" in shape:
        return _enum_constraint(shape)
    what = "value" if kind in ("integer", "long", "float", "double") else "length"
    found = [f"Member must have {what} less than or equal to {shape['max']}"] if "max" in shape else []
    found += [f"Member must have {what} greater than or equal to {shape['min']}"] if "min" in shape else []
    found += [_pattern_constraint(shape["pattern"])] if "pattern" in shape else []
    return ", ".join(found or (_type_constraint(kind), _NOT_NULL))


def _type_constraint(kind: str) -> str:
    return f"Member must be of type {kind}"


def _mistyped(value: Any, kind: str) -> Problem:
    # What stands in the wrong place may be a secret: only its type is told.
    return Problem("", type(value).__name__, _type_constraint(kind))


def _problem(service: str, name: str, value: Any, constraint: str) -> Problem:
    """A problem of a whole list or map."""
    return Problem("", _echo(_shown(service, name, value)), constraint)


def _shown(service: str, name: str, value: Any) -> str:
    """A value as Java prints it: `[a, b]`, `{k=v}`, `Tag(key=a)`; secrets are left out."""
    shape = description(service)["shapes"][name]
    if shape.get("sensitive"):
        return "***"
    if isinstance(value, Mapping) and shape["type"] == "structure":
        members = shape["members"]
        shown = (
            f"{_camel(key)}={_shown(service, members[key]['shape'], item)}"
            for key, item in value.items()
            if key in members
        )
        return f"{name}({', '.join(shown)})"
    if isinstance(value, Mapping) and shape["type"] == "map":
        kind = shape["value"]["shape"]
        return "{" + ", ".join(f"{key}={_shown(service, kind, item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)) and shape["type"] == "list":
        return "[" + ", ".join(_shown(service, shape["member"]["shape"], item) for item in value) + "]"
    return str(value)


def _echo(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "..."


def _camel(name: str) -> str:
    """`TrainingJobName` -> `trainingJobName`."""
    return name[:1].lower() + name[1:]

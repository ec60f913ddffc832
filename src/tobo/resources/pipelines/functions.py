"""The functions of definitions: {"Get": ...}, {"Std:Join": ...} and {"Std:JsonGet": ...}; their form, what they refer to."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

NAMES = ("Get", "Std:Join", "Std:JsonGet")

_PART = re.compile(r"\.?([A-Za-z0-9_\-]+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")


def function_of(value: Any) -> str:
    """Which function a value is a call of; "" for any other value."""
    if isinstance(value, Mapping) and len(value) == 1:
        name = str(next(iter(value)))
        if name in NAMES or name.startswith("Std:"):
            return name
    return ""


def gets_in(value: Any) -> Iterator[str]:
    """Every path that a Get in a value names."""
    if function_of(value) == "Get":
        yield str(value["Get"])
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from gets_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from gets_in(inner)


def functions_in(value: Any) -> Iterator[tuple[str, Any]]:
    """(name, argument) of every function that is called in a value."""
    if name := function_of(value):
        yield name, value[name]
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from functions_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from functions_in(inner)


def split_path(path: str) -> list[str | int]:
    """`Steps.Clean.Outputs['train'].S3Uri` -> ["Steps", "Clean", "Outputs", "train", "S3Uri"]; [0] gives the number 0.

    Raises ValueError where it is no path.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(path):
        found = _PART.match(path, at)
        if found is None or (at > 0 and path[at] not in ".["):
            raise ValueError(f"'{path}' is no path; write a.b[0] or a.b['name']")
        word, single, double, number = found.groups()
        parts.append(int(number) if number is not None else next(p for p in (word, single, double) if p is not None))
        at = found.end()
    if not parts:
        raise ValueError("a path is empty")
    return parts


def follow_path(value: Any, parts: list[str | int]) -> Any:
    """What lies at a path in JSON; in a list of structures a name finds the one that is called so.

    Raises LookupError with the part that is not there.
    """
    for part in parts:
        indexed = isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)
        if indexed or (isinstance(value, Mapping) and part in value):
            value = value[part]
        elif isinstance(value, list | tuple) and (named := [one for one in value if _is_called(one, part)]):
            value = named[0]
        else:
            raise LookupError(f"there is no '{part}'")
    return value


def _is_called(one: Any, name: str | int) -> bool:
    """OutputName, InputName, MetricName, ChannelName: the members whose values SDKs use as keys."""
    return isinstance(one, Mapping) and any(
        one.get(member) == name for member in ("OutputName", "InputName", "MetricName", "ChannelName", "Name")
    )

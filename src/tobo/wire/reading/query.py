"""Forms of the query protocol: `Tags.member.1.Key=a` is a path through the shape."""

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from tobo.wire.models import wire_name
from tobo.wire.reading.malformed import Malformed
from tobo.wire.reading.scalars import read_text
from tobo.wire.request import Request
from tobo.wire.routing import Target

_Node = dict[str, Any]
"""Path parts -> nodes; the text of a node itself is under the empty part."""


def read_request(operation: OperationModel, target: Target, request: Request) -> dict[str, Any]:
    """The members in the form, or in the URL's query where a GET carries them."""
    shape = operation.input_shape
    if shape is None:
        return {}
    fields = request.parameters if "Action" in request.parameters else request.form
    found: dict[str, Any] = _structure(shape, _grow(fields))
    return found


def _grow(fields: Mapping[str, list[str]]) -> _Node:
    root: _Node = {}
    for path, texts in fields.items():
        node = root
        for part in path.split("."):
            node = node.setdefault(part or "-", {})
        node[""] = texts[-1]
    return root


def _read(shape: Shape, node: _Node) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, node)
    if isinstance(shape, ListShape):
        return _list(shape, node)
    if isinstance(shape, MapShape):
        return _map(shape, node)
    if "" not in node:
        raise Malformed(f"A {shape.type_name} was sent as a structure.")
    return read_text(shape, node[""])


def _structure(shape: StructureShape, node: _Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wanted = wire_name(member, name)
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            wanted = wire_name(member.member, wanted)
        if wanted in node:
            try:
                found[name] = _read(member, node[wanted])
            except Malformed as error:
                error.path.append(name)
                raise
    return found


def _list(shape: ListShape, node: _Node) -> list[Any]:
    entries = node if shape.serialization.get("flattened") else node.get(wire_name(shape.member, "member"), {})
    return [_read(shape.member, entries[index]) for index in _indices(entries)]


def _map(shape: MapShape, node: _Node) -> dict[str, Any]:
    entries = node if shape.serialization.get("flattened") else node.get("entry", {})
    key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
    found: dict[str, Any] = {}
    for index in _indices(entries):
        entry = entries[index]
        if "" not in entry.get(key_name, {}) or value_name not in entry:
            raise Malformed(f"Entry {index} of a map lacks its {key_name} or {value_name}.")
        found[entry[key_name][""]] = _read(shape.value, entry[value_name])
    return found


def _indices(entries: _Node) -> list[str]:
    """The entries' numbers in order; the empty part (`Tags=`) is an empty list."""
    indices = [part for part in entries if part]
    if not all(part.isdecimal() and part.isascii() and len(part) < 10 for part in indices):
        raise Malformed("The entries of a list are not numbered 1, 2, 3.")
    return sorted(indices, key=int)

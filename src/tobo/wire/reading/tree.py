"""JSON and CBOR bodies: both decode to a tree of dicts, lists and scalars, which is walked beside the shape."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import cbor2
import orjson
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from tobo.wire.models import wire_name
from tobo.wire.reading.malformed import Malformed
from tobo.wire.reading.scalars import blob, moment, real, whole
from tobo.wire.request import Request
from tobo.wire.routing import Target

_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "number", float: "number", list: "list", dict: "map"}


def read_json_request(operation: OperationModel, target: Target, request: Request) -> dict[str, Any]:
    """The body of a json-1.0 or json-1.1 request."""
    return _members(operation.input_shape, json_body(request.document))


def read_cbor_request(operation: OperationModel, target: Target, request: Request) -> dict[str, Any]:
    """The body of a smithy-rpc-v2-cbor request."""
    data = request.document
    try:
        body = cbor2.loads(data) if data else {}
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError) as error:
        raise Malformed(f"The body is not CBOR: {error}.") from None
    return _members(operation.input_shape, body)


def json_body(data: bytes) -> Any:
    """JSON -> tree; no bytes at all are an empty object. Raises Malformed where it is no JSON."""
    if not data:
        return {}
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def _members(shape: Shape | None, body: Any) -> dict[str, Any]:
    if shape is None:
        return {}
    found: dict[str, Any] = read_tree(shape, body)
    return found


def read_tree(shape: Shape, value: Any) -> Any:
    """The value that the tree has for `shape`; raises Malformed where it is of another type."""
    return _WALKERS[shape.type_name](shape, value)


def _structure(shape: Shape, value: Any) -> Any:
    assert isinstance(shape, StructureShape)
    if type(value) is not dict:
        raise _mismatch("structure", value)
    if shape.is_document_type:
        return value
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        given = value.get(wire_name(member, name))
        if given is not None:
            try:
                found[name] = _WALKERS[member.type_name](member, given)
            except Malformed as error:
                error.path.append(name)
                raise
    return found


def _list(shape: Shape, value: Any) -> list[Any]:
    assert isinstance(shape, ListShape)
    if type(value) is not list:
        raise _mismatch("list", value)
    member = shape.member
    walk = _WALKERS[member.type_name]
    # A null inside a list is kept: the check names its place.
    return [None if item is None else walk(member, item) for item in value]


def _map(shape: Shape, value: Any) -> dict[str, Any]:
    assert isinstance(shape, MapShape)
    if type(value) is not dict:
        raise _mismatch("map", value)
    member = shape.value
    walk = _WALKERS[member.type_name]
    return {_string(shape.key, key): None if item is None else walk(member, item) for key, item in value.items()}


def _string(shape: Shape, value: Any) -> str:
    if type(value) is not str:
        raise _mismatch("string", value)
    return value


def _boolean(shape: Shape, value: Any) -> bool:
    if type(value) is not bool:
        raise _mismatch("boolean", value)
    return value


def _whole(shape: Shape, value: Any) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise _mismatch(shape.type_name, value)
    return whole(shape.type_name, value)


def _real(shape: Shape, value: Any) -> float:
    if type(value) is str and value in ("NaN", "Infinity", "-Infinity"):
        return real(value)
    if type(value) not in (int, float):
        raise _mismatch(shape.type_name, value)
    try:
        return float(value)
    except OverflowError:
        raise Malformed(f"A number is out of the range of {shape.type_name}.") from None


def _blob(shape: Shape, value: Any) -> bytes:
    if type(value) is bytes:
        return value
    return blob(_string(shape, value))


def _timestamp(shape: Shape, value: Any) -> datetime:
    return moment(value)


def _mismatch(expected: str, value: Any) -> Malformed:
    return Malformed(f"A {_TYPES.get(type(value), 'value of another type')} can not be converted to {expected}.")


_WALKERS: Mapping[str, Callable[[Shape, Any], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "boolean": _boolean,
    "integer": _whole,
    "long": _whole,
    "float": _real,
    "double": _real,
    "blob": _blob,
    "timestamp": _timestamp,
}

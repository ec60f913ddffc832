"""Values -> the trees of dicts, lists and scalars that JSON and CBOR encode."""

import base64
import math
from collections.abc import Callable
from typing import Any

import cbor2
import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from tobo.wire.models import wire_name
from tobo.wire.timestamps import epoch_seconds, write_timestamp

_Leaf = Callable[[Shape, Any], Any]


def json_bytes(shape: Shape, value: Any) -> bytes:
    """`value` of `shape` as a JSON document."""
    return orjson.dumps(json_tree(shape, value))


def cbor_bytes(shape: Shape, value: Any) -> bytes:
    """`value` of `shape` as one CBOR item."""
    return cbor2.dumps(cbor_tree(shape, value))


def json_tree(shape: Shape, value: Any) -> Any:
    """`value` of `shape` as a tree that orjson encodes."""
    return _tree(shape, value, _json_leaf)


def cbor_tree(shape: Shape, value: Any) -> Any:
    """`value` of `shape` as a tree that cbor2 encodes."""
    return _tree(shape, value, _cbor_leaf)


def _tree(shape: Shape, value: Any, leaf: _Leaf) -> Any:
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return value
        members = shape.members
        found: dict[str, Any] = {}
        for name, given in value.items():
            member = members.get(name)
            if member is not None and given is not None and "location" not in member.serialization:
                found[wire_name(member, name)] = _tree(member, given, leaf)
        return found
    if isinstance(shape, ListShape):
        member = shape.member
        return [_tree(member, item, leaf) for item in value if item is not None]
    if isinstance(shape, MapShape):
        member = shape.value
        return {str(key): _tree(member, item, leaf) for key, item in value.items() if item is not None}
    return leaf(shape, value)


def _json_leaf(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", "unixtimestamp")
        return epoch_seconds(value) if form == "unixtimestamp" else write_timestamp(value, form)
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in ("float", "double") and not math.isfinite(value):
        return special_number(value)
    return value


def _cbor_leaf(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "timestamp":
        return cbor2.CBORTag(1, epoch_seconds(value))
    if kind in ("float", "double"):
        return float(value)
    return value


def special_number(value: float) -> str:
    """NaN, Infinity and -Infinity as Smithy's text protocols spell them."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"

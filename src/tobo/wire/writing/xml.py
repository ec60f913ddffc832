"""Values -> XML elements, for the rest-xml and query protocols."""

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tobo.wire.models import wire_name
from tobo.wire.timestamps import write_timestamp
from tobo.wire.writing.tree import special_number

_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def escape(text: str) -> str:
    """Text that may stand in an element or attribute; what XML 1.0 cannot hold at all becomes U+FFFD."""
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], "\ufffd"), text)


def element(name: str, text: str) -> str:
    """An element with nothing but text."""
    return f"<{name}>{escape(text)}</{name}>"


def members(shape: StructureShape, value: Mapping[str, Any]) -> str:
    """The child elements of a structure, in the model's order."""
    parts: list[str] = []
    for name, member in shape.members.items():
        given = value.get(name)
        if given is None or "location" in member.serialization or member.serialization.get("xmlAttribute"):
            continue
        parts.append(write_member(member, name, given))
    return "".join(parts)


def write_member(shape: Shape, name: str, value: Any) -> str:
    """The element or, for flattened lists and maps, the elements of a structure's member."""
    wire = wire_name(shape, name)
    if shape.serialization.get("flattened"):
        if isinstance(shape, ListShape):
            # A flattened list's elements may be named after its member shape; parsers look there first.
            item_name = wire_name(shape.member, wire)
            return "".join(write_element(shape.member, item_name, item) for item in value if item is not None)
        if isinstance(shape, MapShape):
            return "".join(f"<{wire}>{entry}</{wire}>" for entry in _entries(shape, value))
    return write_element(shape, wire, value)


def write_element(shape: Shape, name: str, value: Any) -> str:
    """One element called `name` with the value of `shape`."""
    if isinstance(shape, StructureShape):
        return f"<{name}{_attributes(shape, value)}>{members(shape, value)}</{name}>"
    if isinstance(shape, ListShape):
        item_name = wire_name(shape.member, "member")
        items = "".join(write_element(shape.member, item_name, item) for item in value if item is not None)
        return f"<{name}>{items}</{name}>"
    if isinstance(shape, MapShape):
        entries = "".join(f"<entry>{entry}</entry>" for entry in _entries(shape, value))
        return f"<{name}>{entries}</{name}>"
    return element(name, scalar_text(shape, value, "iso8601"))


def _entries(shape: MapShape, value: Mapping[str, Any]) -> list[str]:
    key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
    return [
        element(key_name, str(key)) + write_element(shape.value, value_name, item)
        for key, item in value.items()
        if item is not None
    ]


def _attributes(shape: StructureShape, value: Mapping[str, Any]) -> str:
    """The attributes of a structure's element, with the namespace of their prefix (xsi:type of S3's Grantee)."""
    parts: list[str] = []
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute") and value.get(name) is not None:
            parts.append(f' {wire_name(member, name)}="{escape(str(value[name]))}"')
    namespace = shape.serialization.get("xmlNamespace")
    if parts and isinstance(namespace, Mapping) and namespace.get("prefix"):
        parts.insert(0, f' xmlns:{namespace["prefix"]}="{escape(namespace["uri"])}"')
    return "".join(parts)


def scalar_text(shape: Shape, value: Any, time_form: str) -> str:
    """A scalar as text; `time_form` is the place's timestamp format where the shape has none of its own."""
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return write_timestamp(value, shape.serialization.get("timestampFormat", time_form))
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in ("float", "double") and not math.isfinite(value):
        return special_number(value)
    return str(value)

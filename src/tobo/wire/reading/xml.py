"""XML bodies of the rest-xml protocol. Namespaces and the root's name are not looked at; DOCTYPEs are refused."""

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tobo.wire.models import wire_name
from tobo.wire.reading.malformed import Malformed
from tobo.wire.reading.scalars import read_text


def xml_body(data: bytes) -> ElementTree.Element:
    """The root element of a document in UTF-8; raises Malformed where it is no XML or declares entities."""
    # Expat detects UTF-16 by itself, whatever encoding it is told; there a DOCTYPE would not be seen by looking for it.
    if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Malformed("The XML is not in UTF-8.")
    if b"<!DOCTYPE" in data:
        raise Malformed("The XML has a DOCTYPE; none is accepted.")
    try:
        return ElementTree.fromstring(data, ElementTree.XMLParser(encoding="utf-8"))
    except ElementTree.ParseError as error:
        raise Malformed(f"The XML you provided was not well-formed: {error}.") from None


def read_element(shape: Shape, node: ElementTree.Element) -> Any:
    """The value that an element has for `shape`; raises Malformed where its text is not of the type."""
    if isinstance(shape, StructureShape):
        return _structure(shape, node)
    if isinstance(shape, ListShape):
        name = wire_name(shape.member, "member")
        return [read_element(shape.member, child) for child in node if _name(child) == name]
    if isinstance(shape, MapShape):
        return _map(shape, (child for child in node if _name(child) == "entry"))
    if len(node):
        raise Malformed(f"<{_name(node)}> holds elements where a {shape.type_name} is expected.")
    return read_text(shape, node.text or "")


def _structure(shape: StructureShape, node: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        children.setdefault(_name(child), []).append(child)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        wanted = wire_name(member, name)
        if member.serialization.get("xmlAttribute"):
            # xsi:type arrives as {http://www.w3.org/2001/XMLSchema-instance}type.
            for key, text in node.attrib.items():
                if key.rsplit("}", 1)[-1] == wanted.rsplit(":", 1)[-1]:
                    found[name] = text
        elif wanted in children:
            try:
                found[name] = _member(member, children[wanted])
            except Malformed as error:
                error.path.append(name)
                raise
    return found


def _member(shape: Shape, nodes: list[ElementTree.Element]) -> Any:
    """A member's value from all elements of its name; a flattened list or map has one for each entry."""
    if shape.serialization.get("flattened"):
        if isinstance(shape, ListShape):
            return [read_element(shape.member, node) for node in nodes]
        if isinstance(shape, MapShape):
            return _map(shape, nodes)
    return read_element(shape, nodes[-1])


def _map(shape: MapShape, entries: Iterable[ElementTree.Element]) -> dict[str, Any]:
    key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
    found: dict[str, Any] = {}
    for entry in entries:
        parts = {_name(child): child for child in entry}
        if key_name not in parts or value_name not in parts:
            raise Malformed(f"<{_name(entry)}> lacks <{key_name}> or <{value_name}>.")
        found[parts[key_name].text or ""] = read_element(shape.value, parts[value_name])
    return found


def _name(node: ElementTree.Element) -> str:
    return node.tag.rsplit("}", 1)[-1]

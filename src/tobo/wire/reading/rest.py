"""REST requests: labels, query, headers and the body, each with the members that the model places there."""

from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from tobo.kit.fault import Fault
from tobo.wire.layout import Layout, layout_of
from tobo.wire.reading.malformed import Malformed
from tobo.wire.reading.scalars import read_text
from tobo.wire.reading.tree import json_body, read_tree
from tobo.wire.reading.xml import read_element, xml_body
from tobo.wire.request import Request
from tobo.wire.routing import Target


def read_request(operation: OperationModel, target: Target, request: Request) -> dict[str, Any]:
    """The members of a rest-json or rest-xml request."""
    shape = operation.input_shape
    if shape is None:
        return {}
    layout = layout_of(shape)
    try:
        found = _read_places(layout, target, request)
    except Malformed as error:
        if target.protocol != "rest-xml":
            raise
        raise Fault("InvalidArgument", str(error)) from None  # S3 says MalformedXML of bodies only
    if layout.payload is not None:
        name, member = layout.payload
        _read_payload(name, member, target, request, found)
    elif layout.body and request.body.size:
        found.update(_read_body(shape, target, request.document))
    return found


def _read_places(layout: Layout, target: Target, request: Request) -> dict[str, Any]:
    """The members in labels, query and headers."""
    found: dict[str, Any] = {}
    name = ""
    try:
        for name, member, wire in layout.uri:
            found[name] = read_text(member, target.labels[wire])
        if request.query:
            parameters = request.parameters
            for name, member, wire in layout.querystring:
                if wire in parameters:
                    found[name] = _read_parameter(member, parameters[wire])
        headers = request.headers
        for name, member, wire in layout.header:
            if wire in headers:
                found[name] = _read_header(member, headers[wire])
    except Malformed as error:
        error.path.append(name)
        raise
    for name, _, prefix in layout.headers:
        entries = {key[len(prefix) :]: text for key, text in headers.items() if key.startswith(prefix)}
        if entries:
            found[name] = entries
    return found


def _read_parameter(shape: Shape, texts: list[str]) -> Any:
    if isinstance(shape, ListShape):
        return [read_text(shape.member, text) for text in texts]
    return read_text(shape, texts[0])


def _read_header(shape: Shape, text: str) -> Any:
    if isinstance(shape, ListShape):
        return [read_text(shape.member, item) for item in split_header(text)]
    return read_text(shape, text)


def split_header(text: str) -> list[str]:
    r"""A header's list: commas part items, `"a,b"` is one item, `\"` is a quote in it (Smithy, "httpHeader trait")."""
    items: list[str] = []
    item, quoted, escaped = "", False, False
    for letter in text:
        if escaped:
            item, escaped = item + letter, False
        elif quoted and letter == "\\":
            escaped = True
        elif letter == '"' and (quoted or not item.strip()):
            quoted = not quoted
        elif letter == "," and not quoted:
            items.append(item.strip())
            item = ""
        else:
            item += letter
    return [*items, item.strip()]


def _read_payload(name: str, member: Shape, target: Target, request: Request, found: dict[str, Any]) -> None:
    if member.type_name == "blob":
        found[name] = request.body
    elif not request.body.size:
        return
    elif member.type_name == "string":
        try:
            found[name] = request.document.decode()
        except UnicodeDecodeError:
            raise Malformed("The body is not UTF-8.") from None
    else:
        found[name] = _read_body(member, target, request.document)


def _read_body(shape: Shape, target: Target, data: bytes) -> Any:
    if target.protocol == "rest-xml":
        return read_element(shape, xml_body(data))
    found = read_tree(shape, json_body(data))
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            # A body may not speak for a label, header or query key: {"EndpointName": ...} would overrule the path.
            if "location" in member.serialization:
                found.pop(name, None)
    return found

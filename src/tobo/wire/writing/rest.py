"""Answers of rest-json and rest-xml: members go to headers, the payload or the body, as the model places them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from tobo.wire import eventstream
from tobo.wire.body import FileBody
from tobo.wire.layout import layout_of
from tobo.wire.models import wire_name
from tobo.wire.response import Response
from tobo.wire.routing import Protocol, Target
from tobo.wire.writing import xml
from tobo.wire.writing.tree import json_bytes

S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_ROOTS: Mapping[str, str] = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""Names of root elements (S3 API Reference, each operation's response syntax); the model has lost them."""


def write_response(operation: OperationModel, target: Target, result: Mapping[str, Any], request_id: str) -> Response:
    """A rest-json or rest-xml answer."""
    headers = request_id_headers(target.protocol, request_id)
    status = int(operation.http.get("responseCode", 200))
    shape = operation.output_shape
    if shape is None:
        return _finish(operation, status, headers, b"")
    headers += member_headers(shape, result)
    if any(name == "content-range" for name, _ in headers):
        status = 206  # RFC 9110, 15.3.7
    body, content_type = _body(operation, shape, target, result)
    if content_type and not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", content_type))
    return _finish(operation, status, headers, body)


def request_id_headers(protocol: Protocol, request_id: str) -> list[tuple[str, str]]:
    """S3 has names of its own for the request's id."""
    if protocol == "rest-xml":
        return [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]
    return [("x-amzn-requestid", request_id)]


def member_headers(shape: StructureShape, result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers that `result` has members for."""
    layout = layout_of(shape)
    found: list[tuple[str, str]] = []
    for name, member, wire in layout.header:
        value = result.get(name)
        if value is not None:
            found.append((wire, header_text(member, value)))
    for name, member, prefix in layout.headers:
        assert member.type_name == "map"
        found += [(prefix + key, _printable(str(text))) for key, text in (result.get(name) or {}).items()]
    return found


def header_text(shape: Shape, value: Any) -> str:
    """A header's value; items of lists are quoted where they hold a comma or a quote."""
    if isinstance(shape, ListShape):
        return ",".join(_quoted(header_text(shape.member, item)) for item in value if item is not None)
    return _printable(xml.scalar_text(shape, value, "rfc822"))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"' if '"' in text or "," in text else text


def _printable(text: str) -> str:
    """A value that one header line can hold: a line break in it would let its author write headers of his own."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    try:
        text.encode("latin-1")
        return text
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode("latin-1")


_Content = bytes | FileBody | AsyncIterator[bytes]


def _body(
    operation: OperationModel, shape: StructureShape, target: Target, result: Mapping[str, Any]
) -> tuple[_Content, str]:
    """(body, its content type, "" where it has none)."""
    in_json = target.protocol == "rest-json"
    encode, content_type = (json_bytes, "application/json") if in_json else (_document, "application/xml")
    layout = layout_of(shape)
    if layout.payload is None:
        if not layout.body:
            return b"", ""
        if in_json:
            return json_bytes(shape, result), content_type
        return _result_document(operation.name, shape, result), content_type
    name, member = layout.payload
    value = result.get(name)
    if value is None:
        return b"", ""
    if member.serialization.get("eventstream"):
        return eventstream.stream(member, value, encode, content_type), eventstream.CONTENT_TYPE
    if isinstance(member, StructureShape):
        return encode(member, value), content_type
    if isinstance(value, str):
        return value.encode(), "text/plain"
    return value, "application/octet-stream"


def _document(shape: Shape, value: Any) -> bytes:
    """One structure as an XML document of its own."""
    assert isinstance(shape, StructureShape)
    return _xml(wire_name(shape, shape.name), xml.members(shape, value))


def _result_document(operation: str, shape: StructureShape, result: Mapping[str, Any]) -> bytes:
    """An output without payload member. GetBucketLocation's root is its only member."""
    if operation == "GetBucketLocation":
        return _xml("LocationConstraint", xml.escape(str(result.get("LocationConstraint") or "")))
    return _xml(_ROOTS.get(operation, shape.name), xml.members(shape, result))


def _xml(root: str, inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{S3_NAMESPACE}">{inner}</{root}>'.encode()


def _finish(operation: OperationModel, status: int, headers: list[tuple[str, str]], body: _Content) -> Response:
    """Sets Content-Length to what will be sent. HEAD keeps the length that the result names, and has no body."""
    if operation.http["method"] == "HEAD":
        return Response(status, headers, b"")
    length = body.length if isinstance(body, FileBody) else len(body) if isinstance(body, bytes) else None
    if length is not None:
        headers = [header for header in headers if header[0] != "content-length"]
        if status != 204:
            headers.append(("content-length", str(length)))
    return Response(status, headers, body)

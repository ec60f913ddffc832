"""Answers of the protocols that put everything into the body: JSON 1.0 and 1.1, CBOR, query."""

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from tobo.wire import eventstream
from tobo.wire.response import Response
from tobo.wire.routing import Target
from tobo.wire.writing import xml
from tobo.wire.writing.tree import cbor_bytes, json_bytes


def write_json(operation: OperationModel, target: Target, result: Mapping[str, Any], request_id: str) -> Response:
    """A json-1.0 or json-1.1 answer; an operation without output has an empty body."""
    headers = [("content-type", f"application/x-amz-{target.protocol}"), ("x-amzn-requestid", request_id)]
    shape = operation.output_shape
    if shape is None:
        return sized(200, headers, b"")
    if shape.event_stream_name:
        headers[0] = ("content-type", eventstream.CONTENT_TYPE)
        name = shape.event_stream_name
        rest = {key: value for key, value in result.items() if key != name}
        first = eventstream.initial_response(json_bytes(shape, rest), "application/json")
        stream = eventstream.stream(shape.members[name], result[name], json_bytes, "application/json", first)
        return Response(200, headers, stream)
    return sized(200, headers, json_bytes(shape, result))


def write_cbor(operation: OperationModel, target: Target, result: Mapping[str, Any], request_id: str) -> Response:
    """A smithy-rpc-v2-cbor answer."""
    headers = [("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-requestid", request_id)]
    shape = operation.output_shape
    if shape is None:
        return sized(200, headers, b"")
    return sized(200, [("content-type", "application/cbor"), *headers], cbor_bytes(shape, result))


def write_query(operation: OperationModel, target: Target, result: Mapping[str, Any], request_id: str) -> Response:
    """`<XResponse><XResult>...</XResult><ResponseMetadata>...</XResponse>`."""
    shape = operation.output_shape
    inner = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        inner = f"<{wrapper}>{xml.members(shape, result)}</{wrapper}>"
    namespace = xml.escape(operation.service_model.metadata.get("xmlNamespace", ""))
    metadata = f"<ResponseMetadata>{xml.element('RequestId', request_id)}</ResponseMetadata>"
    name = f"{operation.name}Response"
    body = f'<{name} xmlns="{namespace}">{inner}{metadata}</{name}>'
    return sized(200, [("content-type", "text/xml"), ("x-amzn-requestid", request_id)], body.encode())


def sized(status: int, headers: list[tuple[str, str]], body: bytes) -> Response:
    """A response whose body is all there."""
    return Response(status, [*headers, ("content-length", str(len(body)))], body)

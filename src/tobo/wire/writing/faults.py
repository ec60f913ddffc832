"""Faults written as the errors that the request's protocol has for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
import orjson
from botocore.model import Shape, StructureShape

from tobo.kit.fault import Fault
from tobo.wire.models import error_shape, operation_model, service_model
from tobo.wire.response import Response
from tobo.wire.routing import Protocol, Target, Unrouted
from tobo.wire.writing import xml
from tobo.wire.writing.rest import member_headers, request_id_headers
from tobo.wire.writing.rpc import sized
from tobo.wire.writing.tree import cbor_tree, json_tree


@dataclass(frozen=True)
class _Failure:
    """A fault with what the model says about it. `name` is the error's shape, `code` what XML protocols call it."""

    target: Target | None
    protocol: Protocol
    fault: Fault
    request_id: str
    shape: StructureShape | None
    name: str
    code: str
    status: int

    @property
    def side(self) -> str:
        return "Sender" if self.status < 500 else "Receiver"


def write_fault(target: Target | None, fault: Fault, request_id: str) -> Response:
    """The error answer to `target`, or to a request that never got one (`target` is None).

    The status is the modelled one, else `fault.status`. Answers to HEAD and answers of status 304 have no body; the
    members of a 304 are headers (`ETag`, `Last-Modified`).
    """
    failure = _failure(target, fault, request_id)
    bodiless = failure.status == 304 or (target is not None and _is_head(target))
    response = (_bare if bodiless else _WRITERS[failure.protocol])(failure)
    if fault.retry_after is not None:
        response.headers.append(("retry-after", str(fault.retry_after)))
    return response


def _failure(target: Target | None, fault: Fault, request_id: str) -> _Failure:
    protocol: Protocol = "rest-json"
    shape = None
    if target is not None:
        protocol = target.protocol
        shape = error_shape(target.service, fault.code)
    elif isinstance(fault, Unrouted):
        protocol = fault.protocol
    if shape is None:
        return _Failure(target, protocol, fault, request_id, None, fault.code, fault.code, fault.status)
    modelled: Mapping[str, Any] = shape.metadata.get("error", {})
    status = int(modelled.get("httpStatusCode", fault.status))
    return _Failure(target, protocol, fault, request_id, shape, shape.name, modelled.get("code", shape.name), status)


def _is_head(target: Target) -> bool:
    return bool(operation_model(target.service, target.operation).http["method"] == "HEAD")


def _bare(failure: _Failure) -> Response:
    headers = request_id_headers(failure.protocol, failure.request_id)
    if failure.status == 304:
        headers += [(name.lower(), str(value)) for name, value in failure.fault.members.items()]
    return Response(failure.status, headers, b"")


def _tree(failure: _Failure, encode: Callable[[Shape, Any], Any]) -> dict[str, Any]:
    """The error's members, its message under the name that the model has for it."""
    found: dict[str, Any] = {"__type": failure.name}
    message = "message"
    if failure.shape is not None:
        found.update(encode(failure.shape, failure.fault.members))
        message = next((name for name in failure.shape.members if name.lower() == "message"), message)
    found.setdefault(message, failure.fault.message)
    return found


def _query_error(failure: _Failure) -> list[tuple[str, str]]:
    """The header by which clients of a service that once spoke query find the old code."""
    if failure.target is None or not service_model(failure.target.service).is_query_compatible:
        return []
    return [("x-amzn-query-error", f"{failure.code};{failure.side}")]


def _json(failure: _Failure) -> Response:
    headers = [
        ("content-type", f"application/x-amz-{failure.protocol}"),
        ("x-amzn-requestid", failure.request_id),
        ("x-amzn-errortype", failure.name),
        *_query_error(failure),
    ]
    return sized(failure.status, headers, orjson.dumps(_tree(failure, json_tree)))


def _rest_json(failure: _Failure) -> Response:
    headers = [
        ("content-type", "application/json"),
        ("x-amzn-requestid", failure.request_id),
        ("x-amzn-errortype", failure.name),
    ]
    if failure.shape is not None:
        headers += member_headers(failure.shape, failure.fault.members)
    return sized(failure.status, headers, orjson.dumps(_tree(failure, json_tree)))


def _cbor(failure: _Failure) -> Response:
    headers = [
        ("content-type", "application/cbor"),
        ("smithy-protocol", "rpc-v2-cbor"),
        ("x-amzn-requestid", failure.request_id),
        *_query_error(failure),
    ]
    return sized(failure.status, headers, cbor2.dumps(_tree(failure, cbor_tree)))


def _elements(failure: _Failure) -> str:
    """Code, message and further members; the message is always called Message here."""
    parts = [xml.element("Code", failure.code), xml.element("Message", failure.fault.message)]
    modelled = failure.shape.members if failure.shape is not None else {}
    for name, value in failure.fault.members.items():
        if name in modelled:
            parts.append(xml.write_member(modelled[name], name, value))
        else:
            parts.append(xml.element(name, str(value)))
    return "".join(parts)


def _query(failure: _Failure) -> Response:
    namespace = ""
    if failure.target is not None:
        namespace = service_model(failure.target.service).metadata.get("xmlNamespace", "")
    body = (
        f'<ErrorResponse xmlns="{xml.escape(namespace)}"><Error>{xml.element("Type", failure.side)}{_elements(failure)}'
        f"</Error>{xml.element('RequestId', failure.request_id)}</ErrorResponse>"
    )
    headers = [("content-type", "text/xml"), ("x-amzn-requestid", failure.request_id)]
    return sized(failure.status, headers, body.encode())


def _rest_xml(failure: _Failure) -> Response:
    labels = failure.target.labels.values() if failure.target is not None else ()
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{_elements(failure)}'
        f"{xml.element('Resource', '/' + '/'.join(labels))}{xml.element('RequestId', failure.request_id)}</Error>"
    )
    headers = [("content-type", "application/xml"), *request_id_headers(failure.protocol, failure.request_id)]
    return sized(failure.status, headers, body.encode())


_WRITERS: Mapping[Protocol, Callable[[_Failure], Response]] = {
    "json-1.0": _json,
    "json-1.1": _json,
    "smithy-rpc-v2-cbor": _cbor,
    "query": _query,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
}

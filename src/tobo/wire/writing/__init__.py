"""Results and faults written as the answers that the request's protocol expects."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel

from tobo.wire.models import operation_model
from tobo.wire.response import Response
from tobo.wire.routing import Protocol, Target
from tobo.wire.writing import rest, rpc
from tobo.wire.writing.faults import write_fault

__all__ = ["write", "write_fault"]

_Writer = Callable[[OperationModel, Target, Mapping[str, Any], str], Response]

_WRITERS: Mapping[Protocol, _Writer] = {
    "json-1.0": rpc.write_json,
    "json-1.1": rpc.write_json,
    "smithy-rpc-v2-cbor": rpc.write_cbor,
    "query": rpc.write_query,
    "rest-json": rest.write_response,
    "rest-xml": rest.write_response,
}


def write(target: Target, result: Mapping[str, Any], request_id: str) -> Response:
    """The answer to `target`, from member names to bytes.

    Times may be datetimes, epoch seconds or ISO texts; None and members that the output shape does not have are left
    out. A blob payload may be bytes, a FileBody or an AsyncIterator of bytes; an event stream is an iterable, async or
    not, of `{event: members}`. A result with ContentRange answers 206.
    """
    return _WRITERS[target.protocol](operation_model(target.service, target.operation), target, result, request_id)

"""Requests read into AWS's words: the dict that botocore's serializer was given."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel

from tobo.kit.fault import Fault
from tobo.wire.models import operation_model
from tobo.wire.reading import query, rest, tree
from tobo.wire.reading.malformed import Malformed, malformed_code
from tobo.wire.request import Request
from tobo.wire.routing import Protocol, Target

_Reader = Callable[[OperationModel, Target, Request], dict[str, Any]]

_READERS: Mapping[Protocol, _Reader] = {
    "json-1.0": tree.read_json_request,
    "json-1.1": tree.read_json_request,
    "smithy-rpc-v2-cbor": tree.read_cbor_request,
    "query": query.read_request,
    "rest-json": rest.read_request,
    "rest-xml": rest.read_request,
}


def read(target: Target, request: Request) -> dict[str, Any]:
    """What is asked, by the model's member names: times are aware datetimes (UTC), blobs bytes, a blob payload the
    request's Body.

    Members that the model does not know and members that are null are left out. Constraints are `tobo.wire.checking`'s.
    Raises Fault (SerializationException, MalformedXML, MalformedQueryString) where the bytes cannot be read.
    """
    operation = operation_model(target.service, target.operation)
    try:
        return _READERS[target.protocol](operation, target, request)
    except Malformed as error:
        raise Fault(malformed_code(target.protocol), str(error)) from None
    except RecursionError:
        raise Fault(malformed_code(target.protocol), "The body is nested too deeply.") from None

"""Requests as botocore writes them, for the services and protocols that are spoken here."""

from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.model import OperationModel
from botocore.serialize import create_serializer

from tobo.wire.body import Body
from tobo.wire.request import Request
from tobo.wire.routing import Protocol

SPOKEN: dict[str, tuple[str, tuple[Protocol, ...]]] = {
    "sagemaker": ("sagemaker", ("json-1.1",)),
    "sagemaker-runtime": ("sagemaker", ("rest-json",)),
    "sagemaker-metrics": ("sagemaker", ("rest-json",)),
    "sagemaker-edge": ("sagemaker", ("rest-json",)),
    "sagemaker-a2i-runtime": ("sagemaker", ("rest-json",)),
    "s3": ("s3", ("rest-xml",)),
    "sts": ("sts", ("query",)),
    "iam": ("iam", ("query",)),
    "logs": ("logs", ("json-1.1",)),
    "cloudwatch": ("monitoring", ("query", "json-1.0", "smithy-rpc-v2-cbor")),
    "application-autoscaling": ("application-autoscaling", ("json-1.1",)),
}
"""Service -> (what its requests are signed for, the protocols that its clients speak)."""


def botocore_name(protocol: Protocol) -> str:
    """botocore has one serializer and one parser for both versions of JSON."""
    return "json" if protocol.startswith("json") else protocol


def serialized(operation: OperationModel, protocol: Protocol, asked: dict[str, Any]) -> Request:
    """The request that botocore sends."""
    serializer = create_serializer(botocore_name(protocol), include_validation=False)
    parts = serializer.serialize_to_request(asked, operation)
    prepare_request_dict(parts, endpoint_url="http://localhost:8626", context={})
    prepared = create_request_object(parts).prepare()
    url = urlsplit(prepared.url)
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    headers = {
        key.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for key, value in prepared.headers.items()
    }
    return Request(prepared.method, url.path, url.query, headers, Body(len(body), bytes(body)))

"""botocore is the oracle: what its serializer writes we read back equal, what we write its parser reads back equal."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream
from botocore.handlers import parse_get_bucket_location
from botocore.model import OperationModel, StructureShape
from botocore.parsers import create_parser
from wire_examples import example
from wire_requests import SPOKEN, botocore_name, serialized

from tobo.kit.fault import Fault
from tobo.wire.body import Body, FileBody
from tobo.wire.checking import check
from tobo.wire.models import description, operation_model
from tobo.wire.reading import read
from tobo.wire.response import Response
from tobo.wire.routing import Protocol, Target, route
from tobo.wire.writing import write, write_fault

CASES = [
    pytest.param(service, protocol, id=f"{service}-{protocol}")
    for service, (_, protocols) in SPOKEN.items()
    for protocol in protocols
]

MISROUTED = {
    "GetBucketLifecycle": "deprecated: the same request as GetBucketLifecycleConfiguration",
    "GetBucketNotification": "deprecated: the same request as GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "deprecated: the same request as PutBucketLifecycleConfiguration",
    "PutBucketNotification": "deprecated: the same request as PutBucketNotificationConfiguration",
    "ListDirectoryBuckets": "the same request as ListBuckets, at a host of its own",
}
"""S3 operations that cannot be told from another one by the request alone."""

AMBIGUOUS = {"GetBucketNotification": "deprecated: its members Event and Events share the element <Event>"}
"""S3 operations whose answers cannot be read back in full, whoever writes them."""


def test_counts() -> None:
    """What the cases below cover: fewer operations than this means that a model was not found."""
    operations = sum(len(description(service)["operations"]) for service in SPOKEN)
    spoken = sum(len(description(service)["operations"]) * len(protocols) for service, (_, protocols) in SPOKEN.items())
    print(f"{operations} operations, {spoken} with all protocols of CloudWatch, {len(MISROUTED)} exceptions")
    assert operations >= 930
    assert spoken >= 1050


def operations_of(service: str) -> Iterator[OperationModel]:
    for name in description(service)["operations"]:
        yield operation_model(service, name)


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_requests(service: str, protocol: Protocol) -> None:
    """Serialized by botocore, routed, read and checked: the same operation and the same values."""
    failed: dict[str, str] = {}
    for operation in operations_of(service):
        asked = example(operation.input_shape)
        request = serialized(operation, protocol, asked)
        target = route(request, SPOKEN[service][0])
        if (target.service, target.operation, target.protocol) != (service, operation.name, protocol):
            failed[operation.name] = f"routed to {target}"
            continue
        found = read(target, request)
        if plain(found) != asked:
            failed[operation.name] = difference(asked, plain(found))
        check(operation, found)
    assert failed.keys() == (MISROUTED.keys() if service == "s3" else set()), failed


def plain(value: Any) -> Any:
    """With the bytes in place of a Body."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value.read() if isinstance(value, Body) else value


def difference(wanted: Any, found: Any, path: str = "") -> str:
    """The first place where two trees differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in [*wanted, *found]:
            if key not in wanted or key not in found:
                return f"{path}.{key} is only {'wanted' if key in wanted else 'found'}"
            if wanted[key] != found[key]:
                return difference(wanted[key], found[key], f"{path}.{key}")
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            if one != other:
                return difference(one, other, f"{path}[{index}]")
    return f"{path}: wanted {wanted!r}, found {found!r}"


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_responses(service: str, protocol: Protocol) -> None:
    """Written by us, parsed by botocore: the same values."""
    failed: dict[str, str] = {}
    for operation in operations_of(service):
        result = example(operation.output_shape)
        target = Target(service, operation.name, protocol)
        if operation.has_streaming_output and "ContentLength" in result:
            result["ContentLength"] = len(result[operation.output_shape.serialization["payload"]])
        given = result
        if operation.has_event_stream_output:
            streamed = event_stream_member(operation)
            given = {**result, streamed: events_of(result[streamed])}
            result = {**result, streamed: {name: value for event in given[streamed] for name, value in event.items()}}
        response = write(target, {**given, "NoSuchMember": 1, "Absent": None}, "request-1")
        found = parsed(operation, protocol, response)
        metadata = found.pop("ResponseMetadata")
        assert metadata.get("RequestId", metadata["HTTPHeaders"].get("x-amzn-requestid")) == "request-1"
        if found != result:
            failed[operation.name] = difference(result, found)
    assert failed.keys() == (AMBIGUOUS.keys() if service == "s3" else set()), failed


def event_stream_member(operation: OperationModel) -> str:
    shape = operation.output_shape
    return next(name for name, member in shape.members.items() if member.serialization.get("eventstream"))


def events_of(members: dict[str, Any]) -> list[dict[str, Any]]:
    """One event for each member of an event stream; errors among them would end it."""
    return [{name: value} for name, value in members.items() if not name.endswith(("Exception", "Error", "Failure"))]


class Stream:
    """A response's body as botocore's parsers read streams from it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def stream(self) -> list[bytes]:
        return [self.data]

    def close(self) -> None:
        pass


def parsed(operation: OperationModel, protocol: Protocol, response: Response) -> dict[str, Any]:
    """What botocore makes of a response; streams are read to their end."""
    data = body_of(response)
    if response.status != 204 and operation.http["method"] != "HEAD":
        assert dict(response.headers).get("content-length", str(len(data))) == str(len(data))
    shape = operation.output_shape
    streaming = operation.has_streaming_output or operation.has_event_stream_output
    parts = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": Stream(data) if streaming else data,
        "context": {"operation_name": operation.name},
    }
    found: dict[str, Any] = create_parser(botocore_name(protocol)).parse(parts, shape)
    if operation.name == "GetBucketLocation":
        parse_get_bucket_location(found, SimpleNamespace(raw=data, content=data))
    for name, value in found.items():
        if isinstance(value, Stream):
            found[name] = value.data
        elif isinstance(value, EventStream):
            found[name] = {key: members for event in value for key, members in event.items()}
    return found


def body_of(response: Response) -> bytes:
    """All bytes of a response's body."""
    body = response.body
    assert not isinstance(body, FileBody)
    if isinstance(body, bytes):
        return body

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in body])

    return asyncio.run(collect())


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_errors(service: str, protocol: Protocol) -> None:
    """Every modelled error of every operation: code, message, status and the error's own members."""
    failed: dict[str, str] = {}
    for operation in operations_of(service):
        for shape in operation.error_shapes:
            wrong = wrong_error(operation, protocol, shape)
            if wrong:
                failed[f"{operation.name} {shape.name}"] = wrong
    assert not failed


def wrong_error(operation: OperationModel, protocol: Protocol, shape: StructureShape) -> str:
    """What botocore misunderstands of an error of ours, "" where it is nothing."""
    members = {name: value for name, value in example(shape).items() if name.lower() != "message"}
    target = Target(operation.service_model.service_name, operation.name, protocol)
    response = write_fault(target, Fault(shape.name, "It's <bad> & \u20ac.", 418, members), "request-1")
    if response.status != shape.metadata.get("error", {}).get("httpStatusCode", 418):
        return f"status {response.status}"
    parts = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    parser = create_parser(botocore_name(protocol))
    error = parser.parse(parts, operation.output_shape)["Error"]
    if operation.http["method"] == "HEAD":
        return "" if response.body == b"" else "a body in answer to HEAD"
    if (error["Code"], error["Message"]) != (shape.error_code, "It's <bad> & \u20ac."):
        return f"{error}"
    found = {name: value for name, value in parser.parse(parts, shape).items() if name.lower() != "message"}
    return "" if found == members else difference(members, found)

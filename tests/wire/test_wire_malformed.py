"""Bytes that nobody should send: whatever they are, they are refused with a Fault or read; nothing else is raised."""

import gzip
import random
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_examples import example
from wire_requests import SPOKEN, serialized

from tobo.kit.fault import Fault
from tobo.wire.body import Body
from tobo.wire.checking import check
from tobo.wire.models import description, operation_model
from tobo.wire.reading import read
from tobo.wire.request import Request
from tobo.wire.routing import SIGNED, Protocol, Target, Unrouted, route
from tobo.wire.writing import write_fault

JSON = {"content-type": "application/x-amz-json-1.1"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def answer(request: Request, scope: str | None) -> str:
    """The whole way in; what a refusal is written as on the way out. Anything but a Fault fails the test."""
    target: Target | None = None
    try:
        target = route(request, scope)
        check(operation_model(target.service, target.operation), read(target, request))
    except Fault as fault:
        assert fault.status < 500
        response = write_fault(target, fault, "request-1")
        assert 400 <= response.status < 500
        return fault.code
    return ""


TEXTS = st.text(max_size=20) | st.sampled_from(
    ["uploads", "Action=GetRole", "a", "x.1.y", "%", "%ff", "//", "..", "\x00"]
)
SCOPES = st.sampled_from([None, "nothing", *SIGNED])
HEADER_NAMES = st.sampled_from(
    [
        "content-type",
        "x-amz-target",
        "smithy-protocol",
        "x-amz-copy-source",
        "expires",
        "x-amz-meta-a",
        "content-length",
    ]
)
HEADER_VALUES = TEXTS | st.sampled_from(
    ["application/x-www-form-urlencoded", "rpc-v2-cbor", "SageMaker.CreateModel", "Logs_20140328.PutLogEvents"]
)


@settings(max_examples=400, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "X"]),
    path=TEXTS.map("/".__add__),
    query=TEXTS,
    headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=3),
    body=st.binary(max_size=60),
    scope=SCOPES,
)
def test_noise(method: str, path: str, query: str, headers: dict[str, str], body: bytes, scope: str | None) -> None:
    answer(Request(method, path, query, headers, Body(len(body), body)), scope)


@cache
def requests() -> list[tuple[str, Request]]:
    """One whole request for each operation and protocol."""
    found: list[tuple[str, Request]] = []
    for service, (scope, protocols) in SPOKEN.items():
        for protocol in protocols:
            for name in description(service)["operations"]:
                operation = operation_model(service, name)
                found.append((scope, serialized(operation, protocol, example(operation.input_shape))))
    return found


def mangled(request: Request, dice: random.Random) -> Request:
    """The same request with one to three places of its body, query or headers damaged."""
    body = bytearray(request.body.read())
    for _ in range(dice.randint(1, 3)):
        kind = dice.randrange(6)
        if body and kind == 0:
            body[dice.randrange(len(body))] = dice.randrange(256)
        elif body and kind == 1:
            del body[dice.randrange(len(body)) :]
        elif body and kind == 2:
            at = dice.randrange(len(body))
            body[at:at] = dice.choice(
                [b"null", b"{}", b"[]", b"-1e99", b'"', b"<a>", b"&b=", b".1", b"\xff", b"1" * 30]
            )
        elif kind == 3:
            request = replace(
                request, query=request.query + dice.choice(["&max-keys=x", "&=", "&partNumber=9e9", "&%zz"])
            )
        elif kind == 4 and request.headers:
            name = dice.choice(list(request.headers))
            request = replace(
                request, headers={**request.headers, name: dice.choice(["", "\xff", "9" * 40, "true", ","])}
            )
        else:
            cut = dice.randrange(len(request.path)) + 1
            request = replace(request, path=request.path[:cut])
    return replace(request, body=Body(len(body), bytes(body)))


@pytest.mark.parametrize("seed", range(4))
def test_damage(seed: int) -> None:
    dice = random.Random(seed)
    codes = [answer(mangled(request, dice), scope) for scope, request in dice.sample(requests(), 700)]
    assert {"", "SerializationException", "MalformedQueryString", "UnknownOperationException"} <= set(codes)


def mistyped(value: Any, dice: random.Random) -> Any:
    """The same tree with a value of another type somewhere."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        return {**value, key: mistyped(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        return [*value[1:], mistyped(value[0], dice)]
    return dice.choice([None, {}, [], [None], "", "x", 0, -1, 1 << 40, 1.5, True, {"x": [{}]}, {"": None}])


@pytest.mark.parametrize("seed", range(2))
def test_wrong_types(seed: int) -> None:
    """Values of wrong types from inside (an operation that calls another one), where no reader looks at them first."""
    dice = random.Random(seed)
    refused = 0
    for service in SPOKEN:
        for name in description(service)["operations"]:
            operation = operation_model(service, name)
            try:
                check(operation, mistyped(example(operation.input_shape), dice) or {})
            except Fault:
                refused += 1
    assert refused > 400


@pytest.mark.parametrize(
    ("target", "headers", "body", "code"),
    [
        ("sagemaker CreateModel json-1.1", {}, b"{", "SerializationException"),
        ("sagemaker CreateModel json-1.1", {}, b"\xff", "SerializationException"),
        ("sagemaker CreateModel json-1.1", {}, b"[]", "SerializationException"),
        ("sagemaker CreateModel json-1.1", {}, b'{"ModelName": 7}', "SerializationException"),
        ("sagemaker CreateModel json-1.1", {}, b'{"Containers": {}}', "SerializationException"),
        ("sagemaker ListModels json-1.1", {}, b'{"MaxResults": 1.5}', "SerializationException"),
        ("sagemaker ListModels json-1.1", {}, b'{"MaxResults": 4294967296}', "SerializationException"),
        ("sagemaker ListModels json-1.1", {}, b'{"MaxResults": true}', "SerializationException"),
        ("sagemaker ListModels json-1.1", {}, b'{"CreationTimeAfter": "soon"}', "SerializationException"),
        ("sagemaker ListModels json-1.1", {}, b'{"CreationTimeAfter": 1e300}', "SerializationException"),
        ("sagemaker Search json-1.1", {}, b"[" * 100_000, "SerializationException"),
        (
            "sagemaker Search json-1.1",
            {},
            b'{"SearchExpression":' + b'{"SubExpressions":[' * 500 + b"]}" * 500 + b"}",
            "SerializationException",
        ),
        ("cloudwatch ListMetrics smithy-rpc-v2-cbor", {}, b"\xff", "SerializationException"),
        ("cloudwatch ListMetrics smithy-rpc-v2-cbor", {}, b"\x9f" * 5000, "SerializationException"),
        ("cloudwatch ListMetrics smithy-rpc-v2-cbor", {}, b"\xbb" + b"\xff" * 8, "SerializationException"),
        ("cloudwatch ListMetrics smithy-rpc-v2-cbor", {}, b"\xd8\x1c\x81\xd8\x1d\x00", "SerializationException"),
        ("iam ListRoles query", FORM, b"Action=ListRoles&MaxItems=x", "MalformedQueryString"),
        ("iam ListRoles query", FORM, b"Action=ListRoles&MaxItems=" + b"9" * 9999, "MalformedQueryString"),
        ("iam TagRole query", FORM, b"Action=TagRole&Tags.member.x.Key=a", "MalformedQueryString"),
        ("s3 DeleteObjects rest-xml", {}, b"<Delete>", "MalformedXML"),
        ("s3 DeleteObjects rest-xml", {}, b"not xml", "MalformedXML"),
        ("s3 DeleteObjects rest-xml", {}, b"<Delete><Quiet>perhaps</Quiet></Delete>", "MalformedXML"),
        ("s3 DeleteObjects rest-xml", {}, b"<Delete><Quiet><a/></Quiet></Delete>", "MalformedXML"),
        (
            "s3 DeleteObjects rest-xml",
            {},
            b'<!DOCTYPE d [<!ENTITY a "ha">]><Delete><Object><Key>&a;</Key></Object></Delete>',
            "MalformedXML",
        ),
        *(
            (
                "s3 DeleteObjects rest-xml",
                {},
                '<?xml version="1.0"?><!DOCTYPE d><Delete/>'.encode(encoding),
                "MalformedXML",
            )
            for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
        ),
    ],
)
def test_refusals(target: str, headers: dict[str, str], body: bytes, code: str) -> None:
    service, operation, protocol = target.split()
    spoken: Protocol = protocol  # type: ignore[assignment]
    with pytest.raises(Fault) as caught:
        read(
            Target(service, operation, spoken, {"Bucket": "b"}),
            Request("POST", "/b", "delete" if service == "s3" else "", headers, Body(len(body), body)),
        )
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert not isinstance(caught.value, Unrouted)


def test_a_refusal_names_the_place() -> None:
    body = b'{"Containers": [{"ImageConfig": {"RepositoryAccessMode": 7}}]}'
    with pytest.raises(Fault) as caught:
        read(Target("sagemaker", "CreateModel", "json-1.1"), Request("POST", "/", "", JSON, Body(len(body), body)))
    assert caught.value.message == (
        "Containers.ImageConfig.RepositoryAccessMode: A number can not be converted to string."
    )
    request = Request("GET", "/b", "list-type=2&max-keys=many", {}, Body(0, b""))
    with pytest.raises(Fault) as caught:
        read(route(request, "s3"), request)
    assert (caught.value.code, caught.value.message) == ("InvalidArgument", "MaxKeys: 'many' is not of type integer.")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {}),
        (b'{"NameContains": null, "NoSuchMember": 1}', {}),
        (b'{"MaxResults": 10.0}', {"MaxResults": 10}),
        (b'{"NameContains": "\\u00e4"}', {"NameContains": "ä"}),
    ],
)
def test_what_is_read_leniently(body: bytes, expected: dict[str, Any]) -> None:
    found = read(Target("sagemaker", "ListModels", "json-1.1"), Request("POST", "/", "", JSON, Body(len(body), body)))
    assert found == expected


METRICS = Target("cloudwatch", "PutMetricData", "json-1.0")
PACKED = {"content-encoding": "gzip"}


def test_a_packed_body_is_unpacked() -> None:
    """As botocore sends PutMetricData above 10 kB."""
    body = gzip.compress(b'{"Namespace": "marbles"}')
    assert read(METRICS, Request("POST", "/", "", PACKED, Body(len(body), body))) == {"Namespace": "marbles"}


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"{}", "SerializationException", 400),
        (gzip.compress(b"{}")[:-9], "SerializationException", 400),
        (gzip.compress(b" " * (17 << 20)), "RequestEntityTooLarge", 413),
    ],
    ids=["plain", "torn", "bomb"],
)
def test_packed_bodies_that_are_refused(body: bytes, code: str, status: int) -> None:
    with pytest.raises(Fault) as caught:
        read(METRICS, Request("POST", "/", "", PACKED, Body(len(body), body)))
    assert (caught.value.code, caught.value.status) == (code, status)


def test_a_body_does_not_speak_for_the_path() -> None:
    body = b'{"HumanLoopName": "mine", "FlowDefinitionArn": "a"}'
    request = Request("DELETE", "/human-loops/yours", "", {}, Body(len(body), body))
    assert read(route(request, "sagemaker"), request) == {"HumanLoopName": "yours"}

"""Requests at large: 100-continue, bodies of all sizes, virtual hosts, HEAD, what is not built, clients that go away."""

import http.client
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.gateway.conftest import Sendable, sign


def connect(server: Any) -> socket.socket:
    address = urlsplit(server.endpoint)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def head_of(request: Sendable, **more: str) -> bytes:
    """The request up to its body, as bytes."""
    headers = {**request.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def status_of(connection: socket.socket) -> int:
    """The status of the next answer, which is read whole."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def until_closed(connection: socket.socket) -> bytes:
    answer = b""
    while data := connection.recv(65_536):
        answer += data
    return answer


def spooled(server: Any) -> list[Path]:
    return list((server.state / "tmp").iterdir())


def test_health(server: Any) -> None:
    answer = Sendable(server.endpoint, "GET", "/_tobo/health", {"Host": "x"}).send()
    assert answer.status == 200
    assert json.loads(answer.body)["status"] == "ok"


@pytest.mark.parametrize(
    ("method", "target", "headers", "mark"),
    [
        ("GET", "/", {}, b"<Code>AccessDenied</Code>"),
        ("GET", "/_tobo/other", {}, b"<Code>AccessDenied</Code>"),
        ("PUT", "/bucket/key", {}, b"<Code>AccessDenied</Code>"),
        ("POST", "/", {"X-Amz-Target": "SageMaker.ListModels"}, b"MissingAuthenticationTokenException"),
        (
            "POST",
            "/",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"<Code>MissingAuthenticationToken</Code>",
        ),
        ("POST", "/endpoints/e/invocations", {}, b"MissingAuthenticationTokenException"),
    ],
)
def test_unsigned(server: Any, method: str, target: str, headers: dict[str, str], mark: bytes) -> None:
    answer = Sendable(server.endpoint, method, target, {"Host": "x", **headers, "Content-Length": "0"}).send()
    assert answer.status == 403
    assert mark in answer.body


def test_continue_is_said_to_who_may(server: Any, bucket: str) -> None:
    request = sign(server, "s3", "PUT", f"/{bucket}/continued", b"body")
    with connect(server) as connection:
        connection.sendall(head_of(request, Expect="100-continue"))
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_continue_is_not_said_to_who_may_not(server: Any, bucket: str) -> None:
    request = sign(server, "s3", "PUT", f"/{bucket}/continued", b"body", keys=(server.keys[0], "wrong"))
    with connect(server) as connection:
        connection.sendall(head_of(request, Expect="100-continue"))
        answer = until_closed(connection)  # closed: a body that comes after all must not be taken for a request
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"connection: close" in answer.lower()


def test_connection_lives_on_after_a_refused_body(server: Any, bucket: str) -> None:
    refused = sign(server, "s3", "PUT", f"/{bucket}/refused", b"x" * 200_000, keys=(server.keys[0], "wrong"))
    good = sign(server, "s3", "PUT", f"/{bucket}/refused", b"good")
    with connect(server) as connection:
        connection.sendall(head_of(refused) + refused.body)
        assert status_of(connection) == 403
        connection.sendall(head_of(good) + good.body)
        assert status_of(connection) == 200


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000])
def test_bodies_around_the_limit_of_memory(server: Any, bucket: str, size: int) -> None:
    body = os.urandom(size)
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="sized", Body=body)
    assert s3.get_object(Bucket=bucket, Key="sized")["Body"].read() == body
    assert spooled(server) == []


def test_too_large(server: Any) -> None:
    request = sign(server, "sagemaker", "POST", "/endpoints/e/invocations", b"x")
    request.headers["Content-Length"] = str(26 << 20)
    with connect(server) as connection:
        connection.sendall(head_of(request, Expect="100-continue"))
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"26,214,400" in answer


def test_too_large_without_saying_so(server: Any) -> None:
    """Transfer-Encoding: chunked says no length beforehand."""
    request = sign(server, "sts", "POST", "/", b"", {"Content-Type": "application/x-www-form-urlencoded"})
    del request.headers["Content-Length"]
    piece = b"a" * 65_536
    with connect(server) as connection:
        connection.sendall(head_of(request, Transfer_Encoding="chunked"))
        for _ in range(20):
            connection.sendall(b"10000\r\n" + piece + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
    assert spooled(server) == []


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999999"])
def test_strange_lengths(server: Any, length: str) -> None:
    request = sign(server, "s3", "PUT", "/bucket/key")
    request.headers["Content-Length"] = length
    with connect(server) as connection:
        connection.sendall(head_of(request))
        assert connection.recv(65_536).split()[1] in (b"400", b"413")


def test_client_that_goes_away(server: Any, bucket: str) -> None:
    request = sign(server, "s3", "PUT", f"/{bucket}/gone", b"x" * 4_000_000)
    with connect(server) as connection:
        connection.sendall(head_of(request) + request.body[:3_000_000])
    deadline = time.monotonic() + 20
    while spooled(server) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert spooled(server) == []
    with pytest.raises(ClientError, match="404"):
        server.client("s3").head_object(Bucket=bucket, Key="gone")


def test_full_disk(tmp_path: Path) -> None:
    """A body that does not fit on the disk is refused by name, once, and what was there stays."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only who may mount can make a small disk")
    served = Server(disk / "state", {})
    try:
        s3 = served.start().client("s3")
        s3.create_bucket(Bucket="small")
        s3.put_object(Bucket="small", Key="kept", Body=b"kept")
        with pytest.raises(ClientError, match="full") as refused:
            s3.put_object(Bucket="small", Key="kept", Body=b"x" * (40 << 20))
        assert refused.value.response["Error"]["Code"] == "InsufficientStorage"
        assert s3.get_object(Bucket="small", Key="kept")["Body"].read() == b"kept"
        assert spooled(served) == []
        s3.put_object(Bucket="small", Key="fits", Body=b"x" * (2 << 20))
    finally:
        served.end()
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("host", ["gateway-tests.s3.us-east-1.amazonaws.com", "gateway-tests.localhost:1234"])
def test_virtual_hosts(server: Any, bucket: str, host: str) -> None:
    put = sign(server, "s3", "PUT", "/virtual/key", b"virtual", {"Host": host})
    assert put.send().status == 200
    assert server.client("s3").get_object(Bucket=bucket, Key="virtual/key")["Body"].read() == b"virtual"


def test_head_has_no_body(server: Any, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="headed", Body=b"12345")
    there = sign(server, "s3", "HEAD", f"/{bucket}/headed").send()
    assert (there.status, there.headers["content-length"], there.body) == (200, "5", b"")
    absent = sign(server, "s3", "HEAD", f"/{bucket}/not-there").send()
    assert (absent.status, absent.body) == (404, b"")
    refused = sign(server, "s3", "HEAD", f"/{bucket}/headed", keys=(server.keys[0], "wrong")).send()
    assert (refused.status, refused.body) == (403, b"")


@pytest.mark.parametrize("key", ["..", "a//b", "/leading", "a/../b", "ü/日本", "a b+c&d=e?f#g%h", ".", "~'()*!"])
def test_odd_keys_keep_their_signature(server: Any, bucket: str, key: str) -> None:
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sagemaker", lambda c: c.list_feature_groups(), "NotImplemented"),
        ("iam", lambda c: c.list_groups(), "NotImplemented"),
        ("s3", lambda c: c.get_object_torrent(Bucket="gateway-tests", Key="k"), "NotImplemented"),
        ("cloudwatch", lambda c: c.list_dashboards(), "NotImplemented"),
    ],
)
def test_unbuilt_operations(server: Any, service: str, call: Any, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        call(server.client(service))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_unknown_operation(server: Any) -> None:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "SageMaker.MakeCoffee"}
    answer = sign(server, "sagemaker", "POST", "/", b"{}", headers).send()
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "UnknownOperationException"


def test_unknown_service(server: Any) -> None:
    answer = sign(server, "ec2", "POST", "/", b"Action=X", {"Content-Type": "application/x-www-form-urlencoded"}).send()
    assert answer.status == 400


def test_one_line_a_request(server: Any, bucket: str) -> None:
    answer = sign(server, "s3", "PUT", f"/{bucket}/logged", b"12345").send()
    wanted = answer.headers["x-amz-request-id"]
    deadline = time.monotonic() + 10
    while wanted not in server.log() and time.monotonic() < deadline:
        time.sleep(0.02)
    lines = [json.loads(line) for line in server.log().splitlines() if wanted in line]
    assert len(lines) == 1
    expected = {"operation": "PutObject", "status": 200, "bytes_in": 5, "region": "us-east-1", "method": "PUT"}
    assert expected.items() <= lines[0].items()
    assert server.keys[1] not in server.log()

"""aws-chunked bodies of every kind, written by hand: the object is the body without its framing, or nothing at all."""

import base64
import hashlib
import hmac
import http.client
import os
import socket
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from tobo.gateway.chunks import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER
from tobo.gateway.signature import Claim, canonical_request, signature_of
from tobo.kit.sigv4 import signing_key

EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass
class Upload:
    """A streamed PutObject; what a test changes between `sign` and `frame` is what goes wrong."""

    server: Any
    key: str
    body: bytes
    kind: str
    chunk: int = 65_536
    trailer: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.path = f"/gateway-tests/{self.key}"
        self.headers = {
            "content-encoding": "aws-chunked",
            "host": urlsplit(self.server.endpoint).netloc,
            "x-amz-content-sha256": self.kind,
            "x-amz-date": now,
            "x-amz-decoded-content-length": str(len(self.body)),
            **({"x-amz-trailer": ",".join(self.trailer)} if self.trailer else {}),
            **self.headers,
        }
        signed = ";".join(sorted(self.headers))
        key_id, secret = self.server.keys
        claim = Claim(key_id, now[:8], "us-east-1", "s3", now, signed, "", None)
        self.signing_key = signing_key(secret, now[:8], "us-east-1", "s3")
        canonical = canonical_request("PUT", self.path, "", self.headers, claim, self.kind)
        self.previous = signature_of(self.signing_key, claim, canonical)
        self.prefix = f"{now}\n{claim.scope}"
        self.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key_id}/{claim.scope}, SignedHeaders={signed}, Signature={self.previous}"
        )

    def _next(self, *parts: str) -> str:
        text = "\n".join((parts[0], self.prefix, self.previous, *parts[1:]))
        self.previous = hmac.digest(self.signing_key, text.encode(), "sha256").hex()
        return self.previous

    def frame(self) -> bytes:
        framed = b""
        for start in [*range(0, len(self.body), self.chunk), len(self.body)]:
            piece = self.body[start : start + self.chunk]
            line = f"{len(piece):x}"
            if self.kind != UNSIGNED_TRAILER:
                line += ";chunk-signature=" + self._next(
                    "AWS4-HMAC-SHA256-PAYLOAD", EMPTY, hashlib.sha256(piece).hexdigest()
                )
            framed += line.encode() + b"\r\n" + (piece + b"\r\n" if piece else b"")
        lines = [f"{name}:{value}" for name, value in self.trailer.items()]
        if self.kind == SIGNED_TRAILER:
            block = "".join(f"{line}\n" for line in lines)
            digest = hashlib.sha256(block.encode()).hexdigest()
            lines.append("x-amz-trailer-signature:" + self._next("AWS4-HMAC-SHA256-TRAILER", digest))
        return framed + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"

    def send(self, framed: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.server.endpoint).netloc, timeout=30)
        try:
            connection.request("PUT", self.path, framed, self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def crc(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


KINDS = [
    (SIGNED, False),
    (SIGNED_TRAILER, True),
    (UNSIGNED_TRAILER, True),
    (UNSIGNED_TRAILER, False),
]


@pytest.mark.parametrize(("kind", "trailing"), KINDS)
@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_001])
def test_framing_is_not_stored(server: Any, bucket: str, kind: str, trailing: bool, size: int) -> None:
    body = os.urandom(size)
    trailer = {"x-amz-checksum-crc32": crc(body)} if trailing else {}
    upload = Upload(
        server, f"chunked-{size}", body, kind, trailer=trailer, headers={"content-encoding": "aws-chunked,gzip"}
    )
    status, answer = upload.send(upload.frame())
    assert status == 200, answer
    found = server.client("s3").get_object(Bucket=bucket, Key=f"chunked-{size}", ChecksumMode="ENABLED")
    assert found["Body"].read() == body
    assert found["ContentEncoding"] == "gzip"
    if trailing:
        assert found["ChecksumCRC32"] == crc(body)
    assert list((server.state / "tmp").iterdir()) == []


def flip(at: int) -> Callable[[Upload, bytes], bytes]:
    return lambda upload, framed: framed[:at] + bytes([framed[at] ^ 1]) + framed[at + 1 :]


def short(upload: Upload, framed: bytes) -> bytes:
    return framed[: len(framed) // 2]


def without_last(upload: Upload, framed: bytes) -> bytes:
    return framed[: framed.rindex(b"\r\n0;") + 2]


def other_trailer(upload: Upload, framed: bytes) -> bytes:
    return framed.replace(upload.trailer["x-amz-checksum-crc32"].encode(), crc(b"other").encode())


def smuggled(upload: Upload, framed: bytes) -> bytes:
    return framed[:-2] + b"x-amz-acl:public-read\r\n\r\n"


def no_size(upload: Upload, framed: bytes) -> bytes:
    return b"xyz" + framed


def negative(upload: Upload, framed: bytes) -> bytes:
    return b"-5\r\n" + framed


def endless_line(upload: Upload, framed: bytes) -> bytes:
    return b"1" * 20_000


BROKEN: list[tuple[str, Callable[[Upload, bytes], bytes], int, str]] = [
    (SIGNED, flip(200), 403, "SignatureDoesNotMatch"),
    (SIGNED, flip(70_000), 403, "SignatureDoesNotMatch"),
    (SIGNED, short, 400, "IncompleteBody"),
    (SIGNED, without_last, 400, "IncompleteBody"),
    (SIGNED, no_size, 400, "IncompleteBody"),
    (SIGNED, negative, 400, "IncompleteBody"),
    (SIGNED, endless_line, 400, "IncompleteBody"),
    (SIGNED_TRAILER, other_trailer, 403, "SignatureDoesNotMatch"),
    (SIGNED_TRAILER, smuggled, 403, "SignatureDoesNotMatch"),
    (UNSIGNED_TRAILER, other_trailer, 400, "BadDigest"),
    (UNSIGNED_TRAILER, flip(200), 400, "BadDigest"),
    (UNSIGNED_TRAILER, smuggled, 400, "MalformedTrailerError"),
]


@pytest.mark.parametrize(("kind", "spoil", "status", "code"), BROKEN)
@pytest.mark.parametrize("size", [100_000, 2_500_000])
def test_broken_leaves_nothing(
    server: Any, bucket: str, kind: str, spoil: Callable[[Upload, bytes], bytes], status: int, code: str, size: int
) -> None:
    body = os.urandom(size)
    trailer = {} if kind == SIGNED else {"x-amz-checksum-crc32": crc(body)}
    upload = Upload(server, "broken", body, kind, trailer=trailer)
    answered, text = upload.send(spoil(upload, upload.frame()))
    assert (answered, f"<Code>{code}</Code>".encode() in text) == (status, True), text
    assert "Contents" not in server.client("s3").list_objects_v2(Bucket=bucket, Prefix="broken")
    assert list((server.state / "tmp").iterdir()) == []


@pytest.mark.parametrize("declared", ["99", "101", "x"])
def test_declared_length(server: Any, bucket: str, declared: str) -> None:
    upload = Upload(server, "broken", os.urandom(100), SIGNED, headers={"x-amz-decoded-content-length": declared})
    status, text = upload.send(upload.frame())
    assert (status, b"IncompleteBody" in text) == (400, True), text


def test_any_cut_of_the_stream(server: Any, bucket: str) -> None:
    """Wherever TCP cuts the framing, the body is the same."""
    body = os.urandom(700)
    upload = Upload(server, "cut", body, SIGNED_TRAILER, chunk=100, trailer={"x-amz-checksum-crc32": crc(body)})
    framed = upload.frame()
    head = f"PUT {upload.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in upload.headers.items())
    address = urlsplit(server.endpoint)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(f"{head}content-length: {len(framed)}\r\n\r\n".encode())
        for start in range(0, len(framed), 7):
            connection.sendall(framed[start : start + 7])
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert server.client("s3").get_object(Bucket=bucket, Key="cut")["Body"].read() == body

"""Requests signed by botocore, to be bent before they are sent."""

import http.client
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass
class Answered:
    """An answer, its body whole."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Sendable:
    """A request that can still be changed."""

    endpoint: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    extra: list[tuple[str, str]] = field(default_factory=list)

    def send(self) -> Answered:
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=30)
        try:
            connection.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in [*self.headers.items(), *self.extra]:
                connection.putheader(name, value)
            connection.endheaders(self.body)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, headers, answer.read())
        finally:
            connection.close()


def sign(
    server: Any,
    service: str,
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    region: str = "us-east-1",
    keys: tuple[str, ...] | None = None,
    at: datetime | None = None,
    expires: int | None = None,
) -> Sendable:
    """A request as botocore signs it, in its headers or (with `expires`) in its query."""
    request = AWSRequest(method, server.endpoint + target, dict(headers or {}), body)
    credentials = Credentials(*(keys or server.keys))
    moment = (at or datetime.now(UTC)).replace(tzinfo=None)
    if expires is None:
        signer = (auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth)(credentials, service, region)
    else:
        kind = auth.S3SigV4QueryAuth if service == "s3" else auth.SigV4QueryAuth
        signer = kind(credentials, service, region, expires=expires)
    with patch.object(auth, "get_current_datetime", lambda: moment):
        signer.add_auth(request)
    found = {name: str(value) for name, value in request.headers.items()}
    found.setdefault("Host", urlsplit(server.endpoint).netloc)
    found["Content-Length"] = str(len(body))
    split = urlsplit(request.url)
    return Sendable(server.endpoint, method, split.path + (f"?{split.query}" if split.query else ""), found, body)


@pytest.fixture(scope="session")
def bucket(server: Any) -> str:
    """A bucket for the gateway's tests."""
    server.client("s3").create_bucket(Bucket="gateway-tests")
    return "gateway-tests"

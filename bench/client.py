"""A client that costs next to nothing: requests signed beforehand, sent as bytes over one socket."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"


class Connection:
    """One keep-alive connection, made anew for servers that close it after each answer."""

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self._address = (address.hostname or "", address.port or 80)
        self._socket = self._connected()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """(status, body); raises ConnectionError where the server hangs up."""
        self.send(request)
        return self.receive()

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def receive(self) -> tuple[int, bytes]:
        """The answer to what was sent."""
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        start = head.find(b"content-length:") + len(b"content-length:")
        length = int(head[start:].split(b"\r\n", 1)[0])
        pieces, missing = [data[end + 4 :]], length - (len(data) - end - 4)
        while missing > 0:
            pieces.append(self._more())
            missing -= len(pieces[-1])
        if head.startswith(b"http/1.0") or b"\r\nconnection: close" in head:
            self._socket.close()
            self._socket = self._connected()
        return int(head[9:12]), b"".join(pieces)

    def expect(self, request: bytes) -> bytes:
        """The body of a 200; raises RuntimeError with what came instead."""
        status, body = self.ask(request)
        if status != 200:
            raise RuntimeError(f"{status}: {body[:500].decode('utf-8', 'replace')}")
        return body

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self._address)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server has closed the connection")
        return data


def signed(
    endpoint: str,
    keys: tuple[str, str],
    service: str,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A whole request with its SigV4 signature, good for 15 minutes."""
    request = AWSRequest(method, endpoint + path, dict(headers or {}), body)
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(*keys), service, REGION).add_auth(request)
    request.headers["Host"] = urlsplit(endpoint).netloc
    request.headers["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def plain(endpoint: str, path: str, body: bytes) -> bytes:
    """An unsigned POST, for peers."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(endpoint).netloc}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )

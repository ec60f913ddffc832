"""An answer's head and body arrive in one packet, as the kernel counts them, whatever kind of answer it is."""

import socket
import struct
import sys
from urllib.parse import urlsplit

import pytest
from tests.conftest import Server

DATA_SEGMENTS_IN = 152
"""Where Linux's struct tcp_info (linux/tcp.h) has tcpi_data_segs_in."""

EXPECTING = b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"


@pytest.mark.skipif(sys.platform != "linux", reason="segments are counted by Linux")
@pytest.mark.parametrize(
    ("request_", "status", "segments"),
    [
        (b"GET /_tobo/health HTTP/1.1\r\nHost: x\r\n\r\n", 200, 1),
        (b"HEAD /_tobo/health HTTP/1.1\r\nHost: x\r\n\r\n", 200, 1),
        (b"GET /_tobo/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, 1),
        (b"GET /bucket HTTP/1.1\r\nHost: x\r\n\r\n", 403, 1),
        (EXPECTING, 403, 1),
        (b"this is not HTTP\r\n\r\n", 400, 1),
        (b"GET /_tobo/health HTTP/1.1\r\nHost: x\r\n\r\n" * 3, 200, 3),
    ],
)
def test_segments(server: Server, request_: bytes, status: int, segments: int) -> None:
    address = urlsplit(server.endpoint)
    answers = request_.count(b"GET ") or 1
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request_)
        data = b""
        while not _whole(data, answers, head_only=request_.startswith(b"HEAD")):
            piece = connection.recv(1 << 16)
            assert piece, data
            data += piece
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 200)
    assert data.startswith(b"HTTP/1.1 %d" % status) and data.count(b"HTTP/1.1 ") == answers
    assert struct.unpack_from("I", info, DATA_SEGMENTS_IN) == (segments,)


def _whole(data: bytes, answers: int, head_only: bool) -> bool:
    for _ in range(answers):
        head, end, data = data.partition(b"\r\n\r\n")
        if not end:
            return False
        if head_only:
            continue
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else len(b"Invalid HTTP request received.")
        if len(data) < length:
            return False
        data = data[length:]
    return True

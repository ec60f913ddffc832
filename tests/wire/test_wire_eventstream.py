"""Event-stream frames: ours read by botocore, botocore's kind of bytes read by us, damage noticed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from tobo.kit.fault import Fault
from tobo.wire.eventstream import BrokenFrame, Frame, read_frames, write_frame
from tobo.wire.routing import Target
from tobo.wire.writing import write

HEADERS = {
    ":message-type": "event",
    "yes": True,
    "no": False,
    "small": -7,
    "large": 1 << 40,
    "bytes": b"\x00\xff",
    "text": "ä",
}


def test_botocore_reads_our_frames() -> None:
    buffer = EventStreamBuffer()
    data = write_frame(Frame(HEADERS, b"one")) + write_frame(Frame({}, b""))
    for at in range(0, len(data), 7):
        buffer.add_data(data[at : at + 7])
    first, second = list(buffer)
    assert (first.headers, first.payload) == (HEADERS, b"one")
    assert (second.headers, second.payload) == ({}, b"")


def test_we_read_our_frames() -> None:
    frame = Frame({**HEADERS, "when": datetime(2026, 7, 1, 12, 0, 0, 123000, tzinfo=UTC)}, b"x" * 1000)
    data = write_frame(frame)
    assert read_frames(data + data + data[:-1]) == ([frame, frame], data[:-1])


@pytest.mark.parametrize("at", [0, 5, 9, 13, 20, -20, -1])
def test_damage_is_noticed(at: int) -> None:
    data = bytearray(write_frame(Frame({"colour": "blue"}, b"payload of a frame")))
    data[at] ^= 1
    with pytest.raises(BrokenFrame):
        read_frames(bytes(data))


@pytest.mark.parametrize("headers", [b"\x01a", b"\x01a\x07\x00\x09x", b"\x01a\x0b", b"\x05a", b"\x01\xff\x00"])
def test_headers_that_lie_about_their_length(headers: bytes) -> None:
    with pytest.raises(BrokenFrame):
        read_frames(_framed(headers))


def _framed(headers: bytes) -> bytes:
    """A frame with right checksums around any headers."""
    import struct
    import zlib

    prelude = struct.pack(">II", 16 + len(headers), len(headers))
    start = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers
    return start + struct.pack(">I", zlib.crc32(start))


def frames(target: Target, result: Mapping[str, Any]) -> list[Frame]:
    response = write(target, result, "request-1")
    assert ("content-type", "application/vnd.amazon.eventstream") in response.headers

    async def collect() -> bytes:
        assert isinstance(response.body, AsyncIterator)
        return b"".join([chunk async for chunk in response.body])

    found, rest = read_frames(asyncio.run(collect()))
    assert rest == b""
    return found


async def parts(fault: Fault | None = None) -> AsyncIterator[dict[str, Any]]:
    yield {"PayloadPart": {"Bytes": b"one"}}
    yield {"PayloadPart": {"Bytes": b"two"}}
    if fault is not None:
        raise fault


STREAMED = Target("sagemaker-runtime", "InvokeEndpointWithResponseStream", "rest-json", {"EndpointName": "e"})


def test_a_model_streams_its_answer() -> None:
    found = frames(STREAMED, {"Body": parts(), "ContentType": "text/plain"})
    assert [frame.payload for frame in found] == [b"one", b"two"]
    assert found[0].headers == {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }


def test_a_modelled_fault_ends_the_stream_as_an_exception() -> None:
    found = frames(
        STREAMED, {"Body": parts(Fault("ModelStreamError", "It broke.", members={"ErrorCode": "StreamBroken"}))}
    )
    assert found[-1].headers[":message-type"] == "exception"
    assert found[-1].headers[":exception-type"] == "ModelStreamError"
    assert found[-1].payload == b'{"Message":"It broke.","ErrorCode":"StreamBroken"}'


def test_any_other_fault_ends_the_stream_as_an_error() -> None:
    last = frames(STREAMED, {"Body": parts(Fault("Throttled", "Slower."))})[-1]
    assert last.headers == {":message-type": "error", ":error-code": "Throttled", ":error-message": "Slower."}


def test_an_rpc_stream_begins_with_its_initial_response() -> None:
    target = Target("logs", "StartLiveTail", "json-1.1")
    start = {"sessionStart": {"requestId": "r", "sessionId": "s"}}
    found = frames(
        target, {"responseStream": [start, {"sessionUpdate": {"sessionResults": [{"message": "Epoch[2]"}]}}]}
    )
    assert [frame.headers[":event-type"] for frame in found] == ["initial-response", "sessionStart", "sessionUpdate"]
    assert [frame.payload for frame in found] == [
        b"{}",
        b'{"requestId":"r","sessionId":"s"}',
        b'{"sessionResults":[{"message":"Epoch[2]"}]}',
    ]

"""Event streams: frames of the application/vnd.amazon.eventstream format, written and read.

A frame is total length, headers' length, CRC32 of the two (4 bytes each, big-endian), headers, payload and the CRC32 of
all before. A header is name length (1 byte), name, type (1 byte), value. Source: Smithy, "Amazon Event Stream
Specification".
"""

import struct
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.model import Shape, StructureShape

from tobo.kit.fault import Fault
from tobo.wire.timestamps import epoch_seconds, read_timestamp

CONTENT_TYPE = "application/vnd.amazon.eventstream"

HeaderValue = bool | int | str | bytes | datetime
Encode = Callable[[Shape, Any], bytes]
"""Shape and value -> the payload's bytes in the protocol of the stream."""

_BOOLEANS = {0: True, 1: False}
_INTEGERS = {2: ">b", 3: ">h", 4: ">i", 5: ">q"}
_LARGEST = 24 << 20
"""Bytes of the largest frame that is read (the specification allows payloads of 24 MB)."""


class BrokenFrame(ValueError):
    """Bytes that are not a frame: a checksum or a length is wrong."""


@dataclass(frozen=True)
class Frame:
    """One message of a stream; header names begin with a colon where the format defines them."""

    headers: Mapping[str, HeaderValue]
    payload: bytes


def write_frame(frame: Frame) -> bytes:
    """The bytes of a frame."""
    headers = b"".join(_write_header(name, value) for name, value in frame.headers.items())
    prelude = struct.pack(">II", 16 + len(headers) + len(frame.payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + frame.payload
    return message + struct.pack(">I", zlib.crc32(message))


def _write_header(name: str, value: HeaderValue) -> bytes:
    label = name.encode()
    start = bytes([len(label)]) + label
    if isinstance(value, bool):
        return start + bytes([0 if value else 1])
    if isinstance(value, int):
        return start + (struct.pack(">Bi", 4, value) if -(1 << 31) <= value < 1 << 31 else struct.pack(">Bq", 5, value))
    if isinstance(value, datetime):
        return start + struct.pack(">Bq", 8, round(epoch_seconds(value) * 1000))
    kind, data = (6, value) if isinstance(value, bytes) else (7, value.encode())
    return start + struct.pack(">BH", kind, len(data)) + data


def read_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """(whole frames, what is left of a torn last one); raises BrokenFrame where the bytes are damaged."""
    frames: list[Frame] = []
    while len(data) >= 12:
        total, header_length, checksum = struct.unpack_from(">III", data)
        if zlib.crc32(data[:8]) != checksum or total > _LARGEST or header_length + 16 > total:
            raise BrokenFrame("the frame's prelude is damaged")
        if len(data) < total:
            break
        if zlib.crc32(data[: total - 4]) != struct.unpack_from(">I", data, total - 4)[0]:
            raise BrokenFrame("the frame's checksum is wrong")
        headers = _read_headers(data[12 : 12 + header_length])
        frames.append(Frame(headers, data[12 + header_length : total - 4]))
        data = data[total:]
    return frames, data


def _read_headers(data: bytes) -> dict[str, HeaderValue]:
    found: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name = data[at + 1 : at + 1 + size].decode()
            kind = data[at + 1 + size]
            found[name], at = _read_value(kind, data, at + 2 + size)
    except (IndexError, struct.error, UnicodeDecodeError):
        raise BrokenFrame("the frame's headers are damaged") from None
    return found


def _read_value(kind: int, data: bytes, at: int) -> tuple[HeaderValue, int]:
    """(value, where the next header begins)."""
    if kind in _BOOLEANS:
        return _BOOLEANS[kind], at
    if kind in _INTEGERS:
        form = _INTEGERS[kind]
        return int(struct.unpack_from(form, data, at)[0]), at + struct.calcsize(form)
    if kind == 8:
        return read_timestamp(struct.unpack_from(">q", data, at)[0] / 1000), at + 8
    if kind == 9:
        return data[at : at + 16], at + 16
    if kind in (6, 7):
        end = at + 2 + int(struct.unpack_from(">H", data, at)[0])
        if end > len(data):
            raise BrokenFrame("the frame's headers are damaged")
        return (data[at + 2 : end] if kind == 6 else data[at + 2 : end].decode()), end
    raise BrokenFrame(f"the frame has a header of unknown type {kind}")


def initial_response(payload: bytes, content_type: str) -> bytes:
    """The first frame of a stream in the RPC protocols: the members beside the stream."""
    return write_frame(
        Frame(
            {":message-type": "event", ":event-type": "initial-response", ":content-type": content_type},
            payload,
        )
    )


def event_frame(shape: StructureShape, name: str, value: Mapping[str, Any], encode: Encode, content_type: str) -> bytes:
    """The event `name` of the stream `shape`; a member that is an error becomes an exception frame."""
    event = shape.members[name]
    assert isinstance(event, StructureShape)
    kind = "exception" if event.metadata.get("exception") else "event"
    headers: dict[str, HeaderValue] = {":message-type": kind, f":{kind}-type": name}
    for key, member in event.members.items():
        if member.serialization.get("eventheader") and value.get(key) is not None:
            headers[key] = value[key]
    for key, member in event.members.items():
        if member.serialization.get("eventpayload"):
            payload, content_type = _payload(member, value.get(key), encode, content_type)
            break
    else:
        payload = encode(event, {key: item for key, item in value.items() if key not in headers})
    headers[":content-type"] = content_type
    return write_frame(Frame(headers, payload))


def _payload(shape: Shape, value: Any, encode: Encode, content_type: str) -> tuple[bytes, str]:
    if shape.type_name == "blob":
        return bytes(value or b""), "application/octet-stream"
    if shape.type_name == "string":
        return str(value or "").encode(), "text/plain"
    return encode(shape, value or {}), content_type


async def stream(
    shape: Shape,
    events: AsyncIterable[Mapping[str, Any]] | Iterable[Mapping[str, Any]],
    encode: Encode,
    content_type: str,
    first: bytes = b"",
) -> AsyncIterator[bytes]:
    """The frames of `{event: members}`, `first` before them. A Fault raised by `events` is its last frame."""
    assert isinstance(shape, StructureShape)
    if first:
        yield first
    try:
        async for event in _each(events):
            for name, value in event.items():
                yield event_frame(shape, name, value, encode, content_type)
    except Fault as fault:
        if fault.code in shape.members:
            error = {"Message": fault.message, "message": fault.message, **fault.members}
            yield event_frame(shape, fault.code, error, encode, content_type)
        else:
            headers = {":message-type": "error", ":error-code": fault.code, ":error-message": fault.message}
            yield write_frame(Frame(headers, b""))
    finally:
        if isinstance(events, AsyncGenerator):  # what it holds open must not wait for the garbage collector
            await events.aclose()


async def _each(
    events: AsyncIterable[Mapping[str, Any]] | Iterable[Mapping[str, Any]],
) -> AsyncIterator[Mapping[str, Any]]:
    if isinstance(events, AsyncIterable):
        async for event in events:
            yield event
    else:
        for event in events:
            yield event

"""MXNet RecordIO with image records: `.rec` files as im2rec writes them.

Format (dmlc-core `recordio.h`, MXNet `image_recordio.h`): little-endian; a record is magic 0xced7230a, a word with a
continuation flag in the upper 3 bits and the length in the lower 29, the data, zeros to a multiple of 4. Data that
holds the magic on a 4-byte boundary is split there into parts with flags 1 (first), 2 (middle), 3 (last), the magic
itself left out. An image record starts with flag (uint32), label (float32), id and id2 (uint64); with flag > 0 that
many float32 labels follow. The rest is the encoded picture.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tobo.kit.guest import UserError

MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_LENGTH = (1 << 29) - 1
_HEADER = struct.Struct("<IfQQ")

WHOLE, FIRST, MIDDLE, LAST = range(4)


class Record(NamedTuple):
    """Where an image record lies and what it is labelled with."""

    offset: int
    labels: tuple[float, ...]
    id: int


def scan(file: Path) -> Iterator[Record]:
    """The records of a file without their pictures; raises UserError with file and byte offset where it is broken."""
    if file.stat().st_size == 0:
        return
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = 0
        while at < len(data):
            payload, following = _record(file, data, at)
            labels, identity, _ = _unpack(file, at, payload)
            yield Record(at, labels, identity)
            at = following


def read_picture(file: Path, offset: int) -> bytes:
    """The encoded picture of the record at `offset`."""
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        payload, _ = _record(file, data, offset)
        return _unpack(file, offset, payload)[2]


def write_record(stream: BinaryIO, picture: bytes, labels: tuple[float, ...], identity: int) -> None:
    """Appends one image record; a single label goes into the header, several behind it."""
    if len(labels) == 1:
        payload = _HEADER.pack(0, labels[0], identity, 0) + picture
    else:
        payload = _HEADER.pack(len(labels), 0.0, identity, 0) + struct.pack(f"<{len(labels)}f", *labels) + picture
    parts = _split(payload)
    for number, part in enumerate(parts):
        flag = WHOLE if len(parts) == 1 else FIRST if number == 0 else LAST if number == len(parts) - 1 else MIDDLE
        stream.write(_MAGIC_BYTES + struct.pack("<I", flag << 29 | len(part)) + part + b"\0" * (-len(part) % 4))


def _split(payload: bytes) -> list[bytes]:
    parts: list[bytes] = []
    start = 0
    at = payload.find(_MAGIC_BYTES)
    while at >= 0:
        if at % 4 == 0:
            parts.append(payload[start:at])
            start = at + 4
        at = payload.find(_MAGIC_BYTES, start if at % 4 == 0 else at + 1)
    return [*parts, payload[start:]]


def _record(file: Path, data: mmap.mmap, offset: int) -> tuple[bytes, int]:
    """(payload, offset of the next record)."""
    parts: list[bytes] = []
    at = offset
    while True:
        if at + 8 > len(data):
            raise UserError(f"{file.name}: the record at byte {offset} is cut off.")
        magic, word = struct.unpack_from("<II", data, at)
        if magic != MAGIC:
            raise UserError(f"{file.name}: there is no RecordIO record at byte {at}; write the file with im2rec.")
        flag, length = word >> 29, word & _LENGTH
        if at + 8 + length > len(data):
            raise UserError(f"{file.name}: the record at byte {offset} is cut off.")
        parts.append(data[at + 8 : at + 8 + length])
        at += 8 + length + -length % 4
        if flag in (WHOLE, LAST):
            return _MAGIC_BYTES.join(parts), at


def _unpack(file: Path, offset: int, payload: bytes) -> tuple[tuple[float, ...], int, bytes]:
    """(labels, id, picture)."""
    if len(payload) < _HEADER.size:
        raise UserError(f"{file.name}: the record at byte {offset} is no image record; write the file with im2rec.")
    count, label, identity, _ = _HEADER.unpack_from(payload)
    if count == 0:
        return (label,), identity, payload[_HEADER.size :]
    end = _HEADER.size + 4 * count
    if end > len(payload):
        raise UserError(f"{file.name}: the record at byte {offset} announces {count} labels and is too short for them.")
    return struct.unpack_from(f"<{count}f", payload, _HEADER.size), identity, payload[end:]

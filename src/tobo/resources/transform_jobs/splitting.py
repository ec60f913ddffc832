"""Objects into records, and records into the bodies that a model is asked with.

Sources: API reference, TransformInput and CreateTransformJob; dmlc's RecordIO (recordio.h); TensorFlow's TFRecord guide.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

_MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", _MAGIC)


class BadInput(ValueError):
    """The object is not in the form that SplitType says; the message completes "'<key>' ..."."""


class Record(NamedTuple):
    """One record. `framed` has the format's own headers and padding, where there are any."""

    payload: bytes
    framed: bytes


@dataclass(frozen=True)
class Batch:
    """One request to the model. `sources` are its records as they came; `refusal` says why it must not be asked."""

    first: int
    """The first record's number in its object, from 1."""
    sources: tuple[bytes, ...]
    body: bytes
    refusal: str = ""


def read_records(file: IO[bytes], split: str) -> Iterator[Record]:
    """The records of an open object. Line: what newlines part, blank lines left out. Raises BadInput, as late as it can be."""
    if split == "Line":
        for line in file:
            payload = line.rstrip(b"\r\n")
            if payload.strip():
                yield Record(payload, payload)
    elif split == "RecordIO":
        yield from _recordio(file)
    elif split == "TFRecord":
        yield from _tfrecord(file)
    else:
        whole = file.read()
        yield Record(whole, whole)


def batch_up(records: Iterator[tuple[Record, bytes, str]], split: str, single: bool, limit: int) -> Iterator[Batch]:
    """Bodies of (record, its body, why it is refused), in order: one record each, or as many as fit into `limit` bytes.

    `limit` 0 is none. Where a body holds several records, lines are joined by newlines and binary records keep their
    frames; a record alone in a SingleRecord body loses its frame. A record that is larger than the limit is refused.
    """
    glue = b"\n" if split == "Line" else b""
    first, sources, parts, size = 1, list[bytes](), list[bytes](), 0
    for number, (record, body, refusal) in enumerate(records, 1):
        if not refusal and limit and len(body) > limit:
            refusal = f"The record has {len(body)} bytes, more than MaxPayloadInMB allows ({limit}); raise it."
        alone = single or bool(refusal)
        if parts and (alone or (limit and size + len(glue) + len(body) > limit)):
            yield Batch(first, tuple(sources), glue.join(parts))
            sources, parts, size = [], [], 0
        if alone:
            yield Batch(number, (record.payload,), body, refusal)
            continue
        if not parts:
            first = number
        size += len(body) + (len(glue) if parts else 0)
        sources.append(record.payload)
        parts.append(body)
    if parts:
        yield Batch(first, tuple(sources), glue.join(parts))


def _recordio(file: IO[bytes]) -> Iterator[Record]:
    """Chunks of magic, kind and length, data padded to 4 bytes. Data that holds the magic is written in several chunks."""
    parts, framed = list[bytes](), b""
    while header := file.read(8):
        if len(header) < 8 or header[:4] != _MAGIC_BYTES:
            raise BadInput("is not RecordIO, as SplitType says")
        word = struct.unpack("<I", header[4:])[0]
        kind, length = word >> 29, word & ((1 << 29) - 1)
        padded = length + (-length % 4)
        data = _exactly(file, padded, "RecordIO")
        parts.append(data[:length])
        framed += header + data
        if kind in (0, 3):
            yield Record(_MAGIC_BYTES.join(parts), framed)
            parts, framed = [], b""
    if parts:
        raise BadInput("ends in the middle of a RecordIO record")


def _tfrecord(file: IO[bytes]) -> Iterator[Record]:
    """Length (8 bytes), its checksum (4), data, its checksum (4); the checksums are the reader's to check."""
    while header := file.read(12):
        if len(header) < 12:
            raise BadInput("ends in the middle of a TFRecord record")
        length = struct.unpack("<Q", header[:8])[0]
        data = _exactly(file, length + 4, "TFRecord")
        yield Record(data[:-4], header + data)


def _exactly(file: IO[bytes], size: int, form: str) -> bytes:
    if size > 1 << 31:
        raise BadInput(f"is not {form}, as SplitType says")
    data = file.read(size)
    if len(data) < size:
        raise BadInput(f"ends in the middle of a {form} record")
    return data

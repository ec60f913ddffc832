"""Objects into records and records into bodies: tables, and files in the formats' own words."""

import io
import struct

import pytest

from tobo.resources.transform_jobs.splitting import BadInput, Record, batch_up, read_records

MAGIC = struct.pack("<I", 0xCED7230A)


def recordio(data: bytes, kind: int = 0) -> bytes:
    return MAGIC + struct.pack("<I", kind << 29 | len(data)) + data + bytes(-len(data) % 4)


def tfrecord(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + b"CRC1" + data + b"CRC2"


@pytest.mark.parametrize(
    ("split", "data", "payloads"),
    [
        ("None", b"a\nb\n", [b"a\nb\n"]),
        ("None", b"", [b""]),
        ("Line", b"a\nb\n", [b"a", b"b"]),
        ("Line", b"a\r\n\r\n  \nb", [b"a", b"b"]),
        ("Line", b"", []),
        ("RecordIO", recordio(b"one") + recordio(b"four"), [b"one", b"four"]),
        (
            "RecordIO",
            recordio(b"ab", 1) + recordio(b"cd", 2) + recordio(b"ef", 3),
            [b"ab" + MAGIC + b"cd" + MAGIC + b"ef"],
        ),
        ("RecordIO", recordio(b""), [b""]),
        ("TFRecord", tfrecord(b"one") + tfrecord(b""), [b"one", b""]),
    ],
)
def test_records(split: str, data: bytes, payloads: list[bytes]) -> None:
    records = list(read_records(io.BytesIO(data), split))
    assert [record.payload for record in records] == payloads
    if split in ("RecordIO", "TFRecord"):
        assert b"".join(record.framed for record in records) == data


@pytest.mark.parametrize(
    ("split", "data", "says"),
    [
        ("RecordIO", b"\xff\xd8\xff\xe0 a picture", "is not RecordIO"),
        ("RecordIO", recordio(b"one")[:-2], "middle of a RecordIO"),
        ("RecordIO", recordio(b"ab", 1), "middle of a RecordIO"),
        ("RecordIO", MAGIC, "is not RecordIO"),
        ("TFRecord", tfrecord(b"one")[:-1], "middle of a TFRecord"),
        ("TFRecord", b"short", "middle of a TFRecord"),
        ("TFRecord", b"\xff" * 40, "is not TFRecord"),
    ],
)
def test_broken_objects(split: str, data: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        list(read_records(io.BytesIO(data), split))


@pytest.mark.parametrize(
    ("single", "limit", "expected"),
    [
        (True, 0, [(1, b"aa"), (2, b"bb"), (3, b"cc"), (4, b"dd")]),
        (False, 0, [(1, b"aa\nbb\ncc\ndd")]),
        (False, 5, [(1, b"aa\nbb"), (3, b"cc\ndd")]),
        (False, 4, [(1, b"aa"), (2, b"bb"), (3, b"cc"), (4, b"dd")]),
    ],
)
def test_batches(single: bool, limit: int, expected: list[tuple[int, bytes]]) -> None:
    records = ((Record(text, text), text, "") for text in (b"aa", b"bb", b"cc", b"dd"))
    batches = list(batch_up(records, "Line", single, limit))
    assert [(batch.first, batch.body) for batch in batches] == expected
    assert b"".join(b"".join(batch.sources) for batch in batches) == b"aabbccdd"


def test_a_refused_record_keeps_its_place() -> None:
    given = [(b"aa", ""), (b"much too long", ""), (b"bb", ""), (b"x", "it is bad"), (b"cc", "")]
    records = ((Record(text, text), text, refusal) for text, refusal in given)
    batches = list(batch_up(records, "Line", False, 8))
    assert [(batch.first, bool(batch.refusal)) for batch in batches] == [(1, 0), (2, 1), (3, 0), (4, 1), (5, 0)]
    assert "MaxPayloadInMB" in batches[1].refusal and batches[3].refusal == "it is bad"

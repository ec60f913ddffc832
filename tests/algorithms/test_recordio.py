"""RecordIO files are read back as written, and broken ones are refused with file and byte."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobo.algorithms.image_classification import recordio
from tobo.kit.guest import UserError

MAGIC = struct.pack("<I", recordio.MAGIC)

LABELS = st.lists(st.integers(0, 1000).map(float), min_size=1, max_size=5).map(tuple)
PICTURES = st.lists(st.sampled_from([MAGIC, b"x", b"1234", b"\0\0"]) | st.binary(max_size=9), max_size=6).map(b"".join)


@given(st.lists(st.tuples(PICTURES, LABELS, st.integers(0, 2**64 - 1)), max_size=4))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[bytes, tuple[float, ...], int]]
) -> None:
    file = tmp_path_factory.mktemp("rec") / "train.rec"
    with file.open("wb") as stream:
        for data, labels, identity in records:
            recordio.write_record(stream, data, labels, identity)
    found = list(recordio.scan(file))
    assert [(recordio.read_picture(file, each.offset), each.labels, each.id) for each in found] == records


def test_a_record_as_im2rec_lays_it_out() -> None:
    stream = io.BytesIO()
    recordio.write_record(stream, b"JPEG!", (3.0,), 7)
    header = struct.pack("<IfQQ", 0, 3.0, 7, 0)
    assert stream.getvalue() == MAGIC + struct.pack("<I", len(header) + 5) + header + b"JPEG!" + b"\0\0\0"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:-9], r"train.rec: the record at byte 0 is cut off"),
        (lambda data: data + b"abc", r"train.rec: the record at byte 60 is cut off"),
        (lambda data: b"\xff\xd8" + data, r"no RecordIO record at byte 0"),
        (lambda data: MAGIC + struct.pack("<I", 4) + b"abcd", r"record at byte 0 is no image record"),
        (lambda data: data[:8] + struct.pack("<I", 99) + data[12:], r"announces 99 labels"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, damage: object, said: str) -> None:
    file = tmp_path / "train.rec"
    stream = io.BytesIO()
    recordio.write_record(stream, b"p" * 28, (1.0,), 0)
    file.write_bytes(damage(stream.getvalue()))  # type: ignore[operator]
    with pytest.raises(UserError, match=said):
        list(recordio.scan(file))

"""Filters and joins: tables of record, answer and what is kept."""

from pathlib import Path
from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.resources.transform_jobs.assembling import Output, error_line, pieces
from tobo.resources.transform_jobs.processing import BadRecord, Processing, read_processing
from tobo.resources.transform_jobs.splitting import Batch
from tobo.wire.body import SPOOL_LIMIT

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"


def processing(content_type: str, split: str = "Line", **given: str) -> Processing:
    asked: dict[str, Any] = {
        "TransformInput": {"ContentType": content_type, "SplitType": split},
        "TransformOutput": {"AssembleWith": split},
        "DataProcessing": given,
    }
    return read_processing(asked)


@pytest.mark.parametrize(
    ("content_type", "path", "record", "sent"),
    [
        (CSV, "$", b"a,b,c", b"a,b,c"),
        (CSV, "$[1:]", b'7,"b,c",d', b'"b,c",d'),
        (CSV, "$[0,2]", b"a,b,c", b"a,c"),
        (CSV, "$[-1]", b"a,b,c", b"c"),
        (CSV, "$[:2]", b"a,b,c", b"a,b"),
        (LINES, "$.features", b'{"id": 1, "features": [1.5, 2]}', b"[1.5,2]"),
        (LINES, "$['a','b']", b'{"a": 1, "b": {"c": 2}, "d": 3}', b'{"a":1,"b":{"c":2}}'),
        (LINES, "$.a.*", b'{"a": {"x": 1, "y": 2}}', b"[1,2]"),
        (LINES, "$.a[0].b", b'{"a": [{"b": "x"}]}', b'"x"'),
    ],
)
def test_input_filter(content_type: str, path: str, record: bytes, sent: bytes) -> None:
    assert processing(content_type, InputFilter=path).incoming(record) == sent


@pytest.mark.parametrize(
    ("content_type", "given", "record", "answer", "kept"),
    [
        (CSV, {"JoinSource": "Input"}, b"1,a", b"0.5,0.5\n", b"1,a,0.5,0.5"),
        (CSV, {"JoinSource": "Input", "OutputFilter": "$[0,-1]"}, b"1,a", b"0.25,0.75", b"1,0.75"),
        (CSV, {"OutputFilter": "$[1]"}, b"1,a", b"0.25,0.75", b"0.75"),
        (LINES, {"JoinSource": "Input"}, b'{"id":1}', b'{"p":2}', b'{"id":1,"SageMakerOutput":{"p":2}}'),
        (LINES, {"JoinSource": "Input"}, b"[1]", b"[2]", b'{"SageMakerInput":[1],"SageMakerOutput":[2]}'),
        (
            LINES,
            {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
            b'{"id":1,"features":[1,2]}',
            b"0.5",
            b'{"id":1,"SageMakerOutput":0.5}',
        ),
        ("image/jpeg", {"OutputFilter": "$[1]"}, b"\xff\xd8", b"[0.25, 0.75]", b"0.75"),
    ],
)
def test_join_and_output_filter(
    content_type: str, given: dict[str, str], record: bytes, answer: bytes, kept: bytes
) -> None:
    answered = JSON if content_type == "image/jpeg" else content_type
    assert processing(content_type, **given).outgoing(record, answer, answered) == kept


@pytest.mark.parametrize(
    ("content_type", "given", "record", "answer", "answered", "says"),
    [
        (LINES, {"InputFilter": "$.x"}, b"{broken", b"", JSON, "The record is not JSON"),
        (LINES, {"InputFilter": "$.x"}, b'{"y":1}', b"", JSON, "selects nothing"),
        (CSV, {"InputFilter": "$[9:]"}, b"1,2", b"", CSV, "selects nothing"),
        (CSV, {"InputFilter": "$[0]"}, b'"1,2', b"", CSV, "not one line of CSV"),
        (CSV, {"OutputFilter": "$[0]"}, b"1", b"<p>", "text/html", "neither CSV nor JSON"),
        (CSV, {"JoinSource": "Input"}, b"1", b"[1]", JSON, "cannot be joined"),
    ],
)
def test_records_that_cannot_be_processed(
    content_type: str, given: dict[str, str], record: bytes, answer: bytes, answered: str, says: str
) -> None:
    processed = processing(content_type, **given)
    with pytest.raises(BadRecord, match=says):
        processed.incoming(record)
        processed.outgoing(record, answer, answered)


@pytest.mark.parametrize(
    ("content_type", "split", "given", "says"),
    [
        ("image/jpeg", "None", {"InputFilter": "$.x"}, "image/jpeg"),
        ("image/jpeg", "None", {"JoinSource": "Input"}, "image/jpeg"),
        (CSV, "None", {"InputFilter": "$[0]"}, "SplitType Line"),
        (JSON, "RecordIO", {"InputFilter": "$.x"}, "RecordIO"),
        (LINES, "Line", {"InputFilter": "$["}, "InputFilter"),
        (LINES, "Line", {"InputFilter": "features"}, "begins with"),
        (LINES, "Line", {"OutputFilter": "$..x"}, "Descendants"),
        (LINES, "Line", {"OutputFilter": "$.a[?(@.b > 1)]"}, "OutputFilter"),
    ],
)
def test_requests_that_do_not_fit(content_type: str, split: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(Fault, match=says) as refused:
        processing(content_type, split, **given)
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(("assemble", "accept", "says"), [("None", CSV, "the same"), ("Line", JSON, "Accept")])
def test_a_join_needs_the_same_form_on_both_sides(assemble: str, accept: str, says: str) -> None:
    with pytest.raises(Fault, match=says):
        read_processing(
            {
                "TransformInput": {"ContentType": CSV, "SplitType": "Line"},
                "TransformOutput": {"AssembleWith": assemble, "Accept": accept},
                "DataProcessing": {"JoinSource": "Input"},
            }
        )


def test_a_batch_is_joined_line_by_line() -> None:
    batch = Batch(1, (b"1", b"2"), b"1\n2")
    assert pieces(processing(CSV, JoinSource="Input"), batch, b"x\ny\n", CSV) == [b"1,x", b"2,y"]
    assert pieces(processing(CSV), batch, b"x\ny\n", CSV) == [b"x\ny\n"]
    with pytest.raises(BadRecord, match="3 lines to 2 records"):
        pieces(processing(CSV, JoinSource="Input"), batch, b"x\ny\nz", CSV)


@pytest.mark.parametrize(("lines", "expected"), [(True, b"a\nb\nc\n"), (False, b"ab\nc")])
def test_assembling(tmp_path: Path, lines: bool, expected: bytes) -> None:
    output = Output(tmp_path, lines)
    for piece in (b"a", b"b\n", b"c"):
        output.add(piece)
    assert output.body().read() == expected and not list(tmp_path.iterdir())


def test_a_large_output_goes_to_a_file(tmp_path: Path) -> None:
    output = Output(tmp_path, False)
    for number in range(5):
        output.add(bytes([number]) * (SPOOL_LIMIT // 2))
    body = output.body()
    assert body.path is not None and body.path.stat().st_size == body.size
    assert body.read() == b"".join(bytes([number]) * (SPOOL_LIMIT // 2) for number in range(5))
    output.discard()
    assert not list(tmp_path.iterdir())


def test_error_lines() -> None:
    assert error_line(3, 400, "no") == b'{"error":{"record":3,"status":400,"message":"no"}}'

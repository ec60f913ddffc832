"""A compiled model's folder: read as it was written, or refused with what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from tobo.edge import compiled
from tobo.edge.compiled import BadModel, Compiled

MODEL = Compiled(
    "rasp4b",
    "onnxruntime",
    "int8",
    "model.onnx",
    ("ko", "ok"),
    (3, 96, 96),
    {"mean": [0.5]},
    {"ok": 0.7},
    {"ok": (1,) * 10},
    ("onnxruntime>=1.20",),
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"graph")
    compiled.write(tmp_path, MODEL)
    assert compiled.read(tmp_path) == MODEL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "has no readable compiled.json"),
        ({"format": 2}, "is not of format 1"),
        ({"graph": "other.onnx"}, "has no other.onnx"),
        ({"scores": [1]}, "lacks or mistypes"),
        ({"labels": None}, "lacks or mistypes"),
    ],
)
def test_refused(tmp_path: Path, change: dict[str, Any] | None, message: str) -> None:
    (tmp_path / "model.onnx").write_bytes(b"graph")
    if change is not None:
        compiled.write(tmp_path, MODEL)
        file = tmp_path / compiled.FILE
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(BadModel, match=message):
        compiled.read(tmp_path)

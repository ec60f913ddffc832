"""What ncnn is not built for, and what its converter cannot do, is a sentence."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.support import graphs

from tobo.compilers import ncnn
from tobo.compilers.base import Built
from tobo.compilers.model import Sample, Samples, Source
from tobo.compilers.ncnn import Ncnn
from tobo.kit.guest import UserError

make = helper.make_node
START = [make("Cast", ["pictures"], ["f"], to=TensorProto.FLOAT), make("Transpose", ["f"], ["p"], perm=[0, 3, 1, 2])]
END = [make("GlobalAveragePool", ["r"], ["m"]), make("Flatten", ["m"], ["y"])]
CONVOLVED = make("Conv", ["p", "w"], ["c"], kernel_shape=[1, 1])


def source(folder: Path, nodes: Sequence[Any], pictures: bool = True) -> Source:
    kernel = np.random.default_rng(1).normal(size=(3, 3, 1, 1)).astype(np.float32)
    given = ("pictures", TensorProto.UINT8, ["n", "h", "w", 3])
    file = folder / "source.onnx"
    file.write_bytes(graphs.graph(nodes, {"w": kernel}, given, ("y", ["n", 3])))
    samples = Samples((lambda: Sample({"pictures": graphs.picture(1)[None]}),))
    return Source(file, "torch", samples, samples, pictures=pictures)


@pytest.mark.parametrize(
    ("nodes", "pictures", "sentence"),
    [
        ([*START, CONVOLVED, make("Relu", ["c"], ["r"]), *END], False, "ncnn is built for classifiers of pictures"),
        ([*START, CONVOLVED, make("Add", ["c", "p"], ["r"]), *END], True, None),
        (
            [
                make("Shape", ["pictures"], ["s"]),
                *START,
                *(CONVOLVED, make("Relu", ["c"], ["r"]), END[0]),
                *(make("Slice", ["s", "from", "to"], ["n"]), make("Reshape", ["m", "n"], ["y"])),
            ],
            True,
            "one input behind its preprocessing",
        ),
        ([*START, CONVOLVED, make("Det", ["c"], ["d"]), make("Unsqueeze", ["d", "x"], ["r"]), *END], True, "ncnn"),
    ],
    ids=["no pictures", "a branch", "two inputs", "an operator"],
)
def test_what_is_built(tmp_path: Path, nodes: Sequence[Any], pictures: bool, sentence: str | None) -> None:
    folder = tmp_path / "built"
    folder.mkdir()
    asked = source(tmp_path, nodes, pictures)
    if sentence is not None:
        with pytest.raises(UserError, match=sentence) as caught:
            Ncnn().compile(asked, folder)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
        return
    built = Ncnn().compile(asked, folder)
    assert {path.name for path in folder.iterdir()} == set(built.files)
    assert built.details["network"]["input"]["shape"] == [3, 24, 20]


@pytest.mark.parametrize("missing", ["ncnn", "pnnx"])
def test_a_package_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None if missing == "ncnn" else sys.modules.get("ncnn"))
    found = importlib.util.find_spec
    monkeypatch.setattr(ncnn, "find_spec", lambda name: None if name == missing else found(name))
    with pytest.raises(UserError, match=r"ncnn and pnnx are not installed: pip install 'tobo\[compile\]'"):
        Ncnn().compile(source(tmp_path, [*START, CONVOLVED, make("Relu", ["c"], ["r"]), *END]), tmp_path)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "built"
    folder.mkdir()
    built: Built = Ncnn().compile(source(tmp_path, [*START, CONVOLVED, make("Relu", ["c"], ["r"]), *END]), folder)
    (folder / built.graph).write_text("no layers\n")
    with pytest.raises(UserError, match="ncnn refuses the graph"):
        Ncnn().load(folder, built)

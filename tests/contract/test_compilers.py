"""The compilers' promise, held to every adapter with a small trained classifier and somebody's own graph."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.support import graphs
from tests.support.graphs import LABELS, picture

from tobo.compilers.adapters import find_compilers
from tobo.compilers.base import Compiler
from tobo.compilers.decisions import flat
from tobo.compilers.model import Sample, Samples, Source
from tobo.compilers.targets import BUILT, Runtime
from tobo.kit.guest import UserError

ADAPTERS = [
    (runtime, precision, target, compiler.variant)
    for runtime, precision, target in (
        ("onnxruntime", "fp32", "rasp4b"),
        ("onnxruntime", "int8", "rasp4b"),
        ("onnxruntime", "int8", "ml_c5"),
        ("openvino", "fp32", "ml_c5"),
        ("openvino", "int8", "ml_c5"),
        ("ncnn", "fp32", "android_arm64"),
    )
    for compiler in find_compilers(runtime, precision, BUILT[target])  # type: ignore[arg-type]
]
NEAR = {
    "onnxruntime fp32": 1e-6,
    "openvino fp32": 2e-3,
    "ncnn fp32": 1e-5,
    "onnxruntime int8": 0.05,
    "openvino int8": 0.05,
}
"""By how much scores from 0 to 1 may differ: OpenVINO's resize is within one grey level of the source's."""


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: "-".join(adapter))
def compiler(request: pytest.FixtureRequest) -> Compiler:
    runtime, precision, target, variant = request.param
    [found] = [each for each in find_compilers(runtime, precision, BUILT[target]) if each.variant == variant]
    return found


def samples(count: int, height: int = 24, width: int = 20) -> Samples:
    def sample(number: int) -> Sample:
        return Sample({"pictures": picture(number, height, width)[None]})

    return Samples(tuple(partial(sample, number) for number in range(count)))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    file = tmp_path / "source.onnx"
    file.write_bytes(graphs.classifier())
    return Source(file, "torch", samples(12), samples(16), labels=LABELS, pictures=True)


def answers(run: Callable[..., list[np.ndarray]], tried: Samples) -> np.ndarray:
    return np.stack([flat(run(sample.feeds)) for sample in tried])


def expected(source: Source, tried: Samples, tmp_path: Path) -> np.ndarray:
    plain = find_compilers("onnxruntime", "fp32", BUILT["rasp4b"])[-1]
    folder = tmp_path / "expected"
    folder.mkdir()
    return answers(plain.load(folder, plain.compile(source, folder)), tried)


@pytest.mark.parametrize(("height", "width"), [(24, 20), (16, 16), (90, 130), (5, 7)])
def test_it_gives_the_source_s_scores_for_pictures_of_any_size(
    compiler: Compiler, source: Source, tmp_path: Path, height: int, width: int
) -> None:
    folder = tmp_path / "built"
    folder.mkdir()
    run = compiler.load(folder, compiler.compile(source, folder))
    tried = samples(6, height, width)
    before, after = expected(source, tried, tmp_path), answers(run, tried)
    assert before.shape == after.shape == (6, 3)
    assert np.abs(before - after).max() <= NEAR[f"{compiler.runtime} {compiler.precision}"]
    assert after.sum(axis=1) == pytest.approx(1, abs=1e-3)


def test_the_folder_stands_alone_and_can_be_moved(compiler: Compiler, source: Source, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "built", tmp_path / "elsewhere" / "deep"
    folder.mkdir()
    built = compiler.compile(source, folder)
    assert {path.name for path in folder.iterdir()} == set(built.files) >= {built.graph}
    assert built.size(folder) > 0 and (built.runtime, built.precision) == (compiler.runtime, compiler.precision)
    before = answers(compiler.load(folder, built), source.examined)
    elsewhere.parent.mkdir()
    shutil.move(folder, elsewhere)
    source.graph.unlink()
    assert (answers(compiler.load(elsewhere, built), source.examined) == before).all()


def test_compiling_again_gives_the_same_answers(compiler: Compiler, source: Source, tmp_path: Path) -> None:
    found = []
    for name in ("once", "again"):
        folder = tmp_path / name
        folder.mkdir()
        found.append(answers(compiler.load(folder, compiler.compile(source, folder)), source.examined))
    assert (found[0] == found[1]).all()


def test_an_operator_that_nobody_has_is_named(compiler: Compiler, source: Source, tmp_path: Path) -> None:
    file = tmp_path / "strange.onnx"
    file.write_bytes(graphs.convolution([1, 3, 4, 4], "Spectralise", "acme"))
    strange = replace(
        source, graph=file, calibration=Samples((lambda: Sample({"x": np.ones((1, 3, 4, 4), np.float32)}),))
    )
    folder = tmp_path / "built"
    folder.mkdir()
    with pytest.raises(UserError, match="Spectralise"):
        compiler.load(folder, compiler.compile(strange, folder))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_int8_says_what_it_lacks(runtime: Runtime, source: Source, tmp_path: Path) -> None:
    compiler = find_compilers(runtime, "int8", BUILT["ml_c5"])[-1]
    folder = tmp_path / "built"
    folder.mkdir()
    with pytest.raises(UserError, match="int8 needs samples to calibrate with"):
        compiler.compile(replace(source, calibration=Samples()), folder)
    softmax = tmp_path / "softmax.onnx"
    nodes = [helper.make_node("Softmax", ["x"], ["y"])]
    softmax.write_bytes(graphs.graph(nodes, {}, ("x", TensorProto.FLOAT, [1, 3]), ("y", [1, 3])))
    with pytest.raises(UserError, match="int8 needs convolutions or matrix products"):
        compiler.compile(replace(source, graph=softmax), folder)


@pytest.mark.parametrize(("target", "most"), [("rasp4b", 127), ("ml_c5", 63)])
def test_int8_keeps_the_preprocessing_as_it_was(target: str, most: int, source: Source, tmp_path: Path) -> None:
    """And has weights of 7 bits where dot products may saturate."""
    compiler = find_compilers("onnxruntime", "int8", BUILT[target])[-1]
    graph = onnx.load(str(tmp_path / compiler.compile(source, tmp_path).graph)).graph
    exact = [node for node in graph.node if node.op_type in ("Resize", "Transpose", "BatchNormalization", "Softmax")]
    assert len(exact) == 4 and not any("Quantize" in name for node in exact for name in node.input)
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert all(name.endswith("_DequantizeLinear_Output") for node in convolutions for name in node.input[:2])
    weights = [numpy_helper.to_array(value) for value in graph.initializer if value.data_type == TensorProto.INT8]
    found = [np.abs(value.astype(int)).max() for value in weights if value.ndim == 4]
    assert len(found) == 2 and all(most - 1 <= largest <= most + 1 for largest in found)

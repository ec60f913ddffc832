"""A compiled model on the device: it gives the trained network's scores, or is refused before it sorts."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support import graphs
from tests.support.compiled_model import LABELS, compiled_folder, pictures

from tobo.edge import compiled
from tobo.edge.classifier import ClassifierFault, load, probe
from tobo.edge.compiled import BadModel


def test_scores_are_those_of_the_graph(tmp_path: Path) -> None:
    folder = compiled_folder(tmp_path / "model")
    classifier = load(folder)
    golden = json.loads((folder / "golden" / "scores.json").read_text())
    assert classifier.labels == LABELS
    for index, pixels in enumerate(pictures()):
        scores = classifier.classify(pixels)
        assert scores.dtype == np.float32 and scores.shape == (2,)
        assert scores.tolist() == pytest.approx(golden[f"{index}.png"], abs=1e-6)
    found = probe(folder, classifier)
    assert found.pictures == 3 and found.difference < 1e-5


def test_a_classifier_has_no_threads_of_its_own(tmp_path: Path) -> None:
    folder = compiled_folder(tmp_path / "model")
    load(folder)  # the runtime's own, once for all
    before = len(list(Path("/proc/self/task").iterdir()))
    kept = [load(folder) for _ in range(3)]
    assert kept and len(list(Path("/proc/self/task").iterdir())) == before


def test_openvino_gives_the_same_scores(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    folder = compiled_folder(tmp_path / "model", runtime="openvino")
    classifier = load(folder)
    assert probe(folder, classifier).difference < 1e-4
    assert classifier.classify(pictures()[0]).shape == (2,)


def test_ncnn_gives_the_same_scores(tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    folder = compiled_folder(tmp_path / "model", architecture="convolutions", runtime="ncnn", labels=graphs.LABELS)
    assert not (folder / "model.onnx").exists()
    classifier = load(folder)
    assert probe(folder, classifier).difference < 1e-5
    assert classifier.classify(pictures(4, 90)[3]).shape == (3,)
    (folder / "model.bin").unlink()
    with pytest.raises(BadModel, match=r"cannot be loaded by ncnn \(ncnn does not read model\.param with model\.bin"):
        load(folder)


@pytest.mark.parametrize(("package", "name"), [("openvino", "OpenVINO"), ("ncnn", "ncnn")])
def test_a_runtime_that_is_not_installed_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str
) -> None:
    folder = compiled_folder(tmp_path / "model")
    rewrite(runtime=package)(folder)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadModel, match=f"runs on {name}, which is not installed; `pip install {package}`"):
        load(folder)


def rewrite(**changed: object) -> Callable[[Path], None]:
    return lambda folder: compiled.write(folder, replace(compiled.read(folder), **changed))


def flip(folder: Path) -> None:
    file = folder / "golden" / "scores.json"
    file.write_text(json.dumps({name: row[::-1] for name, row in json.loads(file.read_text()).items()}))


def scores_of(value: object) -> Callable[[Path], None]:
    return lambda folder: (folder / "golden" / "scores.json").write_text(json.dumps(value)) and None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (rewrite(runtime="tflite"), "wants the runtime 'tflite'; this agent has onnxruntime, openvino, ncnn"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"no graph"), "cannot be loaded by onnxruntime"),
        (lambda folder: (folder / "golden" / "0.png").unlink(), "has no readable golden pictures"),
        (lambda folder: (folder / "golden" / "0.png").write_bytes(b"x"), "has no readable golden pictures"),
        (scores_of({}), "has no golden pictures"),
        (scores_of({"0.png": [0.1, 0.2, 0.7]}), "has 3 scores, the model 2"),
        (scores_of({"0.png": [0.999, 0.001]}), "differ by .* from the trained network's; 0.01 is allowed"),
        (rewrite(labels=("a", "b", "c")), "cannot be classified. The model gave scores of shape"),
    ],
)
def test_a_model_that_is_not_what_it_has_to_be_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = compiled_folder(tmp_path / "model")
    spoil(folder)
    with pytest.raises(BadModel, match=message):
        probe(folder, load(folder))


def test_a_quantized_model_may_round(tmp_path: Path) -> None:
    folder = compiled_folder(tmp_path / "model", precision="int8")
    file = folder / "golden" / "scores.json"
    file.write_text(
        json.dumps({name: [row[0] + 0.1, row[1] - 0.1] for name, row in json.loads(file.read_text()).items()})
    )
    assert probe(folder, load(folder)).difference == pytest.approx(0.1, abs=1e-4)
    rewrite(details={"probe_tolerance": 0.05})(folder)
    with pytest.raises(BadModel, match=r"0\.05 is allowed"):
        probe(folder, load(folder))


def test_a_picture_that_the_model_cannot_take_is_a_fault(tmp_path: Path) -> None:
    classifier = load(compiled_folder(tmp_path / "model"))
    with pytest.raises(ClassifierFault, match="The model failed on a picture of shape"):
        classifier.classify(np.zeros((5, 5), np.uint8))


def test_scores_that_are_no_numbers_are_a_fault(tmp_path: Path) -> None:
    classifier = load(compiled_folder(tmp_path / "model"))
    broken = replace(classifier, run=lambda pixels: np.array([[np.nan, 1.0]], np.float32))
    with pytest.raises(ClassifierFault, match="no numbers"):
        broken.classify(pictures()[0])

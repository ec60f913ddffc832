"""A compiled model at work: pixels in, scores out, on one thread; and the probe that proves it on its golden pictures."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.edge import compiled
from tobo.edge.compiled import BadModel, Compiled
from tobo.inference.openvino_graph import import_openvino
from tobo.inference.pictures import UnreadablePicture, decode

Scores = npt.NDArray[np.float32]

TOLERANCE = {"fp32": 1e-2, "fp16": 2e-2}
"""By how much a golden picture's scores may differ from the trained network's, by precision."""
QUANTIZED_TOLERANCE = 0.25
"""The same for int8 and whatever else rounds: a probe tells a broken model from a whole one, its quality is certified."""


class ClassifierFault(Exception):
    """The model gave no usable scores; the message is one sentence, the part is ko."""


@dataclass(frozen=True)
class Classifier:
    """`run` takes uint8 RGB [1, height, width, 3] and gives float32 [1, labels]."""

    compiled: Compiled
    run: Callable[[npt.NDArray[np.uint8]], Any]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.compiled.labels

    def classify(self, pixels: npt.NDArray[np.uint8]) -> Scores:
        """uint8 RGB [height, width, 3] -> float32 [labels]. Raises ClassifierFault."""
        try:
            scores = np.asarray(self.run(np.ascontiguousarray(pixels[None])), np.float32)
        except Exception as error:  # each runtime has errors of its own
            raise ClassifierFault(f"The model failed on a picture of shape {pixels.shape}: {error}") from error
        if scores.shape != (1, len(self.labels)) or not np.isfinite(scores).all():
            raise ClassifierFault(f"The model gave scores of shape {scores.shape}, or such that are no numbers.")
        row: Scores = scores[0]
        return row


@dataclass(frozen=True)
class Probe:
    """`difference` is the largest one of any score on `pictures` golden pictures."""

    pictures: int
    difference: float


def load(folder: Path) -> Classifier:
    """The model of a compiled folder, on one thread. Raises BadModel."""
    found = compiled.read(folder)
    if found.runtime not in _RUNTIMES:
        raise BadModel(f"'{folder}' wants the runtime '{found.runtime}'; this agent has {', '.join(_RUNTIMES)}.")
    try:
        return Classifier(found, _RUNTIMES[found.runtime](folder / found.graph))
    except BadModel:
        raise
    except Exception as error:  # each runtime has errors of its own
        raise BadModel(f"'{folder / found.graph}' cannot be loaded by {found.runtime} ({error}).") from error


def probe(folder: Path, classifier: Classifier) -> Probe:
    """Asks the model for the scores of its golden pictures. Raises BadModel where they are not what they have to be.

    They may differ by the tolerance of the precision (or `details["probe_tolerance"]`), and the highest score has to
    be the same label's wherever the trained network was surer than twice that.
    """
    kept = classifier.compiled
    tolerance = float(kept.details.get("probe_tolerance", TOLERANCE.get(kept.precision, QUANTIZED_TOLERANCE)))
    try:
        golden = json.loads((folder / "golden" / "scores.json").read_text())
        pictures = {name: decode((folder / "golden" / name).read_bytes()).pixels for name in golden}
    except (OSError, ValueError, UnreadablePicture) as error:
        raise BadModel(f"'{folder}' has no readable golden pictures ({error}); compile the model again.") from None
    if not pictures:
        raise BadModel(f"'{folder}' has no golden pictures; compile the model again.")
    largest = 0.0
    for name, pixels in pictures.items():
        try:
            scores, expected = classifier.classify(pixels), np.asarray(golden[name], np.float32)
        except ClassifierFault as error:
            raise BadModel(f"The golden picture '{name}' cannot be classified. {error}") from None
        if expected.shape != scores.shape:
            raise BadModel(f"The golden picture '{name}' has {expected.size} scores, the model {scores.size}.")
        difference = float(np.abs(scores - expected).max())
        sureness = float(np.subtract(*np.sort(expected)[:-3:-1])) if expected.size > 1 else 0.0
        flipped = sureness > 2 * tolerance and scores.argmax() != expected.argmax()
        if difference > tolerance or flipped:
            raise BadModel(
                f"The golden picture '{name}' got scores that differ by {difference:.3g} from the trained network's; "
                f"{tolerance:g} is allowed."
            )
        largest = max(largest, difference)
    return Probe(len(pictures), largest)


def _onnxruntime(graph: Path) -> Callable[[npt.NDArray[np.uint8]], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A second thread would spin while it waits, on a machine that has the camera to serve.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # plans memory for pictures of one size, and keeps 2 MB for it
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels})[0]


def _openvino(graph: Path) -> Callable[[npt.NDArray[np.uint8]], Any]:
    try:
        openvino = import_openvino()
    except ImportError:
        raise BadModel(f"'{graph}' runs on OpenVINO, which is not installed; `pip install openvino`.") from None
    # Without the precision, newer processors would compute in bfloat16, with other scores than the rest of a fleet.
    wanted = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(str(graph), "CPU", wanted)
    return lambda pixels: model(pixels)[0]


def _ncnn(graph: Path) -> Callable[[npt.NDArray[np.uint8]], Any]:
    from tobo.inference.ncnn_graph import load_graph

    try:
        run = load_graph(graph)
    except ImportError:
        raise BadModel(f"'{graph}' runs on ncnn, which is not installed; `pip install ncnn`.") from None
    return lambda pixels: run({"pictures": pixels})[0]


_RUNTIMES: dict[str, Callable[[Path], Callable[[npt.NDArray[np.uint8]], Any]]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
    "ncnn": _ncnn,
}

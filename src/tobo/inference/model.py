"""A trained classifier as its archive holds it, as training or a compilation wrote it: picture bytes in, scores out."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnxruntime

from tobo.inference import ncnn_graph, openvino_graph
from tobo.inference.pictures import UnreadablePicture, decode

__all__ = ["Model", "UnreadablePicture", "load"]

_LOADERS = {"model.xml": openvino_graph.load_graph, "model.param": ncnn_graph.load_graph}

CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")


@dataclass(frozen=True)
class Model:
    """`labels[i]` names score i; `content_types` are the bodies that hold one picture each."""

    run: Callable[[Mapping[str, npt.NDArray[Any]]], Sequence[npt.NDArray[Any]]]
    labels: tuple[str, ...]
    content_types: tuple[str, ...] = CONTENT_TYPES

    def predict(self, pictures: Sequence[bytes]) -> list[list[float]]:
        """A row of scores for each picture: [len(pictures)][len(labels)], each in [0, 1]. Raises UnreadablePicture."""
        rows: list[list[float]] = []
        for data in pictures:
            scores = self.run({"pictures": decode(data).pixels[None]})[0]
            rows.append(scores[0].tolist())
        return rows


def load(model_dir: Path) -> Model:
    """Loads labels.json and model.onnx, or what OpenVINO (model.xml) or ncnn (model.param) runs.

    It has TOBO_INFERENCE_THREADS threads (1).

    One thread a replica: two spinning ones lose everything to each other on a busy machine. Raises FileNotFoundError
    naming what the archive lacks, ModuleNotFoundError where it needs OpenVINO or ncnn, which is not installed.
    """
    graph, labels = model_dir / "model.onnx", model_dir / "labels.json"
    for name in _LOADERS:
        if (model_dir / name).is_file():
            graph = model_dir / name
    for needed in (graph, labels):
        if not needed.is_file():
            raise FileNotFoundError(
                f"The model archive has no {needed.name}; it has to hold model.onnx and labels.json."
            )
    threads = int(os.environ.get("TOBO_INFERENCE_THREADS", "1"))
    run = _LOADERS.get(graph.name, _onnx)(graph, threads)
    return Model(run, tuple(str(label) for label in json.loads(labels.read_text())))


def _onnx(graph: Path, threads: int) -> Callable[[Mapping[str, npt.NDArray[Any]]], Sequence[npt.NDArray[Any]]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return lambda feeds: session.run(None, feeds)

"""A trained classifier as its archive holds it: picture bytes in, scores out."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from tobo.inference.pictures import UnreadablePicture, decode

__all__ = ["Model", "UnreadablePicture", "load"]

CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")


@dataclass(frozen=True)
class Model:
    """`labels[i]` names score i; `content_types` are the bodies that hold one picture each."""

    session: onnxruntime.InferenceSession
    labels: tuple[str, ...]
    content_types: tuple[str, ...] = CONTENT_TYPES

    def predict(self, pictures: Sequence[bytes]) -> list[list[float]]:
        """A row of scores for each picture: [len(pictures)][len(labels)], each in [0, 1]. Raises UnreadablePicture."""
        rows: list[list[float]] = []
        for data in pictures:
            scores = self.session.run(None, {"pictures": decode(data).pixels[None]})[0]
            rows.append(scores[0].tolist())
        return rows


def load(model_dir: Path) -> Model:
    """Loads model.onnx and labels.json, with TOBO_INFERENCE_THREADS threads (1).

    One thread a replica: two spinning ones lose everything to each other on a busy machine. Raises FileNotFoundError
    naming what the archive lacks.
    """
    graph, labels = model_dir / "model.onnx", model_dir / "labels.json"
    for needed in (graph, labels):
        if not needed.is_file():
            raise FileNotFoundError(
                f"The model archive has no {needed.name}; it has to hold model.onnx and labels.json."
            )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("TOBO_INFERENCE_THREADS", "1"))
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return Model(session, tuple(str(label) for label in json.loads(labels.read_text())))

"""What a training leaves in the model folder: one graph, its weights, its labels, its figures, and pictures to try it with."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from onnx import TensorProto
from safetensors.torch import save
from torch import nn

from tobo.algorithms.image_classification import metrics
from tobo.algorithms.image_classification.classifier import Classifier, HeadClassifier, Preprocessing
from tobo.algorithms.image_classification.dataset import Dataset
from tobo.algorithms.image_classification.golden import write_calibration, write_golden
from tobo.algorithms.image_classification.onnx_graph import Graph, add_network
from tobo.algorithms.image_classification.progress import Progress
from tobo.algorithms.image_classification.resizing import add_centre_crop, add_resize
from tobo.algorithms.image_classification.settings import Settings


def onnx_model(network: Classifier | HeadClassifier, settings: Settings) -> bytes:
    """`pictures` uint8 RGB [n, any height, any width, 3] -> `scores` float [n, classes]: resize, network, softmax."""
    graph = Graph()
    pixels = add_centre_crop(graph, add_resize(graph, "pictures", settings), settings)
    logits = add_network(graph, network.eval(), pixels)
    graph.node("Sigmoid" if settings.multi_label else "Softmax", [logits], "scores")
    return graph.model(("pictures", ("n", "h", "w", 3)), ("scores", TensorProto.FLOAT, ("n", settings.num_classes)))


def save_weights(network: nn.Module, preprocessing: Preprocessing, file: Path) -> None:
    """The state dict under its published names (and `head.*`), with what it expects of its input as metadata."""
    state = {name.removeprefix("backbone."): value.contiguous() for name, value in network.state_dict().items()}
    metadata = {
        "mean": ",".join(map(str, preprocessing.mean)),
        "deviation": ",".join(map(str, preprocessing.deviation)),
        "padding": "same" if preprocessing.same_padding else "symmetric",
    }
    file.write_bytes(save(state, metadata))


def write(
    folder: Path,
    network: Classifier | HeadClassifier,
    preprocessing: Preprocessing,
    settings: Settings,
    labels: tuple[str, ...],
    progress: Progress,
    train: Dataset,
    validation: Dataset | None,
) -> None:
    """Writes the model folder; raises RuntimeError where the graph does not give torch's scores."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_model(network, settings))
    save_weights(network, preprocessing, folder / "model.safetensors")
    _write_json(folder / "labels.json", list(labels))
    _write_json(folder / "history.json", progress.history)
    _write_json(folder / "model.json", describe(settings, preprocessing, labels))
    _write_json(folder / "metrics.json", figures(progress, labels, train, validation))
    write_golden(folder, network, settings, validation or train)
    write_calibration(folder, train, None if validation else folder / "golden")


def describe(settings: Settings, preprocessing: Preprocessing, labels: tuple[str, ...]) -> dict[str, Any]:
    """model.json."""
    return {
        "algorithm": "image-classification",
        "architecture": settings.architecture,
        "train_layers": settings.train_layers,
        "image_shape": [settings.channels, settings.height, settings.width],
        "resize": settings.resize,
        "preprocessing": asdict(preprocessing),
        "labels": list(labels),
        "multi_label": settings.multi_label,
        "hyperparameters": asdict(settings),
        "input": {"name": "pictures", "type": "uint8", "shape": ["n", "height", "width", 3], "colours": "RGB"},
        "output": {"name": "scores", "type": "float32", "shape": ["n", len(labels)]},
    }


def figures(progress: Progress, labels: tuple[str, ...], train: Dataset, validation: Dataset | None) -> dict[str, Any]:
    """metrics.json: the best epoch's figures; `validation` is null where no epoch was validated."""
    found: dict[str, Any] = {
        "best_epoch": progress.best_epoch,
        "epochs": len(progress.history),
        "skipped": {
            f"{dataset.name}/{dataset.examples[index].key}": reason
            for dataset in (train, validation)
            if dataset is not None
            for index, reason in dataset.broken.items()
        },
        "validation": None,
    }
    if progress.best_scored is not None:
        found["validation"] = metrics.report(progress.best_scored, labels)
    return found


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, indent=1) + "\n")

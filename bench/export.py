"""`python -m bench.export FOLDER`: model.onnx and labels.json of a ResNet-18 at 224 px with random weights."""

import json
import sys
from pathlib import Path

from tobo.algorithms.image_classification import export
from tobo.algorithms.image_classification.classifier import Preprocessing, build
from tobo.algorithms.image_classification.settings import load

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "hyperparameters.json").write_text(
        json.dumps({"num_classes": "10", "num_training_samples": "10", "num_layers": "18"})
    )
    settings = load(folder / "hyperparameters.json")
    (folder / "model.onnx").write_bytes(export.onnx_model(build(settings, Preprocessing()), settings))
    (folder / "labels.json").write_text(json.dumps([str(number) for number in range(10)]))

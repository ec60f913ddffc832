"""ResNet-18 compiled for rasp4b: int8 beside fp32 in CPU time, and the decisions that flip on marbles nobody has seen.

The network is trained on drawn marbles by the algorithm itself, compiled by the compilation job's own entry, and judged
by its certificate's figures on this machine's processor; arm64's int8 kernels are others (docs/compile.md).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.rows import Row
from tobo.kit.paths import MlPaths
from tobo.line.marbles import jpeg, photos

TRAIN, HELD_OUT, SIDE, EPOCHS = 640, 400, 96, 12
_RECIPE = {
    "num_classes": "2",
    "num_training_samples": str(TRAIN),
    "num_layers": "18",
    "image_shape": f"3,{SIDE},{SIDE}",
    "epochs": str(EPOCHS),
    "optimizer": "adamw",
    "learning_rate": "0.002",
    "lr_scheduler": "one_cycle",
    "mini_batch_size": "32",
    "augmentation_type": "inspection",
}


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tobo-bench-") as name:
        trained, compiled = MlPaths(Path(name) / "train"), MlPaths(Path(name) / "compile")
        _train(trained)
        _compile(trained.model, compiled)
        told: dict[str, Any] = json.loads((compiled.model / "certificate.json").read_text())
        before, after = _decisions(trained.model), _decisions(compiled.model)
        truth = [label == "ok" for label in _labels()]
    flipped = sum(one != other for one, other in zip(before, after, strict=True)) / HELD_OUT
    right = [sum(one == other for one, other in zip(said, truth, strict=True)) / HELD_OUT for said in (before, after)]
    return [
        Row(
            f"ResNet-18, {SIDE} px, {told['precision']}",
            told["cpu_ms"]["after"],
            "CPU-ms",
            "fp32 in ONNX Runtime",
            told["cpu_ms"]["before"],
            aim_ratio=1 / 3,
        ),
        Row(
            f"Decisions flipped by int8, {HELD_OUT} unseen marbles",
            flipped * 100,
            "%",
            aim=1.0,
            note=f"accuracy {right[0]:.3f} before, {right[1]:.3f} after",
        ),
        Row("int8 archive's graph", told["bytes"]["after"] / 1e6, "MB", "fp32", told["bytes"]["before"] / 1e6),
    ]


def _train(paths: MlPaths) -> None:
    paths.make()
    for channel, count, seed in (("train", TRAIN, 0), ("validation", TRAIN // 4, 1)):
        for number, photo in enumerate(photos(count, seed)):
            file = paths.channel(channel) / photo.label / f"{number:04}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(jpeg(photo))
    paths.hyperparameters.write_text(json.dumps(_RECIPE))
    _entry("tobo.algorithms.image_classification.train", paths)


def _compile(model: Path, paths: MlPaths) -> None:
    """For rasp4b in int8; whatever flips is for this table to tell, not for the job to refuse."""
    paths.make()
    paths.channel("model").parent.mkdir(parents=True)
    paths.channel("model").symlink_to(model)
    options = json.dumps({"precision": "int8", "tolerance": 1})
    asked = {
        "InputConfig": {"Framework": "PYTORCH"},
        "OutputConfig": {"TargetDevice": "rasp4b", "CompilerOptions": options},
    }
    (paths.config / "compilation.json").write_text(json.dumps(asked))
    _entry("tobo.compilers.job", paths)


def _entry(module: str, paths: MlPaths) -> None:
    environment = {**os.environ, "TOBO_ML_ROOT": str(paths.root), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-c", f"from {module} import main; main()"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def _unseen() -> Iterator[Any]:
    return photos(HELD_OUT, seed=2)


def _labels() -> list[str]:
    return [photo.label for photo in _unseen()]


def _decisions(model: Path) -> list[bool]:
    """Whether a model folder says ok to each of the unseen marbles."""
    from tobo.inference.model import load

    loaded = load(model)
    rows = loaded.predict([jpeg(photo) for photo in _unseen()])
    ok = loaded.labels.index("ok")
    return [row.index(max(row)) == ok for row in rows]

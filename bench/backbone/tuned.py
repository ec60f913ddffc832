"""All layers fine-tuned for a few epochs by the product itself: an /opt/ml tree in, its exported model asked at the end."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.backbone.data import Pictures, balanced_accuracy, load
from tobo.algorithms.image_classification import train
from tobo.inference.model import load as load_model
from tobo.kit.paths import MlPaths

EPOCHS = 5
RECIPE = {
    "backbone": "mobilenet_v2",
    "train_layers": "all",
    "optimizer": "adamw",
    "lr_scheduler": "one_cycle",
    "learning_rate": "0.001",
    "weight_decay": "0.05",
    "mini_batch_size": "32",
    "epochs": str(EPOCHS),
}
AUGMENTATION = {"marbles": "inspection", "deeppcb_crops": "inspection", "sign_digits": "crop"}
"""Parts lie as they fall; a hand does not."""


def accuracies(file: Path | None, name: str, size: int, seeds: int) -> list[float]:
    """Balanced accuracies on the unseen pictures, one a seed, after EPOCHS epochs from these weights (None: from chance).

    There is no validation channel, so no epoch is chosen by unseen pictures: the last one counts.
    """
    return [_accuracy(file, name, size, seed) for seed in range(seeds)]


def _accuracy(file: Path | None, name: str, size: int, seed: int) -> float:
    pool, unseen = load(name, size)
    rows = pool.picked(seed)
    known = Pictures(pool.pixels[rows], pool.classes[rows])
    with tempfile.TemporaryDirectory() as root, _ml_root(Path(root)) as paths:
        _write(paths, known, RECIPE | {"augmentation_type": AUGMENTATION[name], "seed": str(seed)} | _start(file), size)
        with contextlib.redirect_stdout(None):
            train.train()
        run = load_model(paths.model).run
        batches = np.array_split(unseen.pixels, len(unseen.pixels) // 50)
        said = np.concatenate([run({"pictures": batch})[0].argmax(1) for batch in batches])
    return balanced_accuracy(said, unseen.classes)


def _start(file: Path | None) -> dict[str, str]:
    return (
        {"use_pretrained_model": "0"}
        if file is None
        else {
            "use_pretrained_model": "1",
            "pretrained_weights": str(file.absolute()),
        }
    )


@contextlib.contextmanager
def _ml_root(root: Path) -> Iterator[MlPaths]:
    before = os.environ.get("TOBO_ML_ROOT")
    os.environ["TOBO_ML_ROOT"] = str(root)
    try:
        yield MlPaths(root)
    finally:
        if before is None:
            del os.environ["TOBO_ML_ROOT"]
        else:
            os.environ["TOBO_ML_ROOT"] = before


def _write(paths: MlPaths, known: Pictures, hyperparameters: dict[str, str], size: int) -> None:
    """One folder a class, and hyperparameters.json."""
    paths.make()
    sent = {
        **hyperparameters,
        "num_classes": str(len(np.unique(known.classes))),
        "num_training_samples": str(len(known.classes)),
        "image_shape": f"3,{size},{size}",
    }
    paths.hyperparameters.write_text(json.dumps(sent))
    for number, (pixels, label) in enumerate(zip(known.pixels, known.classes, strict=True)):
        file = paths.channel("train") / f"{label:02d}" / f"{number:04d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, compress_level=1)

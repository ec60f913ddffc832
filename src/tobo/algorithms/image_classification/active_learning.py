"""What a labelling job that learns has computed here: features of its pictures, and at its end a model of its last head.

The network is frozen: the one that tobo ships, or that of the model channel. kit/learning.py names the files.
"""

import json
import os
from collections.abc import Mapping

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when torch loads its threads

import numpy as np
import torch

from tobo.algorithms.image_classification import export, shipped
from tobo.algorithms.image_classification.classifier import HeadClassifier, Preprocessing
from tobo.algorithms.image_classification.dataset import Dataset, cpus
from tobo.algorithms.image_classification.examples import Example, Examples
from tobo.algorithms.image_classification.progress import Progress
from tobo.algorithms.image_classification.resizing import Resizer
from tobo.algorithms.image_classification.settings import Settings, parse
from tobo.algorithms.image_classification.train import initial
from tobo.kit import learning
from tobo.kit.guest import UserError, run_guest
from tobo.kit.paths import MlPaths

IMAGE_SHAPE = "3,128,128"
_BATCH = 32
_NEVER = -1e4
"""The bias of a class that nobody has seen: its probability is 0."""


def features() -> None:
    """The entry: features of every picture; writes output/failure and exits 1 where it cannot."""
    run_guest(lambda: compute(MlPaths.from_environment()))


def model() -> None:
    """The entry: the model folder of the last head, as a training job leaves one."""
    run_guest(lambda: write_model(MlPaths.from_environment()))


def compute(paths: MlPaths) -> None:
    """Writes features, the numbers of the pictures that they are of, and which pictures are broken."""
    numbers = sorted(int(file.name) for file in paths.channel(learning.PICTURES).iterdir())
    settings = _settings(paths, 2, len(numbers))
    network, _ = _initial(paths, settings)
    dataset = _dataset(paths, settings, dict.fromkeys(numbers, 0))
    partial = learning.features(paths).with_suffix(".partial")
    found = np.memmap(partial, np.float32, "w+", shape=(max(len(numbers), 1), network.head.in_features))
    kept: list[int] = []
    try:
        with torch.inference_mode():
            for batch in dataset.batches(dataset.indices(), _BATCH):
                rows = network.features(torch.from_numpy(dataset.cropped(batch))).float().numpy()
                found[len(kept) : len(kept) + len(rows)] = rows
                kept += [numbers[index] for index in batch.indices]
    finally:
        dataset.close()
    np.save(learning.features(paths), found[: len(kept)])
    partial.unlink()
    np.save(learning.numbers(paths), np.array(kept, np.int64))
    broken = {numbers[index]: reason for index, reason in dataset.broken.items()}
    learning.broken(paths).write_text(json.dumps(broken))
    print(f"Features: {found.shape[1]} each of {len(kept)} pictures; {len(broken)} cannot be read.", flush=True)


def write_model(paths: MlPaths) -> None:
    """Puts the head over the network and writes both, with pictures that people have labelled to try it with."""
    told = json.loads(learning.final(paths).read_text())
    labels: list[str] = told["labels"]
    known = {int(number): label for number, label in told["known"].items()}
    settings = _settings(paths, len(labels), len(known))
    network, preprocessing = _initial(paths, settings)
    with np.load(learning.head(paths, told["head"])) as head, torch.no_grad():
        classes = torch.from_numpy(head["classes"])
        network.head.weight.zero_()
        network.head.bias.fill_(_NEVER)
        network.head.weight[classes] = torch.from_numpy(head["weight"].T.copy())
        network.head.bias[classes] = torch.from_numpy(head["bias"])
    dataset = _dataset(paths, settings, known)
    try:
        export.write(paths.model, network, preprocessing, settings, tuple(labels), Progress(settings), dataset, None)
    finally:
        dataset.close()


def _settings(paths: MlPaths, classes: int, pictures: int) -> Settings:
    """A head over the network of the model channel, else over ours. Raises UserError."""
    network = {"backbone": "mobilenet_v2", "image_shape": IMAGE_SHAPE, "pretrained_weights": shipped.NAME}
    model = paths.channel(learning.MODEL)
    if model.is_dir():
        try:
            described = json.loads((model / "model.json").read_text())
            shape, its = ",".join(map(str, described["image_shape"])), described["hyperparameters"]
            resize = {"resize": str(described["resize"])} if described["resize"] else {}
            layers, backbone = str(its["num_layers"]), str(its["backbone"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise UserError(
                "InitialActiveLearningModelArn: the model's archive has no model.json as tobo's image-classification leaves"
                " one; name a model that was trained here, or leave the member out."
            ) from None
        network = {"backbone": backbone, "num_layers": layers, "image_shape": shape, **resize}
    head = {"num_classes": str(classes), "num_training_samples": str(pictures), "train_layers": "head"}
    return parse({**head, "use_pretrained_model": "1", **network})


def _initial(paths: MlPaths, settings: Settings) -> tuple[HeadClassifier, Preprocessing]:
    torch.set_num_threads(cpus())
    network, preprocessing = initial(paths, settings)
    assert isinstance(network, HeadClassifier)
    return network.eval(), preprocessing


def _dataset(paths: MlPaths, settings: Settings, known: Mapping[int, int]) -> Dataset:
    """The pictures of these items, with their classes; however many of them are broken."""
    folder = paths.channel(learning.PICTURES)
    examples = tuple(Example(f"{number}", label, folder / f"{number}") for number, label in sorted(known.items()))
    resizer = Resizer(settings)
    return Dataset(learning.PICTURES, Examples("the job", examples), settings, resizer, cpus(), most_broken=1.0)

"""Frozen features and a logistic head: of the last layer alone, and of all depths as `train_layers=head` takes them."""

import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bench.backbone.data import balanced_accuracy, load
from tobo.algorithms.image_classification import weights
from tobo.algorithms.image_classification.classifier import HeadClassifier, Preprocessing
from tobo.algorithms.image_classification.models.mobilenet_v2 import MobileNetV2

HEAD_C = 0.3
"""The product's default `head_c`, chosen nowhere on the unseen pictures."""
LAST = MobileNetV2.depths[-1]
_FLAT = 1e-4


def network(file: Path | None, seed: int = 0) -> HeadClassifier:
    """A frozen MobileNetV2 with the weights of a safetensors file, or with random ones."""
    if file is None:
        torch.manual_seed(seed)
        return HeadClassifier(MobileNetV2(3, 1), Preprocessing(), 3, 1).eval()
    found = weights.read(file, "mobilenetv2_100")
    made = HeadClassifier(MobileNetV2(3, 1, found.preprocessing.same_padding), found.preprocessing, 3, 1)
    weights.put(made, found)
    return made.eval()


def features(made: HeadClassifier, pixels: NDArray[np.uint8]) -> Tensor:
    """float [n, features]: mean and deviation over space, depth after depth."""
    with torch.inference_mode():
        return torch.cat([made.features(each) for each in torch.split(torch.from_numpy(pixels), 50)]).clone()


def last_layer(values: Tensor) -> Tensor:
    """The mean alone of the last depth: what a classifier without its last layer gives."""
    return values[:, -2 * LAST : -LAST]


def logistic(known: Tensor, classes: NDArray[np.int64], unseen: Tensor, head_c: float = HEAD_C) -> NDArray[np.int64]:
    """Fits mean loss + |W|^2 / (2 C n) on standardised features; the classes it says of `unseen`."""
    mean, deviation = known.mean(0), known.std(0)
    deviation = torch.where(deviation > _FLAT, deviation, torch.ones_like(deviation))
    x, y = (known - mean) / deviation, torch.from_numpy(classes)
    weight = torch.zeros(int(y.max()) + 1, x.shape[1], requires_grad=True)
    bias = torch.zeros(len(weight), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(x @ weight.T + bias, y) + (weight**2).sum() / (2 * head_c * len(x))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        said: NDArray[np.int64] = (((unseen - mean) / deviation) @ weight.T + bias).argmax(1).numpy()
    return said


def accuracies(file: Path | None, name: str, size: int, seeds: int) -> dict[str, list[float]]:
    """Balanced accuracies on the unseen pictures for `last layer` and `all depths`, one a seed.

    A seed chooses the training pictures, and the weights where they are random.
    """
    pool, unseen = load(name, size)
    found: dict[str, list[float]] = {"last layer": [], "all depths": []}
    for seed in range(seeds):
        if seed == 0 or file is None:
            made = network(file, seed)
            of_pool, of_unseen = features(made, pool.pixels), features(made, unseen.pixels)
        rows = pool.picked(seed)
        known, classes = of_pool[rows], pool.classes[rows]
        for kind, part in (("last layer", last_layer), ("all depths", lambda values: values)):
            said = logistic(part(known), classes, part(of_unseen))
            found[kind].append(balanced_accuracy(said, unseen.classes))
    return found


def milliseconds(file: Path | None, size: int, count: int = 200) -> float:
    """CPU-ms an image for the features of all depths, on one thread."""
    pool, _ = load("marbles", size)
    made, threads = network(file), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        features(made, pool.pixels[:50])
        begin = time.process_time()
        features(made, pool.pixels[:count])
        return (time.process_time() - begin) * 1000 / count
    finally:
        torch.set_num_threads(threads)

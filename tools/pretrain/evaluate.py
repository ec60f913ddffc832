"""What a backbone's frozen features are worth: a logistic head on 500 pictures of each of three data sets.

Features are those of `train_layers=head` (mean and deviation over space at every depth), standardised; the head has
the product's own strength of regularisation, chosen nowhere on the test pictures. `gap closed` is the part of the way
from random to ImageNet weights.
"""

import argparse
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tobo.algorithms.image_classification import weights
from tobo.algorithms.image_classification.classifier import HeadClassifier, Preprocessing
from tobo.algorithms.image_classification.models.mobilenet_v2 import MobileNetV2
from tobo.line import marbles

DATA = ("marbles", "sign_digits", "deeppcb_crops")
KNOWN, UNSEEN = 500, 500
HEAD_C = 0.3
_FLAT = 1e-4
_POOL = 1000
"""Training pictures among which each seed picks its KNOWN."""


class Pictures(NamedTuple):
    """`pixels` uint8 [n, size, size, 3] and `classes` [n]."""

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]


@cache
def load(name: str, shared: Path, size: int) -> tuple[Pictures, Pictures]:
    """The pool of training pictures and the unseen ones."""
    if name == "marbles":
        return _marbles(_POOL, 1, size), _marbles(UNSEEN, 2, size)
    return _folders(shared / "data" / name / "train", _POOL, size), _folders(
        shared / "data" / name / "test", UNSEEN, size
    )


def _marbles(count: int, seed: int, size: int) -> Pictures:
    drawn = [(photo.pixels, int(photo.label == "ko")) for photo in marbles.photos(count, seed=seed, size=size)]
    return Pictures(np.stack([pixels for pixels, _ in drawn]), np.array([label for _, label in drawn]))


def _folders(folder: Path, count: int, size: int) -> Pictures:
    """Random pictures of a folder with one folder a class; raises FileNotFoundError where it is absent."""
    names = sorted(each.name for each in folder.iterdir())
    files = [(file, number) for number, name in enumerate(names) for file in sorted((folder / name).iterdir())]
    order = np.random.default_rng(7).permutation(len(files))[:count]
    pixels = []
    for index in order:
        with Image.open(files[index][0]) as picture:
            shown = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
            pixels.append(np.asarray(shown))
    return Pictures(np.stack(pixels), np.array([files[index][1] for index in order]))


def backbone(source: str, seed: int = 0) -> HeadClassifier:
    """A frozen network with the weights of a safetensors file, or with random ones for `random`."""
    if source == "random":
        torch.manual_seed(seed)
        return HeadClassifier(MobileNetV2(3, 1), Preprocessing(), 3, 1).eval()
    found = weights.read(Path(source), "mobilenetv2_100")
    network = HeadClassifier(MobileNetV2(3, 1, found.preprocessing.same_padding), found.preprocessing, 3, 1)
    weights.put(network, found)
    return network.eval()


def features(network: HeadClassifier, pixels: NDArray[np.uint8]) -> Tensor:
    """float [n, features] of pictures."""
    with torch.inference_mode():
        return torch.cat([network.features(each) for each in torch.split(torch.from_numpy(pixels), 50)]).clone()


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


def balanced_accuracy(said: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    """The mean of the classes' recalls."""
    return float(np.mean([(said[true == each] == each).mean() for each in np.unique(true)]))


def evaluate(source: str, shared: Path, size: int, seeds: int) -> dict[str, list[float]]:
    """Balanced accuracies by data set, one for each seed; a seed picks 500 training pictures (and random weights)."""
    results: dict[str, list[float]] = {}
    for name in DATA:
        if name != "marbles" and not (shared / "data" / name).is_dir():
            print(f"{name}: not in {shared}, left out")
            continue
        pool, unseen = load(name, shared, size)
        results[name] = list(_accuracies(source, pool, unseen, seeds))
    return results


def _accuracies(source: str, pool: Pictures, unseen: Pictures, seeds: int) -> Iterator[float]:
    for seed in range(seeds):
        if seed == 0 or source == "random":
            network = backbone(source, seed)
            known_features, unseen_features = features(network, pool.pixels), features(network, unseen.pixels)
        picked = np.random.default_rng(seed).permutation(len(pool.classes))[:KNOWN]
        said = logistic(known_features[picked], pool.classes[picked], unseen_features)
        yield balanced_accuracy(said, unseen.classes)


def gap_closed(results: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """For every source: medians by data set, and `<data set> gap` where `random` and `imagenet` were measured too."""
    medians = {
        source: {name: float(np.median(each)) for name, each in found.items()} for source, found in results.items()
    }
    table: dict[str, dict[str, float]] = {}
    for source, found in medians.items():
        table[source] = dict(found)
        for name, value in found.items():
            low, high = (medians.get(each, {}).get(name) for each in ("random", "imagenet"))
            if low is not None and high is not None:
                table[source][f"{name} gap"] = (value - low) / (high - low)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure backbones; results are kept and added to.")
    parser.add_argument(
        "backbones", nargs="+", help="name=file.safetensors, `random`, or `imagenet=...` for the ceiling"
    )
    parser.add_argument("--results", type=Path, default=Path("evaluation.json"), help="kept between runs")
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TOBO_SHARED", "../shared")))
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    kept: dict[str, Any] = json.loads(asked.results.read_text()) if asked.results.exists() else {}
    here = kept.setdefault(str(asked.size), {})
    for named in asked.backbones:
        name, _, file = named.partition("=")
        here[name] = evaluate(file or name, asked.shared, asked.size, asked.seeds)
        asked.results.write_text(json.dumps(kept, indent=1))
    for name, row in gap_closed(here).items():
        print(name.ljust(20), "  ".join(f"{key} {value:.3f}" for key, value in row.items()))


if __name__ == "__main__":
    main()

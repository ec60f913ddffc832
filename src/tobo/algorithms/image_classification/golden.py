"""Pictures that travel with the model: unseen ones with torch's scores, for parity, and seen ones, for calibration.

`golden/` holds pictures of the validation channel (of the training channel where there is none), `scores.json` (file ->
torch's scores) and `labels.json` (file -> class index, with multi_label one 0 or 1 a class); `calibration/` pictures
of the training channel. Both are bounded in number and in bytes, so that an archive stays small.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from tobo.algorithms.image_classification.classifier import Classifier, HeadClassifier, scores
from tobo.algorithms.image_classification.dataset import Dataset
from tobo.algorithms.image_classification.examples import Example, Label
from tobo.algorithms.image_classification.settings import Settings
from tobo.inference.model import load

GOLDEN = 128
"""Unseen pictures at most: enough that one changed decision is less than 1 %."""

CALIBRATION = 64
"""Seen pictures at most: enough for the ranges of a network's activations."""

FEWEST, BYTES = 4, 4 << 20
"""Pictures that travel whatever their size, and the bytes that more of them may have."""

MAX_DIFFERENCE = 1e-3
"""By how much torch and ONNX Runtime may differ on a golden picture's scores."""

_BATCH = 32


def write_golden(folder: Path, network: Classifier | HeadClassifier, settings: Settings, dataset: Dataset) -> None:
    """Writes golden/, and checks the written graph against it; raises RuntimeError where it differs from torch."""
    golden = folder / "golden"
    golden.mkdir(exist_ok=True)
    chosen = dict(_chosen(dataset, GOLDEN))
    expected: dict[str, list[float]] = {}
    labels: dict[str, Label] = {}
    network.eval()
    for batch in dataset.batches(list(chosen), _BATCH):
        with torch.no_grad():
            rows = scores(network(torch.from_numpy(dataset.cropped(batch))), settings.multi_label)
        for index, row in zip(batch.indices, rows.tolist(), strict=True):
            name = _write(golden, index, dataset.examples[index], chosen[index])
            expected[name], labels[name] = row, dataset.examples[index].label
    (golden / "scores.json").write_text(json.dumps(expected, indent=1) + "\n")
    (golden / "labels.json").write_text(json.dumps(labels) + "\n")
    _check(folder, golden, expected)


def write_calibration(folder: Path, dataset: Dataset, unlike: Path | None) -> None:
    """Writes calibration/; none of the pictures that lie in `unlike`, by their names there."""
    calibration = folder / "calibration"
    calibration.mkdir(exist_ok=True)
    taken = {path.name for path in unlike.iterdir()} if unlike is not None else set()
    left = [index for index in dataset.indices() if _name(index, dataset.examples[index]) not in taken]
    for index, data in _bounded(dataset, _spread(left or dataset.indices(), CALIBRATION)):
        _write(calibration, index, dataset.examples[index], data)


def _chosen(dataset: Dataset, most: int) -> Iterator[tuple[int, bytes]]:
    return _bounded(dataset, _spread(dataset.indices(), most))


def _spread(indices: list[int], most: int) -> list[int]:
    """At most so many, drawn evenly without regard to how the channel is ordered; the same on every run."""
    order = np.random.default_rng(0).permutation(len(indices))[:most]
    return [indices[place] for place in order.tolist()]


def _bounded(dataset: Dataset, indices: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Pictures until they have BYTES together."""
    total = 0
    for count, index in enumerate(indices):
        data = dataset.examples[index].read()
        total += len(data)
        if count >= FEWEST and total > BYTES:
            return
        yield index, data


def _name(index: int, example: Example) -> str:
    return f"{index:06d}{example.file.suffix if example.offset is None else ''}"


def _write(folder: Path, index: int, example: Example, data: bytes) -> str:
    name = _name(index, example)
    (folder / name).write_bytes(data)
    return name


def _check(folder: Path, golden: Path, expected: dict[str, list[float]]) -> None:
    answered = load(folder).predict([(golden / name).read_bytes() for name in expected])
    difference = float(np.abs(np.array(answered) - np.array(list(expected.values()))).max(initial=0.0))
    print(f"Parity: torch and ONNX Runtime differ by at most {difference:.2e} on {len(expected)} pictures.", flush=True)
    if not difference <= MAX_DIFFERENCE:
        raise RuntimeError(
            f"the exported graph differs from the trained network by {difference} on its golden pictures"
        )

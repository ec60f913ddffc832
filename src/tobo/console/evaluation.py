"""What a classifier's scores are worth: confusion, precision and recall, thresholds, and what its mistakes cost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.kit.fault import validation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Predictions:
    """Scores float [n, classes] beside truth int [n]. `base` + a key is the picture's address; "" where it has none."""

    labels: tuple[str, ...]
    base: str
    keys: tuple[str, ...]
    truth: Ints
    scores: Floats

    def compact(self) -> dict[str, Any]:
        """As the page's script takes it: arrays, and each score to six digits."""
        return {
            "labels": list(self.labels),
            "base": self.base,
            "keys": list(self.keys),
            "truth": self.truth.tolist(),
            "scores": [[round(score, 6) for score in row] for row in self.scores.tolist()],
        }


@dataclass(frozen=True)
class Figures:
    """Of one class; a ratio without cases (0 / 0) is 0."""

    examples: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Curve:
    """What each threshold of one class does. Entry k: the k-th largest of its distinct scores is the threshold.

    `hits` of the class and `alarms` of others have at least that score; `cases` pictures are of the class.
    """

    thresholds: Floats
    hits: Ints
    alarms: Ints
    cases: int

    def precision(self) -> Floats:
        shares: Floats = self.hits / np.maximum(self.hits + self.alarms, 1)
        return shares

    def recall(self) -> Floats:
        return self.hits / max(self.cases, 1)


def predictions_of(document: Any, base: str) -> Predictions:
    """evaluation.json as the trainer writes it. Raises Fault ValidationException for any other document."""
    if not isinstance(document, Mapping):
        raise validation("evaluation.json is no JSON object; it needs labels, keys, targets and scores.")
    if document.get("multi_label"):
        raise validation(
            "A multi-label model has no confusion matrix of all classes, so that its evaluation is not shown."
        )
    try:
        labels = tuple(str(label) for label in document["labels"])
        keys = tuple(str(key) for key in document["keys"])
        truth = np.array(document["targets"], np.int64)
        scores = np.array(document["scores"], np.float64).reshape(len(keys), len(labels))
    except (KeyError, TypeError, ValueError) as error:
        raise validation(
            f"evaluation.json cannot be used ({error}); it needs labels, keys, targets and scores."
        ) from None
    return checked(Predictions(labels, base, keys, truth, scores))


def checked(found: Predictions) -> Predictions:
    """Raises Fault ValidationException where members do not fit each other."""
    if not found.keys:
        raise validation("There are no predictions; an evaluation needs at least one picture.")
    if found.truth.shape != (len(found.keys),) or not np.isfinite(found.scores).all():
        raise validation("There must be one class index and one row of finite scores for each picture.")
    if found.truth.min() < 0 or found.truth.max() >= len(found.labels):
        raise validation(f"A class index is not in 0..{len(found.labels) - 1}; there are {len(found.labels)} classes.")
    return found


def decide(scores: Floats, chosen: int | None = None, threshold: float = 0.5) -> Ints:
    """[n, classes] -> class indices [n]: the highest score, the first of equal ones.

    With `chosen`, that class wherever its score reaches the threshold, and else the highest of the others.
    """
    if chosen is None:
        best: Ints = scores.argmax(1).astype(np.int64)
        return best
    others = scores.copy()
    others[:, chosen] = -math.inf
    return np.where(scores[:, chosen] >= threshold, chosen, others.argmax(1)).astype(np.int64)


def confusion(truth: Ints, decided: Ints, classes: int) -> Ints:
    """[classes, classes]: how many of the true class (row) were taken for the other (column)."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (truth, decided), 1)
    return matrix


def figures(matrix: Ints) -> list[Figures]:
    """Per class: precision = hits / column, recall = hits / row, F1 = 2 hits / (row + column)."""
    hits, rows, columns = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    return [
        Figures(int(row), hit / max(column, 1), hit / max(row, 1), 2 * hit / max(row + column, 1))
        for hit, row, column in zip(hits.tolist(), rows.tolist(), columns.tolist(), strict=True)
    ]


def curve(truth: Ints, scores: Floats, chosen: int) -> Curve:
    """All thresholds of a class that decide differently, the highest first."""
    its = scores[:, chosen]
    order = np.argsort(-its, kind="stable")
    ordered, right = its[order], truth[order] == chosen
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(right)[last]
    return Curve(ordered[last], hits, last + 1 - hits, int(right.sum()))


def costs(found: Curve, miss: float, reject: float) -> Floats:
    """[thresholds + 1]: misses x `miss` + false rejects x `reject`; first where nothing is rejected at all."""
    paid: Floats = (found.cases - found.hits) * miss + found.alarms * reject
    return np.append(found.cases * miss, paid)


def cheapest(found: Curve, miss: float, reject: float) -> tuple[float, float]:
    """(threshold, cost) of the smallest cost.

    Every threshold between two neighbouring scores decides alike: the middle is told, and of equally cheap gaps the
    widest, whose decisions a small shift of the scores changes least.
    """
    paid = costs(found, miss, reject)
    edges = np.concatenate(([max(1.0, found.thresholds[0])], found.thresholds, [min(0.0, found.thresholds[-1])]))
    upper, lower = edges[:-1], edges[1:]
    first = int(upper[0] == lower[0])  # a score of 1 is rejected by every threshold
    best = min(range(first, len(paid)), key=lambda k: (paid[k], lower[k] - upper[k]))
    middle = (upper[best] + lower[best]) / 2
    return float(middle if middle > lower[best] else upper[best]), float(paid[best])

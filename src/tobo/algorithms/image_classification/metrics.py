"""How good scores are: accuracy, cross entropy, top-k, and per class precision, recall, F1 and the confusion matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.algorithms.image_classification.settings import Settings

THRESHOLD = 0.5
"""From which score a class counts as present (multi_label)."""

SCORE_BINS = 10


@dataclass(frozen=True)
class Scores:
    """Probabilities float32 [n, classes] beside targets int64 [n], or [n, classes] of 0 and 1 with multi_label."""

    scores: npt.NDArray[np.float32]
    targets: npt.NDArray[Any]

    def accuracy(self) -> float:
        """Share of right answers; with multi_label of right yes-or-no answers."""
        if self.targets.ndim == 2:
            return float(((self.scores >= THRESHOLD) == (self.targets > 0)).mean())
        return float((self.scores.argmax(1) == self.targets).mean())

    def cross_entropy(self) -> float:
        """Mean negative log-likelihood, in nats."""
        p = np.clip(self.scores.astype(np.float64), 1e-12, 1.0)
        if self.targets.ndim == 2:
            q = np.clip(1 - self.scores.astype(np.float64), 1e-12, 1.0)
            return float(-np.where(self.targets > 0, np.log(p), np.log(q)).mean())
        return float(-np.log(p[np.arange(len(p)), self.targets]).mean())

    def top_k(self, k: int) -> float:
        """Share of pictures whose class is among the k best scores; with multi_label any of its classes."""
        best = np.argsort(-self.scores, axis=1, kind="stable")[:, :k]
        if self.targets.ndim == 2:
            return float((np.take_along_axis(self.targets, best, 1) > 0).any(1).mean())
        return float((best == self.targets[:, None]).any(1).mean())

    def summary(self, settings: Settings) -> dict[str, float]:
        """What an epoch prints, by the name that stands behind `Train-` and `Validation-`."""
        found = {"accuracy": self.accuracy(), "cross-entropy": self.cross_entropy()}
        if settings.top_k is not None:
            found[f"top_k_accuracy_{settings.top_k}"] = self.top_k(settings.top_k)
        return found


def report(scored: Scores, labels: tuple[str, ...]) -> dict[str, Any]:
    """metrics.json's figures: accuracy, cross entropy, classes, score distribution, confusion matrix [true][predicted].

    The distribution counts each label's score over all pictures in SCORE_BINS equal bins from 0 to 1: what a device's
    scores are held against.

    With multi_label each class has a 2 x 2 matrix of its own: [[true no, false yes], [false no, true yes]].
    A ratio without cases (0 / 0) is 0.
    """
    count = len(labels)
    found: dict[str, Any] = {"examples": len(scored.targets), "accuracy": scored.accuracy()}
    found["cross_entropy"] = scored.cross_entropy()
    if scored.targets.ndim == 2:
        said, true = scored.scores >= THRESHOLD, scored.targets > 0
        both, only_said, only_true = (said & true).sum(0), (said & ~true).sum(0), (~said & true).sum(0)
        neither = (~said & ~true).sum(0)
        confusion: Any = [
            [[int(neither[i]), int(only_said[i])], [int(only_true[i]), int(both[i])]] for i in range(count)
        ]
    else:
        matrix = np.zeros((count, count), np.int64)
        np.add.at(matrix, (scored.targets, scored.scores.argmax(1)), 1)
        both = matrix.diagonal()
        only_said, only_true = matrix.sum(0) - both, matrix.sum(1) - both
        confusion = matrix.tolist()
    found["confusion_matrix"] = confusion
    found["classes"] = [_class(labels[i], int(both[i]), int(only_said[i]), int(only_true[i])) for i in range(count)]
    found["score_distribution"] = {label: _histogram(scored.scores[:, i]) for i, label in enumerate(labels)}
    return found


def _histogram(scores: npt.NDArray[np.float32]) -> list[int]:
    bins = np.minimum((scores * SCORE_BINS).astype(np.int64), SCORE_BINS - 1)
    return [int(count) for count in np.bincount(bins, minlength=SCORE_BINS)]


def _class(label: str, hits: int, false_alarms: int, misses: int) -> dict[str, Any]:
    return {
        "label": label,
        "examples": hits + misses,
        "precision": hits / max(hits + false_alarms, 1),
        "recall": hits / max(hits + misses, 1),
        "f1": 2 * hits / max(2 * hits + false_alarms + misses, 1),
    }

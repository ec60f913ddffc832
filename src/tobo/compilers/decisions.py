"""Decisions: what a line does with a model's answer, so that two forms of a model can be held against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tobo.compilers.model import Array, Source
from tobo.kit.guest import UserError

MULTI_LABEL_THRESHOLD = 0.5
"""As training counts a class as present (algorithms/image_classification/metrics.py)."""

_NEAR = 0.01
"""Numbers that are no classes' scores decide the same where they differ by less than this part of their spread."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """How scores [n, k] become decisions.

    With `classes` a label counts where its score reaches its threshold, and one without a threshold where its score is
    the highest; two forms decide alike where the same labels count. Without, scores are numbers (a regression, boxes)
    and two forms decide alike where all of a sample's are near each other.
    """

    classes: bool
    thresholds: Mapping[int, float] = field(default_factory=dict)

    def counts(self, scores: Scores) -> npt.NDArray[np.bool_]:
        """bool [n, k]: the labels that count."""
        chosen: npt.NDArray[np.bool_] = scores >= scores.max(axis=1, keepdims=True)
        for column, threshold in self.thresholds.items():
            chosen[:, column] = scores[:, column] >= threshold
        return chosen

    def flipped(self, before: Scores, after: Scores) -> npt.NDArray[np.bool_]:
        """bool [n]: where the two forms decide differently."""
        if self.classes:
            return np.asarray((self.counts(before) != self.counts(after)).any(axis=1))
        spread = float(np.ptp(before)) if before.size else 0.0
        far = ~(np.abs(before - after) <= _NEAR * max(spread, 1e-6))  # what is no number is far
        return np.asarray(far.any(axis=1))

    def accuracy(self, scores: Scores, truth: Sequence[npt.NDArray[np.bool_] | None]) -> float | None:
        """Share of labelled samples of which the right labels and no others have the decision; None without any.

        With one label a sample that is the share whose highest score is right, thresholds apart.
        """
        known = [index for index, right in enumerate(truth) if right is not None]
        if not self.classes or not known:
            return None
        true = np.stack([right for right in truth if right is not None])
        found = scores[known]
        if (true.sum(axis=1) == 1).all() and not self._all_thresholds(scores.shape[1]):
            return float((found.argmax(axis=1) == true.argmax(axis=1)).mean())
        return float((self.counts(found) == true).mean())

    def _all_thresholds(self, columns: int) -> bool:
        return len(self.thresholds) == columns


def rule_of(source: Source, thresholds: Mapping[str, float], outputs: Sequence[Array]) -> Rule:
    """The rule of a source whose outputs for a sample look like `outputs`; `thresholds` are by label.

    Raises UserError for a threshold of a label that the model does not have, and for more or fewer labels than scores.
    """
    first = outputs[0]
    classes = len(outputs) == 1 and first.ndim == 2 and first.shape[0] == 1 and first.shape[1] > 1
    labels = labels_of(source, first.shape[1]) if classes else ()
    if classes and len(labels) != first.shape[1]:
        raise UserError(f"The archive names {len(labels)} labels, but its graph gives {first.shape[1]} scores.")
    if unknown := next((label for label in thresholds if label not in labels), None):
        told = ", ".join(labels) or "none"
        raise UserError(f"CompilerOptions.thresholds names the label '{unknown}'; the model's are {told}.")
    if not classes:
        return Rule(False)
    found = dict.fromkeys(range(len(labels)), MULTI_LABEL_THRESHOLD) if source.multi_label else {}
    return Rule(True, {**found, **{labels.index(label): value for label, value in thresholds.items()}})


def labels_of(source: Source, count: int) -> tuple[str, ...]:
    """The source's labels, or their numbers where it does not say."""
    return source.labels or tuple(str(number) for number in range(count))


def flat(outputs: Sequence[Array]) -> Scores:
    """A sample's outputs as one row of numbers."""
    return np.concatenate([np.asarray(output, np.float64).ravel() for output in outputs])

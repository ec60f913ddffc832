"""Drift: how far the scores on this line are from those of the training's validation pictures.

The population stability index of two histograms p (the training's) and q (the line's): sum over bins of
(q - p) ln(q / p). Below 0.1 nothing has changed, above 0.25 much has (N. Siddiqi, Credit Risk Scorecards, 2006).
"""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

BINS = 10
LIMIT = 0.25
_FLOOR = 1e-3
"""An empty bin counts as this share: its logarithm would be infinite."""


def stability_index(expected: Sequence[float], observed: Sequence[float]) -> float:
    """PSI of two histograms of counts; 0 where one of them is empty."""
    p, q = np.asarray(expected, np.float64), np.asarray(observed, np.float64)
    if not p.sum() or not q.sum():
        return 0.0
    p, q = np.maximum(p / p.sum(), _FLOOR), np.maximum(q / q.sum(), _FLOOR)
    return float(((q - p) * np.log(q / p)).sum())


class ScoreDrift:
    """The last scores of one version against its training's."""

    def __init__(self, labels: Sequence[str], expected: Mapping[str, Sequence[int]], window: int = 500) -> None:
        """`expected` has counts in BINS equal bins from 0 to 1 for each label (compiled.py)."""
        self._expected = [(index, expected[label]) for index, label in enumerate(labels) if label in expected]
        self._last: deque[tuple[int, ...]] = deque(maxlen=window)
        self._enough = window // 5

    def note(self, scores: Sequence[float]) -> None:
        self._last.append(tuple(min(BINS - 1, max(0, int(score * BINS))) for score in scores))

    def index(self) -> float | None:
        """The largest PSI of any label; None where the training told nothing or the line has not sorted enough."""
        if not self._expected or len(self._last) < self._enough:
            return None
        bins = np.array(list(self._last))
        return max(
            stability_index(counts, np.bincount(bins[:, index], minlength=BINS).tolist())
            for index, counts in self._expected
        )

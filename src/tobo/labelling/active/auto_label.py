"""The confidence above which a machine's labels are as accurate as wanted, justified on labels of people.

A few shares of the items (COVERAGES) are candidates: "the machine labels the 60 % it is surest of". For each, the accuracy on
validation items above that confidence has a one-sided lower bound by Clopper and Pearson ("The use of confidence or
fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934). The largest share whose bound reaches the
wanted accuracy is taken. As several candidates are looked at, each is held to its part of the permitted risk (Bonferroni), as in
"Learn then Test" (Angelopoulos et al. 2021, arXiv:2110.01052). The candidates depend on confidences alone, never on who was right,
so the promise holds whatever the head is worth, as long as the validation items are a uniform sample of all items.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tobo.labelling.active.head import Floats

COVERAGES = (1.0, 0.8, 0.6, 0.4)
"""Shares of the items that are tried, the largest first."""


@dataclass(frozen=True)
class Threshold:
    """Items with at least `confidence` may be labelled by machine: `right` of `checked` validation items above it were.

    `bound` is the one-sided lower limit of the accuracy there, at the level that was asked for and all candidates together.
    """

    confidence: float
    checked: int
    right: int
    bound: float

    @property
    def accuracy(self) -> float:
        """The measured share of right labels."""
        return self.right / self.checked


def threshold(
    confidences: Floats, right: NDArray[np.bool_], pool: Floats, wanted: float, risk: float
) -> Threshold | None:
    """The least confidence that is justified; None where none is, or the validation set is too small to tell.

    `confidences` (validated,) of a uniform sample of items and whether their labels were `right` (validated,); `pool`
    (items,) the confidences of those that a machine would label; `wanted` accuracy in (0, 1). With a probability of at most
    `risk` the accuracy above the threshold is below `wanted`. Zero mistakes need log(risk / candidates) / log(wanted)
    validation items: 86 for an accuracy of .95 at a risk of .05. Raises ValueError for `wanted` or `risk` outside of (0, 1).
    """
    if not (0 < wanted < 1 and 0 < risk < 1):
        raise ValueError(f"Wanted accuracy {wanted} and risk {risk} have to lie between 0 and 1.")
    if not len(pool):
        return None
    for coverage in COVERAGES:
        least = float(np.quantile(pool, 1 - coverage, method="lower"))
        above = confidences >= least
        checked, correct = int(above.sum()), int(right[above].sum())
        bound = lower_bound(correct, checked, risk / len(COVERAGES))
        if bound >= wanted:
            return Threshold(least, checked, correct, bound)
    return None


def needed(wanted: float, risk: float) -> int:
    """Validation items above a threshold without which even no mistake justifies it."""
    return math.ceil(math.log(risk / len(COVERAGES)) / math.log(wanted))


def lower_bound(right: int, checked: int, risk: float) -> float:
    """Clopper and Pearson's: the accuracy at which `right` or more of `checked` has the probability `risk`; 0 with nothing right."""
    if right == 0:
        return 0.0
    low, high = 0.0, right / checked
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_least(right, checked, middle) < risk else (low, middle)
    return low


def upper_bound(right: int, checked: int, risk: float) -> float:
    """The other side: mistakes take the place of right ones."""
    return 1.0 - lower_bound(checked - right, checked, risk) if checked else 1.0


def _at_least(right: int, checked: int, accuracy: float) -> float:
    """P(X >= right) of a binomial X, 0 < accuracy < 1, 0 < right <= checked."""
    if accuracy <= 0:
        return 0.0
    if accuracy >= 1:
        return 1.0
    counts = np.arange(right, checked + 1)
    return float(
        np.exp(
            _log_choose(checked)[right:] + counts * math.log(accuracy) + (checked - counts) * math.log1p(-accuracy)
        ).sum()
    )


def _log_choose(checked: int) -> NDArray[np.float64]:
    """log (checked over k) for k = 0 ... checked."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, checked + 1)))])
    found: NDArray[np.float64] = factorials[-1] - factorials - factorials[::-1]
    return found

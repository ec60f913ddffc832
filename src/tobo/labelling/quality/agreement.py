"""Agreement between workers beyond what chance would give: the kappas of Cohen and Fleiss, Krippendorff's alpha.

All three are 1 where everybody always agrees and 0 where they agree as often as by chance; below 0 they avoid each
other. Where chance alone already explains full agreement, since only one class was ever said, or where nothing can be
compared, they are 0 / 0: that is no evidence of either, and answered by None.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tobo.labelling.quality.votes import Vote

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers: the `items` that both answered, the `share` of those with the same answer, and Cohen's kappa of it."""

    items: int
    share: float
    kappa: float | None


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Of two workers' labels of the same items, in the same order: (p_o - p_e) / (1 - p_e).

    J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological Measurement 20, 1960.
    None without items, or where both only ever said the same one class. ValueError where the lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(
            f"The workers labelled {len(first)} and {len(second)} items; compare labels of the same items."
        )
    items = len(first)
    if not items:
        return None
    said, also = Counter(first), Counter(second)
    expected = sum(times * also[label] for label, times in said.items())  # in squares of items: whole numbers
    if expected == items * items:
        return None
    observed = sum(one == two for one, two in zip(first, second, strict=True))
    return (observed * items - expected) / (items * items - expected)


def pairs(votes: Iterable[Vote]) -> dict[tuple[str, str], Pair]:
    """Every two workers who share an item, by name. Of a worker's votes for one item the last one counts."""
    answers: dict[str, dict[str, str]] = {}
    for vote in votes:
        answers.setdefault(vote.worker, {})[vote.item] = vote.label
    found = {}
    for one, two in combinations(sorted(answers), 2):
        common = [item for item in answers[one] if item in answers[two]]
        if common:
            first, second = ([answers[worker][item] for item in common] for worker in (one, two))
            same = sum(a == b for a, b in zip(first, second, strict=True))
            found[one, two] = Pair(len(common), same / len(common), cohen_kappa(first, second))
    return found


def table(votes: Iterable[Vote]) -> Counts:
    """[items, labels] how often each label was said: items in order of their first vote, labels by name."""
    given = list(votes)
    items: dict[str, int] = {}
    rows = [items.setdefault(vote.item, len(items)) for vote in given]
    labels = {label: number for number, label in enumerate(sorted({vote.label for vote in given}))}
    counts = np.zeros((len(items), len(labels)), np.int64)
    np.add.at(counts, (rows, [labels[vote.label] for vote in given]), 1)
    return counts


def fleiss_kappa(counts: Counts) -> float | None:
    """Of a table [items, labels] of how many workers said what, the same number for each item, whoever they were.

    J. L. Fleiss, "Measuring Nominal Scale Agreement among Many Raters", Psychological Bulletin 76, 1971. None without
    items or where only one class was ever said. ValueError where items have different numbers of votes, or fewer than
    two: Krippendorff's alpha is for those.
    """
    if not counts.size:
        return None
    each = counts.sum(1)
    votes = int(each[0])
    if votes < 2 or (each != votes).any():
        raise ValueError(
            f"Items have {each.min()} to {each.max()} votes; Fleiss' kappa needs the same number for each, two at least."
        )
    if np.count_nonzero(counts.sum(0)) == 1:
        return None
    observed = (counts * (counts - 1)).sum() / (len(counts) * votes * (votes - 1))
    expected = float(((counts.sum(0) / counts.sum()) ** 2).sum())
    return float((observed - expected) / (1 - expected))


def krippendorff_alpha(counts: Counts) -> float | None:
    """Nominal alpha of a table [items, labels] of how many workers said what: 1 - observed / expected disagreement.

    Workers may have left out items: of an item with one vote or none nothing can be compared, and it is left out.
    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania, 2011, section D. None
    where no item has two votes, or where in those only one class was ever said.
    """
    counts = counts[counts.sum(1) >= 2]
    totals = counts.sum(0)
    votes = int(totals.sum())
    expected = votes * votes - int((totals * totals).sum())
    if not expected:
        return None
    each = counts.sum(1)
    observed = ((each * each - (counts * counts).sum(1)) / (each - 1)).sum()
    return float(1 - (votes - 1) * observed / expected)

"""The next batch: the items whose labels would make the head surest of all the others.

A head's uncertainty about an item x is, to first order, w(x) x' M^-1 x, where M = sum of w(z) z z' over the labelled z, plus
I / C, is the information it has, and w = 1 - sum of p^2 is the doubt that is left to its probabilities (0: certain). Each pick lowers
the sum of this over all items the most (Zhang and Oles, "A probability analysis on the value of unlabeled data", ICML 2000; Hoi et
al., "Batch mode active learning", ICML 2006). So a batch is uncertain, spread out and typical of the rest: an item next to one
that is already in it brings little, and so does an outlier.
"""

import numpy as np
from numpy.typing import NDArray

from tobo.labelling.active.head import Doubles, Floats, Head, Ints, Scale, principal

AXES = 256
"""Principal axes of the features that are looked at."""
MOST_LOOKED = 8000
"""Candidates, and items that stand for all others; more of them are sampled."""

_FITTED = 1500
"""Items whose principal axes are taken."""


def batch(
    head: Head, features: Floats, scaling: Scale, known: Ints, candidates: Ints, count: int, random: np.random.Generator
) -> Ints:
    """`count` of the item numbers `candidates`, best first; all of them where there are no more.

    `known` are the numbers of the items that `head` was trained on.
    """
    if len(candidates) <= count or not count:
        return candidates[:count]
    candidates = _sampled(candidates, max(MOST_LOOKED, 2 * count), random)
    everything = np.arange(len(features))
    axes, _ = principal(scaling(features[_sampled(everything, _FITTED, random)]), AXES)

    def weighted(rows: Ints) -> Floats:
        """sqrt(w) [x, 1] of items, in the axes."""
        doubt = 1 - np.square(head.probabilities(features, rows)).sum(1, keepdims=True)
        places = scaling(features[rows]) @ axes
        found: Floats = np.hstack([places, np.ones((len(rows), 1), np.float32)]) * np.sqrt(np.maximum(doubt, 0))
        return found

    of_all, of_known = (
        weighted(_sampled(rows, MOST_LOOKED, random)).astype(np.float64) for rows in (everything, known)
    )
    aim = of_all.T @ of_all / len(of_all)
    information = of_known.T @ of_known * (len(known) / len(of_known)) + np.eye(len(aim)) / head.strength
    return candidates[informative(weighted(candidates), information, aim, count)]


def informative(points: Floats, information: Doubles, aim: Doubles, count: int) -> Ints:
    """Row numbers of `count` rows x of `points` (items, axes), picked one after another, each to lower trace(M^-1 A) the most.

    M is `information` (axes, axes), positive definite, to which each pick adds x x'; A is `aim` (axes, axes). By Sherman and
    Morrison a pick lowers it by x' M^-1 A M^-1 x / (1 + x' M^-1 x), and M^-1 is never computed again.
    """
    inverse = np.linalg.inv(information)
    middle = inverse @ aim @ inverse
    points = np.asarray(points, np.float64)
    gain = ((points @ middle) * points).sum(1)
    leverage = ((points @ inverse) * points).sum(1)
    free: NDArray[np.bool_] = np.ones(len(points), bool)
    picked = []
    for _ in range(count):
        row = int(np.where(free, gain / (1 + leverage), -1.0).argmax())
        picked.append(row)
        free[row] = False
        toward, away = inverse @ points[row], middle @ points[row]
        norm = 1 + float(points[row] @ toward)
        share = float(toward @ aim @ toward) / norm**2
        along, across = points @ toward, points @ away
        leverage -= np.square(along) / norm
        gain += share * np.square(along) - 2 * along * across / norm
        inverse -= np.outer(toward, toward) / norm
        middle += share * np.outer(toward, toward) - (np.outer(away, toward) + np.outer(toward, away)) / norm
    return np.array(picked, np.int64)


def _sampled(rows: Ints, most: int, random: np.random.Generator) -> Ints:
    return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))

"""The first sample: as different from each other as chance allows, by k-means++ on normalised features.

Source: Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding" (SODA 2007): each next item is drawn with
a probability proportional to its squared distance from the nearest one that was drawn before. Distances are kept, to a
few percent, by a random projection (Johnson and Lindenstrauss 1984), which makes a draw among 100,000 items cost
milliseconds.
"""

import numpy as np
from numpy.typing import NDArray

from tobo.labelling.active.head import CHUNK, Floats, Ints, Scale

DIRECTIONS = 128
"""Dimensions that features are projected to."""


def directions(features: Floats, scaling: Scale, seed: int = 0) -> Floats:
    """Standardised features of length 1, in at most DIRECTIONS dimensions: float32 (items, k)."""
    dimensions = features.shape[1]
    projection = None
    if dimensions > DIRECTIONS:
        drawn = np.random.default_rng(seed).standard_normal((dimensions, DIRECTIONS))
        projection = (drawn / np.sqrt(DIRECTIONS)).astype(np.float32)
    found = np.empty((len(features), min(dimensions, DIRECTIONS)), np.float32)
    for begin in range(0, len(features), CHUNK):
        rows = scaling(features[begin : begin + CHUNK])
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        found[begin : begin + CHUNK] = rows if projection is None else rows @ projection
    return found


def diverse(points: Floats, count: int, random: np.random.Generator, taken: Ints | None = None) -> Ints:
    """Row numbers of `count` different rows of `points` (items, k), in the order drawn; all of them where there are no more.

    Rows in `taken` count as drawn before and are not drawn again. Where all rows left lie on drawn ones, chance decides.
    """
    squares = np.square(points).sum(1)
    distance = np.full(len(points), np.inf, np.float32)
    free = np.ones(len(points), bool)
    for row in () if taken is None else taken:
        _drawn(points, squares, distance, free, int(row))
    drawn: list[int] = []
    for _ in range(min(count, int(free.sum()))):
        row = _next(distance, free, random)
        _drawn(points, squares, distance, free, row)
        drawn.append(row)
    return np.array(drawn, np.int64)


def _next(distance: Floats, free: NDArray[np.bool_], random: np.random.Generator) -> int:
    """A free row by squared distance; the first one, and one among equals, by chance alone."""
    weights = np.where(free, distance, 0).astype(np.float64)
    total = weights.sum()
    if not np.isfinite(total) or total <= 0:
        return int(random.choice(np.flatnonzero(free)))
    found = int(np.searchsorted(np.cumsum(weights), random.random() * total, side="right"))
    return found if found < len(free) and free[found] else int(weights.argmax())


def _drawn(points: Floats, squares: Floats, distance: Floats, free: NDArray[np.bool_], row: int) -> None:
    """Takes a row: notes in place how near everything is to it."""
    away = np.maximum(squares + squares[row] - 2 * (points @ points[row]), 0)
    np.minimum(distance, away, out=distance)
    free[row] = False

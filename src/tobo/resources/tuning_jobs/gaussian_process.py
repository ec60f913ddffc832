"""Bayesian search on the unit cube: a Gaussian process and its expected improvement, in NumPy.

Sources: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), algorithm 2.1 and equation 4.17
(Matern 5/2); Snoek et al., "Practical Bayesian Optimization of Machine Learning Algorithms" (2012), section 2.
Written here because a server has no torch, which samplers of that kind need, and a suggestion may cost 50 ms at most.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_POINTS = 100
"""Observations that are looked at: the best and the youngest; the cost grows with their cube."""

_DRAWS = 48
_CANDIDATES = 1024
_NOISE_FLOOR = 1e-6


@dataclass(frozen=True)
class _Model:
    """Points (n, d), length scales (d,), the covariance's Cholesky factor (n, n), its inverse times the values (n,)."""

    points: Array
    lengths: Array
    factor: Array
    weights: Array


def suggest(
    points: Array,
    values: Array,
    pending: Array,
    axes: int,
    place: Callable[[Array], Array],
    random: np.random.Generator,
) -> Array:
    """The positions (axes,) in [0, 1] where the most is to be gained over the largest value.

    `points` (n, d) with `values` (n,) are observed, n >= 1. `pending` (m, d) still run: they count as what the model
    expects of them, so that two at a time do not go to one place. `place` turns positions (k, axes) into points (k, d)
    that can be, with whole numbers whole and choices as one coordinate each.
    """
    spread = float(values.std())
    scaled = (values - values.mean()) / (spread if spread > 0 else 1.0)
    if len(scaled) > MOST_POINTS:
        kept = sorted({int(scaled.argmax()), *range(len(scaled) - MOST_POINTS + 1, len(scaled))})
        points, scaled = points[kept], scaled[kept]
    model, noise = _fit(points, scaled, random)
    if len(pending):
        expected, _ = _predict(model, pending)
        model = _condition(np.vstack([points, pending]), np.concatenate([scaled, expected]), model.lengths, noise)
    best = float(scaled.max())
    positions = random.random((_CANDIDATES, axes))
    for width in (0.1, 0.03, 0.01):
        order = np.argsort(-_log_gain(model, place(positions), best), kind="stable")
        leaders = positions[order[:4]]
        near = np.repeat(leaders, 64, axis=0) + random.normal(0.0, width, (len(leaders) * 64, axes))
        positions = np.vstack([leaders, np.clip(near, 0.0, 1.0)])
    chosen: Array = positions[int(_log_gain(model, place(positions), best).argmax())]
    return chosen


def _fit(points: Array, values: Array, random: np.random.Generator) -> tuple[_Model, float]:
    """The most likely length scales and noise of 4 x 48 draws, each round around the best one so far."""
    axes = points.shape[1]
    center = np.concatenate([np.full(axes, math.log(0.4)), [math.log(1e-3)]])
    best, found = -math.inf, center
    for width in (1.0, 0.7, 0.35, 0.15):
        draws = found + random.normal(0.0, width, (_DRAWS, axes + 1)) * np.concatenate([np.ones(axes), [2.0]])
        draws[:, :-1] = np.clip(draws[:, :-1], math.log(0.03), math.log(10.0))
        draws[:, -1] = np.clip(draws[:, -1], math.log(_NOISE_FLOOR), math.log(0.5))
        # A weak prior keeps two or three points from choosing extremes.
        prior = -0.5 * np.square((draws - center) / np.concatenate([np.full(axes, 1.0), [2.5]])).sum(axis=1)
        scores = prior + _likelihoods(points, values, np.exp(draws))
        if float(scores.max()) > best:
            best, found = float(scores.max()), draws[int(scores.argmax())]
    lengths, noise = np.exp(found[:-1]), float(np.exp(found[-1]))
    return _condition(points, values, lengths, noise), noise


def _likelihoods(points: Array, values: Array, settings: Array) -> Array:
    """log p(values) (k,) of each (lengths..., noise) in `settings` (k, d + 1), up to a constant."""
    lengths = settings[:, None, None, :-1]
    covariance = _matern(np.sqrt(np.square((points[None, :, None] - points[None, None]) / lengths).sum(axis=-1)))
    covariance += settings[:, -1, None, None] * np.eye(len(points))
    factors = np.linalg.cholesky(covariance)
    halves = np.linalg.solve(factors, np.broadcast_to(values[:, None], (len(settings), len(values), 1)))
    determinants = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    found: Array = -0.5 * np.square(halves[..., 0]).sum(axis=1) - determinants
    return found


def _condition(points: Array, values: Array, lengths: Array, noise: float) -> _Model:
    covariance = _covariance(points, points, lengths) + noise * np.eye(len(points))
    factor: Array = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    weights: Array = np.linalg.solve(factor.T, np.linalg.solve(factor, values))
    return _Model(points, lengths, factor, weights)


def _predict(model: _Model, points: Array) -> tuple[Array, Array]:
    """Mean (k,) and standard deviation (k,) at `points` (k, d)."""
    between = _covariance(points, model.points, model.lengths)
    halves = np.linalg.solve(model.factor, between.T)
    return between @ model.weights, np.sqrt(np.maximum(1.0 - np.square(halves).sum(axis=0), 1e-12))


def _log_gain(model: _Model, points: Array, best: float) -> Array:
    """log of the expected improvement (k,) over `best`; far below it an asymptote, so that all can be compared."""
    mean, deviation = _predict(model, points)
    z = (mean - best) / deviation
    density = np.exp(-0.5 * np.square(z)) / math.sqrt(2 * math.pi)
    share = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in z])
    near = np.log(np.maximum(density + z * share, 1e-300))
    low = np.minimum(z, -5.0)
    far = -0.5 * np.square(low) - 0.5 * math.log(2 * math.pi) - 2 * np.log(-low)
    found: Array = np.log(deviation) + np.where(z > -5.0, near, far)
    return found


def _covariance(left: Array, right: Array, lengths: Array) -> Array:
    return _matern(np.sqrt(np.square((left[:, None] - right[None]) / lengths).sum(axis=-1)))


def _matern(distance: Array) -> Array:
    scaled = math.sqrt(5.0) * distance
    found: Array = (1.0 + scaled + np.square(scaled) / 3.0) * np.exp(-scaled)
    return found

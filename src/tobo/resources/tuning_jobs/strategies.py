"""Strategies: which hyperparameters the next trial gets. Pure: the same seed and history give the same suggestion.

Source: SageMaker Developer Guide, "Understand the hyperparameter tuning strategies available".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tobo.resources.tuning_jobs import gaussian_process
from tobo.resources.tuning_jobs.ranges import Axis

Parameters = dict[str, str]
Array = NDArray[np.float64]

START_UP = 4
"""Trials of a Bayesian search before its model says anything; half of the budget at most."""


@dataclass(frozen=True)
class History:
    """What a search knows: (parameters, value, larger is better) of its own trials and of its parents'; `pending` run still."""

    observed: Sequence[tuple[Parameters, float]] = ()
    pending: Sequence[Parameters] = ()
    inherited: Sequence[tuple[Parameters, float]] = ()


def suggest(strategy: str, axes: Sequence[Axis], number: int, seed: int, history: History, budget: int) -> Parameters:
    """Hyperparameters of trial `number` (from 0) of `budget` by name, as text.

    Grid counts through all combinations; Random and Hyperband draw; Bayesian draws START_UP trials from a Latin square
    and then asks the Gaussian process.
    """
    if strategy == "Grid":
        return grid(axes, number)
    random = np.random.default_rng([seed, number])
    start_up = max(1, min(START_UP, budget // 2))
    if strategy != "Bayesian":
        return _texts(axes, random.random(len(axes)))
    inherited = _points(axes, history.inherited)
    known = inherited + _points(axes, history.observed)
    if number < start_up - len(inherited) or not known:
        return _texts(axes, _latin_square(len(axes), start_up, seed)[number % start_up])
    pending = [point for point in (_point(axes, parameters) for parameters in history.pending) if point is not None]
    best = gaussian_process.suggest(
        np.array([point for point, _ in known]),
        np.array([value for _, value in known]),
        np.array(pending),
        len(axes),
        lambda positions: _place(axes, positions),
        random,
    )
    return _texts(axes, best)


def grid_size(axes: Sequence[Axis]) -> int:
    """Combinations of categorical axes."""
    return int(np.prod([len(axis.choices) for axis in axes]))


def grid(axes: Sequence[Axis], number: int) -> Parameters:
    """Combination `number` (from 0), the last axis changing fastest."""
    chosen = list(product(*(axis.choices for axis in axes)))[number]
    return {axis.name: value for axis, value in zip(axes, chosen, strict=True)}


def _texts(axes: Sequence[Axis], positions: Array) -> Parameters:
    return {axis.name: axis.text(float(position)) for axis, position in zip(axes, positions, strict=True)}


def _latin_square(axes: int, rows: int, seed: int) -> Array:
    """Positions (rows, axes) of which each axis has one in each of `rows` equal parts."""
    random = np.random.default_rng(seed)
    parts = np.stack([random.permutation(rows) for _ in range(axes)], axis=1)
    found: Array = (parts + random.random((rows, axes))) / rows
    return found


def _points(axes: Sequence[Axis], history: Sequence[tuple[Parameters, float]]) -> list[tuple[Array, float]]:
    found = [(_point(axes, parameters), value) for parameters, value in history]
    return [(point, value) for point, value in found if point is not None]


def _point(axes: Sequence[Axis], parameters: Parameters) -> Array | None:
    """Where parameters lie; None where one is missing or outside of its range (a parent's may be)."""
    positions = [axis.position(parameters[axis.name]) if axis.name in parameters else None for axis in axes]
    if any(position is None for position in positions):
        return None
    found: Array = _place(axes, np.array([positions], dtype=float))[0]
    return found


def _place(axes: Sequence[Axis], positions: Array) -> Array:
    """Positions (k, axes) -> points (k, d) for the model: numbers as they are, choices as one coordinate each."""
    columns = []
    for axis, column in zip(axes, positions.T, strict=True):
        if axis.kind == "choice":
            count = len(axis.choices)
            chosen = np.minimum((column * count).astype(int), count - 1)
            columns.append(np.eye(count)[chosen] / np.sqrt(2.0))
        elif axis.kind == "int":
            snapped = [axis.position(axis.text(float(position))) for position in column]
            columns.append(np.array(snapped, dtype=float)[:, None])
        else:
            columns.append(column[:, None])
    return np.hstack(columns)

"""The head: multinomial logistic regression on frozen features, its strength of regularisation cross-validated.

Objective: mean cross entropy + |W|^2 / (2 C n) on standardised features, as `train_layers=head` trains it. The solution
lies in the span of the labelled rows, so it is looked for in their principal axes (`lbfgs` says why).
Probabilities are calibrated by one temperature (Guo et al. 2017, arXiv:1706.04599) on out-of-fold logits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tobo.labelling.active import lbfgs

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Values of C that cross-validation chooses from."""
FOLDS = 4
MOST_AXES = 1024
"""Principal axes that are kept: more labels than this make a head no better, but slower."""
CHUNK = 4096
"""Rows that are standardised at a time."""

_FLAT = 1e-4


@dataclass(frozen=True)
class Scale:
    """What standardises features: mean and deviation, float32 (dimensions,)."""

    mean: Floats
    deviation: Floats

    def __call__(self, features: Floats) -> Floats:
        scaled: Floats = (features - self.mean) / self.deviation
        return scaled


@dataclass(frozen=True)
class Head:
    """Logits of raw features are `features @ weight + bias`, float32 (dimensions, classes) and (classes,).

    Column k speaks of class `classes[k]`. `strength` is the chosen C; `temperature` divides logits before the softmax.
    `held_out` are the labelled items' calibrated probabilities, float32 (labelled, classes), each said by a head that did
    not see its label; None where there were too few items to hold any out.
    """

    classes: Ints
    weight: Floats
    bias: Floats
    strength: float
    temperature: float
    held_out: Floats | None

    def probabilities(self, features: Floats, rows: Ints | None = None) -> Floats:
        """Calibrated probabilities, float32 (items, classes), of all features or of these rows."""
        rows = np.arange(len(features)) if rows is None else rows
        found = np.empty((len(rows), len(self.classes)), np.float32)
        for begin in range(0, len(rows), CHUNK):
            part = features[rows[begin : begin + CHUNK]]
            found[begin : begin + CHUNK] = softmax((part @ self.weight + self.bias) / self.temperature)
        return found


def scale(features: Floats) -> Scale:
    """Mean and deviation of all items, labelled or not; a flat feature is left as it is."""
    shift = features[0].astype(np.float64)  # near the mean, so that squares do not cancel
    mean, square = np.zeros_like(shift), np.zeros_like(shift)
    for begin in range(0, len(features), CHUNK):
        part = features[begin : begin + CHUNK] - shift
        mean += part.sum(0)
        square += np.square(part).sum(0)
    mean /= len(features)
    deviation = np.sqrt(np.maximum(square / len(features) - np.square(mean), 0))
    deviation[deviation <= _FLAT] = 1
    return Scale((mean + shift).astype(np.float32), deviation.astype(np.float32))


def train(features: Floats, labels: Ints, scaling: Scale, seed: int = 0) -> Head:
    """A head for raw `features` (labelled, dimensions) with class numbers `labels` (labelled,).

    Raises ValueError without an item. With fewer items than two a fold, nothing is held out: C is the
    least of STRENGTHS then, and the temperature 1. With one class every probability is 1.
    """
    if not len(labels):
        raise ValueError("A head needs at least one labelled item.")
    classes, targets = np.unique(labels, return_inverse=True)
    axes, places = principal(scaling(features))
    strength, temperature, held_out = STRENGTHS[0], 1.0, None
    if len(labels) >= 2 * FOLDS:
        strength, temperature, held_out = _validated(places, targets, len(classes), _folds(targets, seed))
    inner, free = fit(places, targets, len(classes), strength)
    weight = (axes @ inner) / scaling.deviation[:, None]
    bias = free - scaling.mean @ weight
    return Head(classes, weight.astype(np.float32), bias.astype(np.float32), strength, temperature, held_out)


def fit(x: Floats, targets: Ints, classes: int, strength: float) -> tuple[Doubles, Doubles]:
    """Weight (axes, classes) and bias (classes,) with the least objective, for places `x` (items, axes)."""
    count = len(x)
    wide = np.hstack([x, np.ones((count, 1), np.float32)])
    penalty = np.full((wide.shape[1], 1), 1 / (strength * count))
    penalty[-1] = 1e-6  # the bias is free but for a shift, which no softmax sees
    # Boehning 1992: the Hessian of the loss is at most 1/2 x'x / n; in principal axes that is a diagonal.
    curvature = 0.5 * np.square(wide, dtype=np.float64).mean(0)[:, None] + penalty
    rows = np.arange(count)

    def objective(weight: Doubles) -> tuple[float, Doubles]:
        logits = (wide @ weight.astype(np.float32)).astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        errors = np.exp(logits)
        total = errors.sum(1, keepdims=True)
        loss = (np.log(total[:, 0]) - logits[rows, targets]).mean() + (penalty * np.square(weight)).sum() / 2
        errors /= total
        errors[rows, targets] -= 1
        return float(loss), wide.T @ errors.astype(np.float32) / count + penalty * weight

    weight = lbfgs.minimize(objective, np.zeros((wide.shape[1], classes)), 1 / curvature)
    return weight[:-1], weight[-1]


def calibrated(logits: Floats, targets: Ints) -> tuple[float, float]:
    """The temperature with the least mean cross entropy, and that loss: golden-section search on its logarithm."""
    rows = np.arange(len(targets))

    def loss(logarithm: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(logarithm)
        scaled -= scaled.max(1, keepdims=True)
        return float((np.log(np.exp(scaled).sum(1)) - scaled[rows, targets]).mean())

    low, high, golden = -3.0, 3.0, (5**0.5 - 1) / 2
    for _ in range(24):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    middle = (low + high) / 2
    return float(np.exp(middle)), loss(middle)


def principal(x: Floats, most: int = MOST_AXES) -> tuple[Floats, Floats]:
    """Axes (dimensions, k) and the items' places on them (items, k): x = places @ axes.T, but for what is beyond `most` axes."""
    few = len(x) < x.shape[1]
    values, vectors = np.linalg.eigh((x @ x.T if few else x.T @ x).astype(np.float64))
    kept = np.flatnonzero(values > max(float(values[-1]), 1e-12) * 1e-7)[::-1][:most]
    axes = (x.T @ (vectors[:, kept] / np.sqrt(values[kept])) if few else vectors[:, kept]).astype(np.float32)
    return axes, x @ axes


def softmax(logits: Floats) -> Floats:
    """Rows of probabilities."""
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    found: Floats = exponents / exponents.sum(1, keepdims=True)
    return found


def _validated(places: Floats, targets: Ints, classes: int, folds: Ints) -> tuple[float, float, Floats]:
    """The C with the least out-of-fold loss, its temperature, its calibrated out-of-fold probabilities."""
    tried = []
    for strength in STRENGTHS:
        logits = np.zeros((len(targets), classes), np.float32)
        for fold in range(FOLDS):
            out = folds == fold
            weight, bias = fit(places[~out], targets[~out], classes, strength)
            logits[out] = places[out] @ weight + bias
        temperature, loss = calibrated(logits, targets)
        tried.append((loss, strength, temperature, logits))
    _, strength, temperature, logits = min(tried, key=lambda each: each[0])
    return strength, temperature, softmax(logits / np.float32(temperature))


def _folds(targets: Ints, seed: int) -> Ints:
    """The fold of each item, every class spread over all of them."""
    order = np.random.default_rng(seed).permutation(len(targets))
    order = order[np.argsort(targets[order], kind="stable")]
    folds = np.empty(len(targets), np.int64)
    folds[order] = np.arange(len(targets)) % FOLDS
    return folds

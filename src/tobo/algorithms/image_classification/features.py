"""`train_layers=head`: frozen features, computed once, and a logistic head on them.

Features are mean and standard deviation over space at every depth of the backbone, standardised. The head is
L2-penalised logistic regression, mean loss + |W|^2 / (2 C n), found with L-BFGS; an epoch is ITERATIONS of its steps.
"""

import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tobo.algorithms.image_classification import feature_store, metrics, optimize
from tobo.algorithms.image_classification.classifier import HeadClassifier, scores
from tobo.algorithms.image_classification.dataset import Dataset
from tobo.algorithms.image_classification.fit import StopSignal, precision, snapshot
from tobo.algorithms.image_classification.progress import Progress
from tobo.algorithms.image_classification.settings import Settings

ITERATIONS = 10
_BATCH = 32
_FLAT = 1e-4
"""A feature with a smaller deviation than this says nothing and is left as it is."""


class Features(NamedTuple):
    """`values` float [n, f] beside `targets` [n] (or [n, classes])."""

    values: Tensor
    targets: npt.NDArray[Any]


def compute(network: HeadClassifier, dataset: Dataset, settings: Settings, stop: StopSignal) -> Features:
    """Features of a channel's pictures, in its order; once `stop` is set, of those that came before.

    Those that an earlier job left are taken; those of a whole channel are left for later ones.
    """
    with feature_store.place(network, dataset, settings, stop) as place:
        if place is not None and (values := place.read()) is not None and len(values) == len(dataset):
            print(f"The features of channel '{dataset.name}' are an earlier job's.", flush=True)
            return Features(values, dataset.targets)
        found = _computed(network, dataset, settings, stop)
        if place is not None and not stop.received and not dataset.broken:
            place.write(found.values)
    return found


def _computed(network: HeadClassifier, dataset: Dataset, settings: Settings, stop: StopSignal) -> Features:
    network.eval()
    rows: list[Tensor] = []
    targets = []
    with torch.no_grad(), precision(settings):
        for batch in dataset.batches(dataset.indices(), _BATCH):
            rows.append(network.features(torch.from_numpy(dataset.cropped(batch))).float())
            targets.append(batch.targets)
            if stop.received:
                break
    return Features(torch.cat(rows), np.concatenate(targets))


def fit(
    network: HeadClassifier, train: Dataset, validation: Dataset | None, settings: Settings, stop: StopSignal
) -> Progress:
    """Trains the head in place and leaves the best epoch's in it."""
    progress = Progress(settings)
    started = time.monotonic()
    known = compute(network, train, settings, stop)
    unseen = compute(network, validation, settings, stop) if validation is not None else None
    print(f"Features: {known.values.shape[1]} a picture, there after {time.monotonic() - started:.1f} s.", flush=True)
    mean, deviation = known.values.mean(0), known.values.std(0, correction=0)
    deviation = torch.where(deviation > _FLAT, deviation, torch.ones_like(deviation))
    head = _Logistic(
        (known.values - mean) / deviation, known.targets, settings, optimize.class_weights(train, settings)
    )
    for epoch in range(settings.epochs):
        started = time.monotonic()
        converged = head.advance()
        _unfold(head, network, mean, deviation)
        trained = _scored(network, known, settings)
        validated = _scored(network, unseen, settings) if unseen is not None else None
        progress.epoch(epoch, time.monotonic() - started, trained, validated, snapshot(network.head))
        if converged or stop.received or progress.should_stop():
            break
    if progress.best is not None:
        network.head.load_state_dict(progress.best)
    return progress


class _Logistic:
    """Penalised logistic regression on standardised features; starts from zero, so it needs no seed."""

    def __init__(self, features: Tensor, targets: npt.NDArray[Any], settings: Settings, weights: Tensor | None) -> None:
        self.features = features
        self.targets = torch.from_numpy(targets)
        self.settings = settings
        self.class_weights = weights
        self.weight = torch.zeros(settings.num_classes, features.shape[1], requires_grad=True)
        self.bias = torch.zeros(settings.num_classes, requires_grad=True)
        self.optimizer = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
        )
        self.last = np.inf

    def advance(self) -> bool:
        """ITERATIONS steps; True where they changed the objective no more."""

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            value = self._objective()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        self.optimizer.step(closure)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            value = float(self._objective())
        converged = self.last - value < 1e-4 * abs(value)
        self.last = value
        return converged

    def _objective(self) -> Tensor:
        logits = self.features @ self.weight.T + self.bias
        penalty = (self.weight**2).sum() / (2 * self.settings.head_c * len(self.features))
        return optimize.loss(logits, self.targets, self.settings, self.class_weights) + penalty


def _unfold(head: _Logistic, network: HeadClassifier, mean: Tensor, deviation: Tensor) -> None:
    """Writes the head for raw features: W (x - m) / d + b = (W / d) x + (b - W m / d)."""
    with torch.no_grad():
        weight = head.weight / deviation
        network.head.weight.copy_(weight)
        network.head.bias.copy_(head.bias - weight @ mean)


def _scored(network: HeadClassifier, features: Features, settings: Settings) -> metrics.Scores:
    with torch.no_grad():
        return metrics.Scores(scores(network.head(features.values), settings.multi_label).numpy(), features.targets)

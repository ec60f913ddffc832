"""Optimizers, learning-rate schedules, losses and the running average of weights."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tobo.algorithms.image_classification.dataset import Dataset
from tobo.algorithms.image_classification.settings import Settings

_BELOW_ONE = 1 - 1e-6
"""The contract allows betas of 1, with which Adam would never move; torch refuses them."""

_WARM_UP = 0.25
"""Share of a one_cycle schedule in which the rate rises."""


def optimizer(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """The chosen optimizer; weight decay (sgd, nag, adamw) spares biases and normalisation."""
    matrices = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    betas = min(settings.beta_1, _BELOW_ONE), min(settings.beta_2, _BELOW_ONE)
    rate, eps = settings.learning_rate, settings.eps
    match settings.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, rate, settings.momentum)
        case "nag":
            nesterov = settings.momentum > 0  # without momentum Nesterov's method is plain descent
            return torch.optim.SGD(groups, rate, settings.momentum, nesterov=nesterov)
        case "adamw":
            return torch.optim.AdamW(groups, rate, betas, eps)
        case "adam":
            return torch.optim.Adam([*matrices, *vectors], rate, betas, eps)
        case _:
            return torch.optim.RMSprop([*matrices, *vectors], rate, settings.gamma, eps)


def learning_rate(settings: Settings, epoch: float) -> float:
    """The rate at a time counted in epochs: 2.5 is the middle of the third one."""
    if settings.lr_scheduler == "step":
        passed = sum(1 for step in settings.lr_scheduler_step if epoch >= step)
        return settings.learning_rate * float(settings.lr_scheduler_factor**passed)
    done = min(epoch / settings.epochs, 1.0)
    if done < _WARM_UP:
        return settings.learning_rate * (0.04 + 0.96 * _half_cosine(done / _WARM_UP))
    return settings.learning_rate * (1 - _half_cosine((done - _WARM_UP) / (1 - _WARM_UP)))


def _half_cosine(x: float) -> float:
    """0 -> 0, 1 -> 1, flat at both ends."""
    return (1 - math.cos(math.pi * x)) / 2


def class_weights(dataset: Dataset, settings: Settings) -> Tensor | None:
    """Weights [classes] for use_weighted_loss: n / (classes * n_class); with multi_label n_without / n_with."""
    if not settings.use_weighted_loss:
        return None
    if settings.multi_label:
        present = dataset.targets.sum(0)
        weights = (len(dataset.targets) - present) / np.maximum(present, 1)
    else:
        counts = np.bincount(dataset.targets, minlength=settings.num_classes)
        weights = len(dataset.targets) / (settings.num_classes * np.maximum(counts, 1))
    return torch.from_numpy(weights.astype(np.float32))


def loss(logits: Tensor, targets: Tensor, settings: Settings, weights: Tensor | None) -> Tensor:
    """Cross entropy, a class for itself with multi_label; scalar."""
    if settings.multi_label:
        smoothed = targets * (1 - settings.label_smoothing) + settings.label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits, smoothed, pos_weight=weights)
    return functional.cross_entropy(logits, targets, weights, label_smoothing=settings.label_smoothing)


class Average:
    """A running average of a network's weights and statistics, in a network of its own (Polyak averaging).

    Early on the decay is (1 + t) / (10 + t), so that the first weights are soon forgotten.
    """

    def __init__(self, network: nn.Module, averaged: nn.Module, decay: float) -> None:
        self.network = averaged
        self.decay = decay
        self.steps = 0
        averaged.load_state_dict(network.state_dict())

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        floats = [(ours, theirs) for ours, theirs in pairs if ours.is_floating_point()]
        torch._foreach_lerp_([ours for ours, _ in floats], [theirs for _, theirs in floats], 1 - keep)

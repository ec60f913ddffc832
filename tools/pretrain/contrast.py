"""The supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362) and what it needs: a projection, and pairs."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

TEMPERATURE = 0.1
"""The paper's, found on ImageNet."""


class Projection(nn.Module):
    """float [n, features] -> two directions [n, 64] each: one in which classes are near, one in which kinds are."""

    def __init__(self, features: int, hidden: int = 256, directions: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 2 * directions))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        classes, kinds = self.layers(x).chunk(2, 1)
        return functional.normalize(classes), functional.normalize(kinds)


def contrast(directions: Tensor, groups: Tensor) -> Tensor:
    """The mean over all that are not alone in their group: how unlikely each finds its fellows among all the others.

    `directions` [n, d] are of length 1, `groups` [n] whole numbers; the paper's equation 2. Zero where all are alone.
    """
    alike = directions @ directions.T / TEMPERATURE
    itself = torch.eye(len(groups), dtype=torch.bool, device=groups.device)
    fellows = (groups[:, None] == groups) & ~itself
    likelihood = functional.log_softmax(alike.masked_fill(itself, -1e9), 1)
    each = -(likelihood * fellows).sum(1) / fellows.sum(1).clamp(min=1)
    together = fellows.any(1)
    return (each * together).sum() / together.sum().clamp(min=1)


def pairs(classes: int, per_class: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """All rows of a cache in random order, two of the same class behind each other; `per_class` is even."""
    within = generator.permuted(np.tile(np.arange(per_class), (classes, 1)), axis=1)
    rows = (within + np.arange(classes)[:, None] * per_class).reshape(-1, 2)
    return generator.permutation(rows).reshape(-1)

"""The contrastive loss: as the paper's sum says, small where groups are apart, and pairs that are always there."""

import math

import numpy as np
import pytest
import torch
from tools.pretrain.contrast import TEMPERATURE, Projection, contrast, pairs

GROUPS = torch.tensor([0, 0, 1, 1, 1, 2])


def by_hand(directions: torch.Tensor, groups: torch.Tensor) -> float:
    """Equation 2 of arXiv:2004.11362, one anchor after the other; those alone in their group are left out."""
    found = []
    for i in range(len(groups)):
        others = [a for a in range(len(groups)) if a != i]
        fellows = [p for p in others if groups[p] == groups[i]]
        weights = {a: math.exp(float(directions[i] @ directions[a]) / TEMPERATURE) for a in others}
        if fellows:
            found.append(-sum(math.log(weights[p] / sum(weights.values())) for p in fellows) / len(fellows))
    return sum(found) / len(found)


def test_the_loss_is_the_papers() -> None:
    torch.manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(6, 5))
    assert float(contrast(directions, GROUPS)) == pytest.approx(by_hand(directions, GROUPS), rel=1e-5)


def test_groups_apart_lose_little_and_groups_mixed_much() -> None:
    apart = torch.eye(3)[GROUPS]
    mixed = torch.eye(3)[torch.tensor([0, 1, 0, 1, 2, 2])]
    assert float(contrast(apart, GROUPS)) < 0.8 < 4 < float(contrast(mixed, GROUPS))


def test_nobody_has_a_fellow() -> None:
    directions = torch.eye(3, requires_grad=True)
    loss = contrast(directions, torch.arange(3))
    loss.backward()
    assert float(loss.detach()) == 0 and torch.isfinite(directions.grad).all()


def test_a_projection_gives_two_directions() -> None:
    one, two = Projection(12)(torch.randn(7, 12))
    assert one.shape == two.shape == (7, 64) and not torch.equal(one, two)
    assert torch.allclose(one.norm(dim=1), torch.ones(7)) and torch.allclose(two.norm(dim=1), torch.ones(7))


def test_pairs_are_of_one_class_and_every_row_comes_once() -> None:
    rows = pairs(5, 6, np.random.default_rng(0))
    assert sorted(rows) == list(range(30))
    classes = rows // 6
    assert (classes[::2] == classes[1::2]).all() and (np.diff(classes[::2]) != 0).any()
    assert not np.array_equal(rows, pairs(5, 6, np.random.default_rng(1)))

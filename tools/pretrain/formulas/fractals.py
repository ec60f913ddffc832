"""Attractors of iterated function systems.

The idea of pre-training on them: Kataoka et al. 2020, "Pre-training without Natural Images" (FractalDB,
arXiv:2101.08515). The maps are drawn by their singular values, as Anderson & Farrell 2022 (arXiv:2110.03091) propose,
so that nearly every system contracts and fills its picture; the chaos game is Barnsley's (1988).
"""

from typing import NamedTuple

import numpy as np
from tools.pretrain.formulas.canvas import Array, Picture, Random, flat, single

_CHAINS, _WARM_UP, _STEPS = 1500, 12, 24
_JITTER = 0.08
_FILLED = 0.10
"""Least part of the picture that a class's attractor has to cover."""


class System(NamedTuple):
    """`maps` float32 [n, 2, 3]: affine maps; `odds` [n]: how often each is taken; `spread`: how ink spreads."""

    maps: Array
    odds: Array
    spread: float


def parameters(rng: Random, number: int) -> System:
    """A system whose attractor covers enough of the picture."""
    while True:
        count = int(rng.integers(2, 7))
        stretch = rng.uniform(0.35, 0.9, count)
        values = np.stack((stretch, stretch * rng.uniform(0.25, 1, count)), 1)
        turns = rng.uniform(0, 2 * np.pi, (2, count))
        left, right = (np.stack((np.cos(t), -np.sin(t), np.sin(t), np.cos(t)), 1).reshape(-1, 2, 2) for t in turns)
        linear = left * values[:, None, :] @ right
        linear[rng.random(count) < 0.5, :, 1] *= -1
        maps = np.concatenate((linear, rng.uniform(-1, 1, (count, 2, 1))), 2)
        odds = np.abs(np.linalg.det(linear)) + 0.02
        system = System(single(maps), single(odds / odds.sum()), rng.uniform(0.25, 0.7))
        cover = _attractor(rng, system, 48)
        if np.isfinite(cover).all() and (cover > 0.2).mean() > _FILLED:
            return system


def draw(rng: Random, system: System, size: int) -> Picture:
    """The attractor of a slightly different system, its density as ink."""
    jitter = 1 + rng.uniform(-_JITTER, _JITTER, system.maps.shape)
    return flat(_attractor(rng, system._replace(maps=single(system.maps * jitter)), size))


def _attractor(rng: Random, system: System, size: int) -> Array:
    """The chaos game, many chains side by side; density ** spread, its brightest pixels 1."""
    points = rng.uniform(-1, 1, (_CHAINS, 2)).astype(np.float32)
    picks = rng.choice(
        len(system.odds), (_WARM_UP + _STEPS, _CHAINS), p=system.odds / system.odds.sum(dtype=np.float64)
    )
    visited = np.empty((_STEPS, _CHAINS, 2), np.float32)
    for step, pick in enumerate(picks):
        m = system.maps[pick]
        points = m[:, :, 0] * points[:, :1] + m[:, :, 1] * points[:, 1:] + m[:, :, 2]
        if step >= _WARM_UP:
            visited[step - _WARM_UP] = points
    cloud = visited.reshape(-1, 2)
    low, high = np.percentile(cloud[::7], (1.5, 98.5), axis=0)
    middle, reach = (low + high) / 2, max(float((high - low).max()), 1e-3) / 2 * 1.12
    cells = ((cloud - middle) / reach * 0.5 + 0.5) * size
    cells = cells[((cells >= 0) & (cells < size)).all(1)].astype(np.int64)
    density = np.bincount(cells[:, 1] * size + cells[:, 0], minlength=size * size).reshape(size, size)
    thick = density + 0.5 * (np.roll(density, 1, 0) + np.roll(density, 1, 1))
    top = max(float(np.percentile(thick, 98)), 1.0)
    return single(np.clip(thick / top, 0, 1) ** system.spread)

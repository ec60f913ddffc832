"""Closed contours: waves on an ellipse, polygons and stars, filled, outlined or nested.

Waves on nested orbits: Takashima et al. 2023, "Visual Atoms" (VisualAtom, arXiv:2303.01112). Polygons as polar curves
are ours.
"""

from typing import NamedTuple

import numpy as np
from tools.pretrain.formulas.canvas import Picture, Random, flat, inside, placed, single


class Contour(NamedTuple):
    """The curve r(angle) and how it is drawn; `corners` 0 means a circle under the waves."""

    corners: int
    inward: float
    waves: tuple[tuple[int, float], ...]
    flatness: float
    orbits: int
    thickness: float
    filled: bool
    swirl: float


def parameters(rng: Random, number: int) -> Contour:
    """Polygons for odd numbers, waves alone for even ones."""
    corners = int(rng.integers(3, 9)) if number % 2 else 0
    strength = 0.5 if corners else 1.0
    waves = tuple(
        (int(rng.integers(1, 15)), strength * rng.uniform(0.05, 0.35)) for _ in range(int(rng.integers(1, 4)))
    )
    return Contour(
        corners=corners,
        inward=rng.uniform(0, 0.45) if rng.random() < 0.5 else 0.0,
        waves=waves if not corners or rng.random() < 0.5 else (),
        flatness=rng.uniform(0.45, 1.0),
        orbits=int(rng.choice((1, 1, 2, 3, 5, 7))),
        thickness=rng.uniform(0.2, 0.7),
        filled=bool(rng.random() < 0.5),
        swirl=rng.uniform(-1.2, 1.2) if rng.random() < 0.3 else 0.0,
    )


def draw(rng: Random, contour: Contour, size: int) -> Picture:
    """The contour with jittered waves, turned, scaled and shifted."""
    x, y = placed(rng, size, 0.35, 0.25, 0.15)
    y = y / np.float32(contour.flatness * rng.uniform(0.9, 1.1))
    radius = np.sqrt(x * x + y * y)
    angle = np.arctan2(y, x) + np.float32(contour.swirl * rng.uniform(0.8, 1.2)) * radius
    edge = np.ones_like(angle)
    if contour.corners:
        sector = 2 * np.pi / contour.corners
        phase = np.mod(angle, sector) - sector / 2
        edge = single(np.cos(sector / 2) / np.cos(phase))
        edge -= np.float32(contour.inward) * (1 - np.abs(phase) / np.float32(sector / 2))
    for count, height in contour.waves:
        edge += np.float32(height * rng.uniform(0.85, 1.15)) * np.sin(
            count * angle + np.float32(rng.uniform(-0.3, 0.3))
        )
    level = radius / np.maximum(edge * np.float32(0.8), 0.08)
    width = contour.thickness * rng.uniform(0.85, 1.15)
    if contour.orbits == 1:
        within = inside(single(0.7 * (level - 1)))
        return flat(within if contour.filled else within * (1 - inside(single(0.7 * (level - 1 + 0.5 * width)))))
    ring = np.abs(np.mod(level * contour.orbits, 1) - np.float32(0.5)) - np.float32(width / 2)
    rings = inside(single(0.7 * ring / contour.orbits)) * inside(single(0.7 * (level - 1)))
    return flat(rings, inside(single(0.7 * (level - 1 / contour.orbits))) if contour.filled else None)

"""Shaded solids: superellipsoids painted with stripes, dots, swirls, halves or nothing, glossy, chipped or hollow.

Superellipsoids: Barr 1981, "Superquadrics and Angle-Preserving Transformations". Phong's highlights (1975). The
paints are ours, and not those of tobo.line, so that its marbles stay unseen.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tools.pretrain.formulas.canvas import (
    NEUTRAL,
    Array,
    Picture,
    Random,
    blob,
    inside,
    noise,
    placed,
    single,
    sunlight,
)

PAINTS = ("plain", "stripes", "dots", "swirl", "halves", "veins", "chipped", "hollow")


class Solid(NamedTuple):
    """`power` 2 is an ellipsoid, more a box, less an octahedron; `scale` counts a pattern's features."""

    paint: str
    power: float
    stretch: float
    scale: float
    fill: float
    gloss: float
    soft: float
    axis: Array


def parameters(rng: Random, number: int) -> Solid:
    """Paints in turn; half of all solids are balls."""
    axis = rng.standard_normal(3)
    return Solid(
        paint=PAINTS[number % len(PAINTS)],
        power=2.0 if rng.random() < 0.5 else float(rng.choice((1.3, 3, 5, 10))),
        stretch=1.0 if rng.random() < 0.5 else rng.uniform(0.45, 0.9),
        scale=rng.uniform(1.5, 6),
        fill=rng.uniform(-0.4, 0.5),
        gloss=rng.uniform(0, 1),
        soft=rng.uniform(1, 3),
        axis=single(axis / np.linalg.norm(axis)),
    )


def draw(rng: Random, solid: Solid, size: int) -> Picture:
    """The solid under a random light, its pattern turned a little, its shadow on the ground."""
    x, y = placed(rng, size, 0.5, 0.2, 0.15)
    power, reach = solid.power, 0.72
    u, v = x / np.float32(reach), y / np.float32(reach * solid.stretch)
    level = (np.abs(u) ** power + np.abs(v) ** power) ** np.float32(1 / power)
    cover = inside(single((level - 1) * reach * solid.stretch), solid.soft)
    deep = np.maximum(1 - np.minimum(level, 1) ** power, 1e-4) ** np.float32(1 / power)
    normal = np.stack(
        [np.sign(each) * np.maximum(np.abs(each), 1e-4) ** np.float32(power - 1) for each in (u, v, deep)]
    )
    normal /= np.sqrt((normal * normal).sum(0)) + np.float32(1e-6)
    sun = sunlight(rng)
    lit = np.clip(np.tensordot(sun, normal, 1), 0, 1)
    shine = np.float32(solid.gloss) * np.clip(2 * lit * normal[2] - sun[2], 0, 1) ** np.float32(8 + 40 * solid.gloss)
    points = np.stack((u, v, deep))
    mix = _PAINTED[solid.paint](rng, solid, points, size) * cover
    if solid.paint == "hollow":
        lit = np.clip(np.tensordot(single((-sun[0], -sun[1], sun[2])), normal, 1), 0, 1)
        shine = shine * 0
    light = NEUTRAL * (0.3 + 0.7 * lit) + (1 - NEUTRAL) * shine
    shadow = inside(single((np.hypot(u + sun[0] * 0.3, v + sun[1] * 0.3) - 1) * reach), 12)
    ground = NEUTRAL * (1 - np.float32(0.5) * shadow)
    return Picture(cover, single(mix), single(ground + (light - ground) * cover))


def _rolled(rng: Random, solid: Solid, points: Array) -> tuple[Array, Array, Array]:
    """The surface's coordinates: along the pattern's axis, and two across it."""
    axis = single(solid.axis + 0.12 * rng.standard_normal(3))
    axis = axis / np.linalg.norm(axis)
    one = np.cross(axis, (0.31, 0.77, 0.55))
    one = one / np.linalg.norm(one)
    two = np.cross(axis, one)
    along, first, second = (single(np.tensordot(single(each), points, 1)) for each in (axis, one, two))
    return along, first, second


def _edge(field: ArrayLike) -> Array:
    """0 to 1 where `field` goes from -0.5 to 0.5."""
    return single(np.clip(0.5 + single(field), 0, 1))


def _plain(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    return np.zeros(points.shape[1:], np.float32)


def _stripes(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    along, _, _ = _rolled(rng, solid, points)
    return _edge(
        4 * (np.sin(along * np.float32(2 * solid.scale) + np.float32(rng.uniform(-0.6, 0.6))) + np.float32(solid.fill))
    )


def _swirl(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    along, one, two = _rolled(rng, solid, points)
    winding = np.arctan2(one, two) * np.float32(1 + int(solid.scale) // 2) + along * np.float32(solid.scale)
    return _edge(3 * (np.sin(winding + np.float32(0.5) * np.sin(3 * one)) + np.float32(solid.fill)))


def _dots(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    along, one, two = _rolled(rng, solid, points)
    scale = np.float32(1.3 * solid.scale)
    lattice = np.cos(along * scale) * np.cos(one * scale) * np.cos(two * scale)
    return _edge(8 * (np.abs(lattice) - np.float32(0.5 - 0.4 * solid.fill)))


def _halves(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    along, one, _ = _rolled(rng, solid, points)
    return _edge(12 * (along + np.float32(0.5 * solid.fill) + np.float32(0.06) * np.sin(one * np.float32(solid.scale))))


def _veins(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    along, _, _ = _rolled(rng, solid, points)
    bent = along * np.float32(solid.scale) + np.float32(0.8) * noise(rng, size, 1.8)
    return _edge(1 + solid.fill - 5 * np.abs(np.sin(bent)))


def _chipped(rng: Random, solid: Solid, points: Array, size: int) -> Array:
    cx, cy = rng.uniform(-0.5, 0.5, 2).astype(np.float32)
    edge = blob(rng, points[0] - cx, points[1] - cy, rng.uniform(0.2, 0.45), rng.uniform(1, 1.8), rng.uniform(0, 3.2))
    return single(inside(edge) * (np.float32(0.7) + np.float32(0.3) * np.sin(edge * np.float32(18))))


_PAINTED = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "swirl": _swirl,
    "halves": _halves,
    "veins": _veins,
    "chipped": _chipped,
    "hollow": _plain,
}

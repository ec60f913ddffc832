"""Limbed bodies: a trunk with stretched and folded limbs, melted together and shaded as a relief.

Smooth unions of simple bodies: Blinn 1982 ("A Generalization of Algebraic Surface Drawing"), here of capsules'
distances. The bodies are ours.
"""

from typing import NamedTuple

import numpy as np
from tools.pretrain.formulas.canvas import Array, Picture, Random, inside, placed, relief, single, sunlight


class Body(NamedTuple):
    """Limbs by `angles` (radians) and `lengths` from the trunk's rim, of `thickness`; `tail` is the arm below."""

    angles: Array
    lengths: Array
    thickness: float
    trunk: float
    tail: float
    melt: float
    bend: float


def parameters(rng: Random, number: int) -> Body:
    """One to seven limbs, each stretched or folded."""
    count = 1 + number % 7
    reach = rng.uniform(0.5, 1.5)
    angles = np.linspace(-reach, reach, count) if count > 1 else np.zeros(1)
    lengths = np.where(rng.random(count) < 0.6, rng.uniform(0.5, 0.8, count), rng.uniform(0.05, 0.2, count))
    return Body(
        angles=single(angles + rng.normal(0, 0.1, count)),
        lengths=single(lengths),
        thickness=rng.uniform(0.06, 0.13),
        trunk=rng.uniform(0.22, 0.36),
        tail=rng.uniform(0.1, 0.22) if rng.random() < 0.7 else 0.0,
        melt=rng.uniform(0.03, 0.1),
        bend=rng.uniform(-0.6, 0.6),
    )


def draw(rng: Random, body: Body, size: int) -> Picture:
    """The body, its limbs moved a little."""
    x, y = placed(rng, size, 0.35, 0.2, 0.12)
    y = y - np.float32(0.25)
    distance = np.sqrt(x * x + (y * np.float32(rng.uniform(0.8, 1.0))) ** 2) - np.float32(body.trunk)
    if body.tail:
        tail = _capsule(x, y, (0, 0), (rng.uniform(-0.25, 0.25), 2.0), body.tail)
        distance = _melted(distance, tail, body.melt)
    for angle, length in zip(body.angles + rng.normal(0, 0.07, len(body.angles)), body.lengths, strict=True):
        root = 0.75 * body.trunk * np.array((np.sin(angle), -np.cos(angle)))
        long = length * rng.uniform(0.88, 1.12)
        bent = angle + body.bend * rng.uniform(0.7, 1.3) * 0.5
        knee = root + long * 0.55 * np.array((np.sin(angle), -np.cos(angle)))
        tip = knee + long * 0.45 * np.array((np.sin(bent), -np.cos(bent)))
        limb = np.minimum(
            _capsule(x, y, tuple(root), tuple(knee), body.thickness),
            _capsule(x, y, tuple(knee), tuple(tip), body.thickness * 0.9),
        )
        distance = _melted(distance, limb, body.melt * 0.5)
    cover = inside(distance)
    depth = np.clip(-distance, 0, 0.12) / np.float32(0.12)
    light = relief(single(np.sqrt(1 - (1 - depth) ** 2)), sunlight(rng), 0.10 * size / 2)
    return Picture(cover, np.zeros_like(cover), light)


def _capsule(x: Array, y: Array, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> Array:
    """Distance to a thick line."""
    ax, ay, bx, by = (np.float32(each) for each in (*start, *end))
    dx, dy = bx - ax, by - ay
    part = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + np.float32(1e-6)), 0, 1)
    return single(np.sqrt((x - ax - part * dx) ** 2 + (y - ay - part * dy) ** 2) - np.float32(radius))


def _melted(one: Array, two: Array, width: float) -> Array:
    """The union, its seam filled over `width`: the polynomial smooth minimum."""
    part = np.maximum(np.float32(width) - np.abs(one - two), 0) / np.float32(width)
    return single(np.minimum(one, two) - part * part * np.float32(width / 4))

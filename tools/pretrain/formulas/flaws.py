"""Flaws on textured surfaces: scratches, cracks, chips, pinholes, stains, displaced patches, and none. Ours.

Neighbouring classes share a surface and differ in the flaw alone, so that the network has to look for it.
"""

from typing import NamedTuple

import numpy as np
from tools.pretrain.formulas import textures
from tools.pretrain.formulas.canvas import (
    NEUTRAL,
    Array,
    Picture,
    Random,
    blob,
    grid,
    inside,
    noise,
    relief,
    single,
    sunlight,
)

KINDS = ("none", "scratch", "crack", "chip", "pinholes", "stain", "patch")


class Surface(NamedTuple):
    """`fineness` and `contrast` of the surface itself; `raised` shades it as a relief."""

    texture: textures.Texture
    flaw: str
    contrast: float
    raised: bool
    flaw_size: float


def parameters(rng: Random, number: int) -> Surface:
    """The flaw by number; the surface from the generator, which siblings share (see `Family`)."""
    texture = textures.parameters(rng, int(rng.integers(len(textures.KINDS))))
    return Surface(
        texture=texture,
        flaw=KINDS[number % len(KINDS)],
        contrast=rng.uniform(0.1, 0.6),
        raised=bool(rng.random() < 0.4),
        flaw_size=rng.uniform(0.8, 1.3),
    )


def draw(rng: Random, surface: Surface, size: int) -> Picture:
    """The surface, its flaw in the second colour or cut into the relief."""
    tone = textures.ground(rng, surface.texture, size) * np.float32(surface.contrast)
    where = _FLAWS[surface.flaw](rng, surface, size)
    if surface.flaw == "patch":
        other = textures.ground(rng, surface.texture._replace(angle=surface.texture.angle + 0.9), size)
        tone = tone + (other * np.float32(surface.contrast) - tone) * where
        where = where * np.float32(0.15)
    light = np.full_like(tone, NEUTRAL)
    if surface.raised:
        light = relief(tone / np.float32(surface.contrast) - where, sunlight(rng), 0.4 * size / 32)
    return Picture(tone, where, light)


def _middle(rng: Random) -> tuple[float, float]:
    """A place in the middle third, so that no crop loses the flaw."""
    x, y = rng.uniform(-0.33, 0.33, 2)
    return float(x), float(y)


def _line(rng: Random, size: int, bend: float, width: float, length: float) -> Array:
    """A line through the middle third; `bend` roughens it."""
    x, y = grid(size)
    cx, cy = _middle(rng)
    turn = rng.uniform(0, np.pi)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along, across = c * (x - cx) + s * (y - cy), c * (y - cy) - s * (x - cx)
    rough = noise(rng, size, 1.6 if bend > 0.06 else 2.5) * np.float32(bend)
    taper = np.float32(width) * np.clip(1.2 - np.abs(along / np.float32(length)), 0, 1)
    return inside(single(np.maximum(np.abs(across + rough) - taper, np.abs(along) - np.float32(length))))


def _none(rng: Random, surface: Surface, size: int) -> Array:
    return np.zeros((size, size), np.float32)


def _scratch(rng: Random, surface: Surface, size: int) -> Array:
    lines = [
        _line(rng, size, 0.02, rng.uniform(0.015, 0.035) * surface.flaw_size, rng.uniform(0.3, 0.9))
        for _ in range(int(rng.integers(1, 4)))
    ]
    return single(np.max(lines, axis=0) * rng.uniform(0.6, 1.0))


def _crack(rng: Random, surface: Surface, size: int) -> Array:
    return _line(rng, size, 0.1, rng.uniform(0.03, 0.06) * surface.flaw_size, rng.uniform(0.4, 0.9))


def _chip(rng: Random, surface: Surface, size: int) -> Array:
    x, y = grid(size)
    cx, cy = _middle(rng)
    radius = rng.uniform(0.12, 0.25) * surface.flaw_size
    return inside(blob(rng, x - np.float32(cx), y - np.float32(cy), radius, rng.uniform(1, 2), rng.uniform(0, 3.2)))


def _pinholes(rng: Random, surface: Surface, size: int) -> Array:
    x, y = grid(size)
    nearest = np.full_like(x, 9)
    for _ in range(int(rng.integers(3, 12))):
        cx, cy = rng.uniform(-0.6, 0.6, 2).astype(np.float32)
        reach = np.float32(rng.uniform(0.025, 0.06) * surface.flaw_size)
        nearest = np.minimum(nearest, np.sqrt((x - cx) ** 2 + (y - cy) ** 2) - reach)
    return inside(nearest)


def _stain(rng: Random, surface: Surface, size: int) -> Array:
    x, y = grid(size)
    cx, cy = _middle(rng)
    edge = blob(
        rng, x - np.float32(cx), y - np.float32(cy), rng.uniform(0.25, 0.45), rng.uniform(1, 1.6), rng.uniform(0, 3.2)
    )
    return single(rng.uniform(0.25, 0.5) * np.clip(0.5 - edge / np.float32(0.2), 0, 1))


def _patch(rng: Random, surface: Surface, size: int) -> Array:
    x, y = grid(size)
    cx, cy = _middle(rng)
    return inside(blob(rng, x - np.float32(cx), y - np.float32(cy), rng.uniform(0.25, 0.45), 1.2, rng.uniform(0, 3.2)))


_FLAWS = {
    "none": _none,
    "scratch": _scratch,
    "crack": _crack,
    "chip": _chip,
    "pinholes": _pinholes,
    "stain": _stain,
    "patch": _patch,
}

"""Textures that fill the picture: filtered noise, warped stripes and checks, cells, dots and weaves.

Noise by slope of its spectrum: Voss 1985. Cells by distance to scattered points: Worley 1996, "A Cellular Texture
Basis Function". Warping by noise: Perlin 1985. Parameters and mixtures are ours.
"""

from typing import Any, NamedTuple

import numpy as np
from tools.pretrain.formulas.canvas import Array, Picture, Random, filtered, flat, grid, inside, noise, placed, single

KINDS = ("noise", "ring", "grain", "stripes", "checks", "cells", "walls", "dots", "weave")


class Texture(NamedTuple):
    """`scale`: features a half picture width; `shape`, `warp`, `fill` in 0..1 mean what `kind` makes of them."""

    kind: str
    scale: float
    shape: float
    warp: float
    fill: float
    angle: float
    hard: bool


def parameters(rng: Random, number: int) -> Texture:
    """Kinds in turn."""
    return Texture(
        kind=KINDS[number % len(KINDS)],
        scale=float(np.exp(rng.uniform(np.log(1.5), np.log(9)))),
        shape=rng.uniform(0, 1),
        warp=rng.uniform(0, 1) ** 2,
        fill=rng.uniform(0.3, 0.7),
        angle=rng.uniform(0, np.pi),
        hard=bool(rng.random() < 0.5),
    )


def draw(rng: Random, texture: Texture, size: int) -> Picture:
    """The texture at a random place, slightly turned and scaled."""
    return flat(ground(rng, texture, size))


def ground(rng: Random, texture: Texture, size: int) -> Array:
    """The texture alone, [size, size] in 0..1."""
    return single(_DRAWN[texture.kind](rng, texture._replace(scale=texture.scale * rng.uniform(0.88, 1.14)), size))


def _warped(rng: Random, t: Texture, size: int) -> tuple[Array, Array]:
    """Coordinates in features, turned by the texture's angle, bent by smooth noise."""
    x, y = placed(rng, size, 0.12)
    c, s = np.float32(np.cos(t.angle)), np.float32(np.sin(t.angle))
    u, v = c * x + s * y + np.float32(rng.uniform(0, 9)), c * y - s * x + np.float32(rng.uniform(0, 9))
    if t.warp > 0.05:
        bend = np.float32(0.12 * t.warp)
        u, v = u + bend * noise(rng, size, 2.0), v + bend * noise(rng, size, 2.0)
    return u * np.float32(t.scale), v * np.float32(t.scale)


def _toned(field: Array, t: Texture) -> Array:
    """Noise as tones, or cut at the level that leaves `fill` of it."""
    if t.hard:
        level = np.quantile(field[::3, ::3], 1 - t.fill)
        return single(np.clip((field - level) * 3 + 0.5, 0, 1))
    return single(np.clip(0.5 + 0.28 * field, 0, 1))


def _noise(rng: Random, t: Texture, size: int) -> Array:
    return _toned(noise(rng, size, 0.4 + 2.2 * t.shape), t)


def _frequencies(t: Texture, size: int) -> tuple[Array, Array]:
    """Frequencies along and across the texture's angle, in cycles a picture."""
    fy, fx = np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size)[None, :] * size
    c, s = np.cos(t.angle), np.sin(t.angle)
    return single(c * fx + s * fy), single(c * fy - s * fx)


def _ring(rng: Random, t: Texture, size: int) -> Array:
    along, across = _frequencies(t, size)
    centre = 2 * t.scale
    return _toned(
        filtered(rng, size, np.exp(-(((np.hypot(along, across) / centre - 1) / (0.1 + 0.4 * t.warp)) ** 2))), t
    )


def _grain(rng: Random, t: Texture, size: int) -> Array:
    along, across = _frequencies(t, size)
    length, width = 0.5 + 2 * t.shape, 2.0 * t.scale
    return _toned(filtered(rng, size, np.exp(-((along / length) ** 2) - (across / width) ** 2)), t)


def _wave(position: Array, t: Texture) -> Array:
    """A soft sine or hard bars, `fill` of them on."""
    if t.hard:
        part = np.abs(np.mod(position, 1) - np.float32(0.5)) * 2
        return single(np.clip((np.float32(t.fill) - part) * 6 + 0.5, 0, 1))
    return single(0.5 + 0.5 * np.sin(2 * np.pi * position))


def _stripes(rng: Random, t: Texture, size: int) -> Array:
    u, _ = _warped(rng, t, size)
    return _wave(u, t)


def _checks(rng: Random, t: Texture, size: int) -> Array:
    u, v = _warped(rng, t, size)
    sharp = np.float32(6 if t.hard else 1.5)
    waves = np.sin(np.pi * u) * np.sin(np.pi * v * np.float32(0.5 + t.shape))
    return single(np.clip(0.5 + sharp * waves, 0, 1))


def _weave(rng: Random, t: Texture, size: int) -> Array:
    u, v = _warped(rng, t, size)
    over = np.mod(np.floor(u) + np.floor(v), 2 + int(t.shape * 2)) < 1
    ridge = np.where(over, np.sin(np.pi * np.mod(u, 1)), 0.7 * np.sin(np.pi * np.mod(v, 1)))
    return single(np.clip(ridge * (0.5 + t.fill), 0, 1))


def _nearest(rng: Random, t: Texture, size: int) -> tuple[Array, Array]:
    """Distances to the nearest and the second nearest of scattered points, in features."""
    side = max(2, round(2 * t.scale))
    columns, rows = np.meshgrid(np.arange(-1, side + 1), np.arange(-1, side + 1))
    loose = 0.15 + 0.35 * t.warp
    cells = np.stack((columns, rows), -1).reshape(-1, 2) + 0.5 + rng.uniform(-loose, loose, ((side + 2) ** 2, 2))
    x, y = (side * (each + 1) / 2 for each in grid(size))
    ways = np.full((9, size, size), np.inf, np.float32)
    table = single(cells).reshape(side + 2, side + 2, 2)
    column, row = x.astype(np.int64), y.astype(np.int64)
    for number in range(9):  # a point lies within half a cell of its cell's centre, so the neighbours are enough
        px = table[row + number // 3, column + number % 3]
        ways[number] = (x - px[..., 0]) ** 2 + ((y - px[..., 1]) * np.float32(0.7 + 0.3 * t.shape)) ** 2
    near = np.sqrt(np.partition(ways, 1, axis=0)[:2])
    return near[0], near[1]


def _cells(rng: Random, t: Texture, size: int) -> Array:
    first, _ = _nearest(rng, t, size)
    return single(np.clip(1.25 * first if not t.hard else (first - 0.5 * t.fill) * 6 + 0.5, 0, 1))


def _walls(rng: Random, t: Texture, size: int) -> Array:
    first, second = _nearest(rng, t, size)
    return single(np.clip((second - first) * (1.2 if not t.hard else 5 + 8 * t.fill), 0, 1))


def _dots(rng: Random, t: Texture, size: int) -> Array:
    first, _ = _nearest(rng, t, size)
    size_of_pixel = 2 / size * max(2, round(2 * t.scale)) / 2
    return inside(single((first - (0.12 + 0.28 * t.shape)) / size_of_pixel * 2 / size), 1 if t.hard else 3)


_DRAWN: dict[str, Any] = {
    "noise": _noise,
    "ring": _ring,
    "grain": _grain,
    "stripes": _stripes,
    "checks": _checks,
    "cells": _cells,
    "walls": _walls,
    "dots": _dots,
    "weave": _weave,
}

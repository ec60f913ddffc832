"""Printed lines: bundles of tracks with bends, pads and pours, sound or with one of six faults. Ours.

A layout is a signed distance (negative on the print). The six faults are three deeds, each done to the print or to
the gap between: a bridge across it (short, open), a lump at its edge (spur, mousebite), an island in it (copper,
pinhole). The print is always the darker colour: with colours swapped a fault would be its opposite.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tools.pretrain.formulas.canvas import Array, Picture, Random, blob, flat, grid, inside, noise, single

_LEAST = 0.02
"""Least part of a picture that is print, and that is ground."""
FAULTS = ("none", "open", "short", "mousebite", "spur", "pinhole", "copper")


class Layout(NamedTuple):
    """Lengths in half picture widths; `bend` in radians; `turn` in steps of 45 degrees."""

    fault: str
    pitch: float
    width: float
    bend: float
    pads: float
    pour: float
    missing: float
    rough: float
    turn: int


def parameters(rng: Random, number: int) -> Layout:
    """The fault by number; the layout from the generator, which siblings share (see `Family`)."""
    pitch = float(np.exp(rng.uniform(np.log(0.28), np.log(1.1))))
    return Layout(
        fault=FAULTS[number % len(FAULTS)],
        pitch=pitch,
        width=pitch * rng.uniform(0.3, 0.65),
        bend=float(rng.choice((0, np.pi / 4, np.pi / 4, np.pi / 2))),
        pads=rng.uniform(0, 1),
        pour=rng.uniform(0, 0.6),
        missing=rng.uniform(0, 0.4),
        rough=rng.uniform(0, 0.015),
        turn=int(rng.integers(2)),
    )


def draw(rng: Random, layout: Layout, size: int) -> Picture:
    """A stretch of the layout; laid again until there are print and ground, and room for its fault."""
    while True:
        faulty = _FAULTS[layout.fault](rng, _laid(rng, layout, size))
        if faulty is not None and _LEAST < (faulty < 0).mean() < 1 - _LEAST:
            return flat(inside(faulty))


def _laid(rng: Random, layout: Layout, size: int) -> Array:
    """The distance to the print. Left of the bend's bisector tracks run along x, right of it along the bend."""
    x, y = grid(size)
    turn = np.pi / 4 * (layout.turn + 2 * int(rng.integers(4))) + rng.normal(0, 0.02)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = c * x + s * y + np.float32(rng.uniform(-0.6, 0.6)), c * y - s * x
    bend = layout.bend
    beyond = u * np.float32(np.cos(bend / 2)) + v * np.float32(np.sin(bend / 2)) > 0
    across = np.where(beyond, v * np.float32(np.cos(bend)) - u * np.float32(np.sin(bend)), v)
    pitch = layout.pitch * rng.uniform(0.9, 1.12)
    lanes = across / np.float32(pitch) + np.float32(rng.uniform(0, 1) + 20)
    lane = np.floor(lanes).astype(np.int64)
    widths = layout.width * rng.uniform(0.85, 1.15, 40) * np.where(rng.random(40) < layout.missing, -0.5, 1)
    distance = single(np.abs(lanes - lane - np.float32(0.5)) * np.float32(pitch) - single(widths)[lane % 40] / 2)
    for _ in range(int(rng.poisson(2 * layout.pads))):
        distance = _pad(rng, distance, x, y, layout)
    if rng.random() < layout.pour:
        slope = rng.integers(8) * np.pi / 4
        side = x * np.float32(np.cos(slope)) + y * np.float32(np.sin(slope)) - np.float32(rng.uniform(0, 0.8))
        distance = single(np.minimum(distance, -side) if rng.random() < 0.5 else np.maximum(distance, -side))
    return single(distance + noise(rng, size, 1.0) * np.float32(layout.rough))


def _pad(rng: Random, distance: Array, x: Array, y: Array, layout: Layout) -> Array:
    """A round or square pad somewhere, perhaps with a hole."""
    cx, cy = rng.uniform(-1, 1, 2).astype(np.float32)
    reach = np.float32(layout.width * rng.uniform(0.7, 1.1) + 0.06)
    dx, dy = np.abs(x - cx), np.abs(y - cy)
    disc = np.sqrt(dx * dx + dy * dy) - reach
    distance = np.minimum(distance, disc if rng.random() < 0.7 else np.maximum(dx, dy) - reach)
    return single(np.maximum(distance, -(disc + reach * np.float32(0.45)))) if rng.random() < 0.5 else single(distance)


def _somewhere(rng: Random, allowed: NDArray[np.bool_]) -> tuple[int, int] | None:
    """A random pixel of the middle third where `allowed` is true."""
    size = len(allowed)
    third = size // 3
    rows, columns = np.nonzero(allowed[third : size - third, third : size - third])
    if not len(rows):
        return None
    pick = int(rng.integers(len(rows)))
    return int(rows[pick]) + third, int(columns[pick]) + third


def _normal(distance: Array, row: int, column: int) -> float:
    """The angle in which `distance` grows at a pixel, seen over a few pixels."""
    window = distance[row - 2 : row + 3, column - 2 : column + 3]
    down, right = np.gradient(window)
    return float(np.arctan2(down.mean(), right.mean()))


def _around(distance: Array, row: int, column: int) -> tuple[Array, Array]:
    x, y = grid(len(distance))
    return x - x[row, column], y - y[row, column]


def _cut(rng: Random, distance: Array) -> Array | None:
    """`distance` with a thin crooked cut across the print; None where no print is narrow enough."""
    inner = distance[1:-1, 1:-1]
    across_rows = (inner <= distance[:-2, 1:-1]) & (inner <= distance[2:, 1:-1])
    across_columns = (inner <= distance[1:-1, :-2]) & (inner <= distance[1:-1, 2:])
    crest = (across_rows | across_columns) & (inner < -0.03) & (inner > -0.32)
    place = _somewhere(rng, np.pad(crest, 1))
    if place is None:
        return None
    row, column = place
    half = -float(distance[row, column])
    dx, dy = _around(distance, row, column)
    edge = (np.hypot(dx, dy) > half * 0.5) & (np.hypot(dx, dy) < half * 0.9 + 0.04)
    down, right = (single(each)[edge] for each in np.gradient(distance))
    # The gradients of both sides point apart; with doubled angles they agree on the axis across.
    angle = float(np.arctan2(2 * (right * down).sum(), (right**2 - down**2).sum())) / 2 + rng.normal(0, 0.25)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    across, along = c * dx + s * dy, c * dy - s * dx
    crooked = np.float32(rng.uniform(0, 0.06)) * np.sin(
        across * np.float32(rng.uniform(4, 16)) + np.float32(rng.uniform(0, 6))
    )
    gap = np.float32(rng.uniform(0.025, 0.09))
    strip = np.maximum(np.abs(along + crooked) - gap, np.abs(across) - np.float32(half * 1.35 + 0.03))
    return single(np.maximum(distance, -strip))


def _bite(rng: Random, distance: Array) -> Array | None:
    """`distance` with a lump taken out of the print's edge."""
    pixel = 2 / len(distance)
    place = _somewhere(rng, np.abs(distance) < pixel)
    if place is None:
        return None
    row, column = place
    reach = len(distance) // 8
    room = -float(distance[row - reach : row + reach + 1, column - reach : column + reach + 1].min())
    if room < 0.05:
        return None
    radius = min(rng.uniform(0.05, 0.12), room * 0.8)
    angle = _normal(distance, row, column) + rng.normal(0, 0.4)
    dx, dy = _around(distance, row, column)
    return single(np.maximum(distance, -blob(rng, dx, dy, radius, rng.uniform(1, 1.8), angle)))


def _hole(rng: Random, distance: Array) -> Array | None:
    """`distance` with an island of ground in the print."""
    place = _somewhere(rng, distance < -0.11)
    if place is None:
        return None
    row, column = place
    radius = min(rng.uniform(0.04, 0.11), -float(distance[row, column]) * 0.6)
    dx, dy = _around(distance, row, column)
    return single(np.maximum(distance, -blob(rng, dx, dy, radius, rng.uniform(1, 1.6), rng.uniform(0, 3.2))))


def _none(rng: Random, distance: Array) -> Array | None:
    return distance


def _short(rng: Random, distance: Array) -> Array | None:
    return _negated(_cut(rng, -distance))


def _spur(rng: Random, distance: Array) -> Array | None:
    return _negated(_bite(rng, -distance))


def _copper(rng: Random, distance: Array) -> Array | None:
    return _negated(_hole(rng, -distance))


def _negated(distance: Array | None) -> Array | None:
    return None if distance is None else -distance


_FAULTS = {
    "none": _none,
    "open": _cut,
    "short": _short,
    "mousebite": _bite,
    "spur": _spur,
    "pinhole": _hole,
    "copper": _copper,
}

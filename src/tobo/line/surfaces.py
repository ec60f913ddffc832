"""A marble's surface: what is painted on the sphere, what is broken off it, what is seen through it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tobo.line.scene import (
    Array,
    Belt,
    Disc,
    Light,
    Random,
    as_array,
    lit,
    random_colour,
    reflections,
    smooth,
    towards,
    unit,
)

METALS = ((0.9, 0.9, 0.92), (0.95, 0.8, 0.45), (0.9, 0.58, 0.42))
"""Steel, brass, copper: what of the light they mirror."""


@dataclass(frozen=True)
class Marble:
    """What lies in the pocket. `second` [h, w] (0..1) says where `second_colour` is instead of `colour`."""

    colour: Array
    second: Array | None = None
    second_colour: Array | None = None
    chip: "Chip | None" = None
    gloss: float = 0.8
    mottle: Array | None = None
    """[h, w] around 1: the slight unevenness that a marble of one colour has."""


@dataclass(frozen=True)
class Chip:
    """A piece broken off: `where` [h, w] 0..1, the broken face's normals [3, h, w] and its dull colour [3, h, w]."""

    where: Array
    normal: Array
    colour: Array


def painted(rng: Random, disc: Disc) -> Array:
    """The sphere's points [3, h, w] in the coordinates of its paint: the marble has rolled into a random position."""
    q = rng.standard_normal((3, 3))
    rotation, _ = np.linalg.qr(q)
    return np.tensordot(rotation.astype(np.float32), disc.normal, 1)


def other_colour(rng: Random, colour: Array) -> Array:
    """A second colour: any, or a darker or lighter one of the same hue; never nearer than the eye needs."""
    for _ in range(60):
        same_hue = np.clip(colour * np.float32(rng.uniform(0.3, 2.4)), 0.03, 0.97)
        second = same_hue if rng.random() < 0.3 else random_colour(rng)
        if float(np.abs(second - colour).max()) >= 0.5:
            return as_array(second)
    return np.full(3, 0.95 if colour.mean() < 0.5 else 0.1, np.float32)


def two_coloured(rng: Random, disc: Disc) -> Array:
    """Two halves, or a cap, with a boundary that waves a little."""
    # The axis lies low, so that the boundary is on the side that the camera sees.
    ax, ay, az = towards(rng, 0, 30)
    nx, ny, nz = disc.normal
    wave = np.float32(rng.uniform(0, 0.12)) * np.sin(np.float32(rng.uniform(2, 7)) * (nx * ay - ny * ax))
    along = nx * ax + ny * ay + nz * az
    return smooth((along + wave - np.float32(rng.uniform(-0.22, 0.22))) * np.float32(rng.uniform(14, 30)) + 0.5)


def swirled(rng: Random, disc: Disc) -> Array:
    """Ribbons that wind around the sphere."""
    px, py, pz = painted(rng, disc)
    winding, turns = np.float32(rng.uniform(1.5, 6)), np.float32(rng.uniform(0.6, 2.2))
    warp = turns * px + np.float32(0.5) * np.sin(winding * py + np.float32(rng.uniform(0, 6)))
    band = np.sin(np.float32(rng.uniform(3, 7)) * (pz * np.float32(0.7) + warp) + np.float32(rng.uniform(0, 6)))
    return smooth((band - np.float32(rng.uniform(0.0, 0.75))) * np.float32(rng.uniform(1.5, 4)) + 0.5)


def dotted(rng: Random, disc: Disc) -> Array:
    """A few large dots, or many small ones, all around the sphere."""
    many = rng.random()
    count = int(4 + 26 * many)
    spread = rng.standard_normal((count, 3))
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    # The far side's dots are not drawn: they cost time and show nothing.
    spread = spread[spread[:, 2] > -0.5].astype(np.float32)
    size = np.float32(rng.uniform(0.28, 0.44) * (1 - 0.55 * many))
    nearest = np.full_like(disc.u, -1)
    for dx, dy, dz in spread:
        np.maximum(nearest, disc.normal[0] * dx + disc.normal[1] * dy + disc.normal[2] * dz, out=nearest)
    apart = np.sqrt(np.maximum(2 - 2 * nearest, 0))
    return smooth((size - apart) / np.float32(0.06) + 0.5)


def striped(rng: Random, disc: Disc) -> Array:
    """Straight stripes of even width around the sphere, like a tin toy's."""
    px, py, _ = painted(rng, disc)
    pitch, tilt = np.float32(rng.uniform(7, 16)), np.float32(rng.uniform(-0.3, 0.3))
    band = np.sin(pitch * (px + tilt * py) + np.float32(rng.uniform(0, 6)))
    return smooth((band - np.float32(rng.uniform(-0.3, 0.3))) * np.float32(rng.uniform(3, 6)) + 0.5)


PAINTS: dict[str, Callable[[Random, Disc], Array]] = {
    "two-coloured": two_coloured,
    "swirled": swirled,
    "dotted": dotted,
    "striped": striped,
}


def chipped(rng: Random, disc: Disc, colour: Array) -> Chip:
    """A shell-like break: flat, rough, dull, paler or darker than the skin, with an uneven edge."""
    tilt, turn = rng.uniform(0.15, 1.25), rng.uniform(0, 2 * np.pi)
    d = unit(np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt))
    facing = disc.normal[0] * d[0] + disc.normal[1] * d[1] + disc.normal[2] * d[2]
    side = unit(-d[1], d[0], 0.0)
    a = disc.normal[0] * side[0] + disc.normal[1] * side[1]
    up = np.cross(d, side).astype(np.float32)
    b = disc.normal[0] * up[0] + disc.normal[1] * up[1] + disc.normal[2] * up[2]
    around = np.arctan2(b, a)
    edge = np.float32(rng.uniform(0.4, 0.8))
    for waves in (2, 3, 5, 9):
        edge = edge + np.float32(rng.normal(0, 0.16 / waves)) * np.sin(waves * around + np.float32(rng.uniform(0, 6)))
    apart = np.sqrt(np.maximum(2 - 2 * facing, 0))
    where = smooth((edge - apart) / np.float32(0.05) + 0.5)
    # Conchoidal ridges: the hollow's normals turn with the distance from the blow.
    ridge = np.float32(0.35) * np.sin(apart * np.float32(rng.uniform(14, 30)))
    normal = np.stack(
        (d[0] - a * ridge - disc.normal[0] * 0.6, d[1] - b * ridge - disc.normal[1] * 0.6, np.full_like(a, d[2] + 0.2))
    )
    normal = normal / np.sqrt((normal * normal).sum(0))
    powder = np.float32(rng.uniform(0.0, 0.6))
    raw = (
        colour * (1 - powder) + powder * np.float32(0.85)
        if rng.random() < 0.6
        else colour * np.float32(rng.uniform(0.15, 0.55))
    )
    rough = 1 + np.float32(rng.uniform(0.05, 0.3)) * rng.standard_normal(disc.frame, dtype=np.float32)[disc.box]
    return Chip(where, normal, raw[:, None, None] * rough)


@dataclass(frozen=True)
class Shading:
    """What a light does on a disc whatever lies there: the same with a defect and without one."""

    light: Light
    diffuse: Array
    """[rows, columns]."""
    mirrored: Array
    """[3, rows, columns]: the lamps' reflections."""
    fall: Array
    """[3, rows, columns]: the light's colour, and where it falls."""


def shade(light: Light, disc: Disc) -> Shading:
    """Of a light on the whole picture."""
    light = light.within(disc.box)
    fall = light.colour[:, None, None] * light.field
    return Shading(light, lit(disc.normal, light), reflections(disc.normal, light), fall)


def _laid(below: Array, disc: Disc, body: Array) -> Array:
    """`below` [3, h, w] with `body` [3, rows, columns] on the disc."""
    picture = below.copy()
    there = picture[:, *disc.box]
    there += (body - there) * disc.coverage
    return picture


def draw_marble(marble: Marble, shading: Shading, disc: Disc, below: Array, bounce: Array) -> Array:
    """`below` [3, h, w] with an opaque marble on it; `bounce` (RGB) is the belt's colour, mirrored at the rim."""
    albedo = marble.colour[:, None, None]
    if marble.second is not None and marble.second_colour is not None:
        albedo = albedo + (marble.second_colour - marble.colour)[:, None, None] * marble.second
    if marble.mottle is not None:
        albedo = albedo * marble.mottle
    body = albedo * shading.diffuse
    rim = (1 - disc.normal[2]) ** 3 * np.float32(0.55)
    body += (bounce[:, None, None] * np.float32(0.5) - body) * rim
    body += np.float32(marble.gloss) * shading.mirrored
    if marble.chip is not None:
        face = marble.chip.colour * lit(marble.chip.normal, shading.light)
        body += (face - body) * marble.chip.where
    return _laid(below, disc, body * shading.fall)


def draw_glass(rng: Random, belt: Belt, shading: Shading, disc: Disc, below: Array) -> Array:
    """`below` with a transparent marble on it: the belt shows upside down, a bright spot lies opposite the light."""
    r2 = np.minimum(disc.u * disc.u + disc.v * disc.v, 1)
    bend = np.float32(disc.radius) * (np.float32(rng.uniform(0.3, 0.6)) + np.float32(0.6) * r2)
    seen = belt.at(np.float32(disc.x) - disc.u * bend, np.float32(disc.y) - disc.v * bend)
    tint = np.float32(0.65) + np.float32(0.35) * random_colour(rng)
    l0, l1, _ = shading.light.direction
    cu, cv = disc.u + l0 * np.float32(0.55), disc.v + l1 * np.float32(0.55)
    caustic = np.float32(rng.uniform(0.2, 0.6)) * np.exp(-(cu * cu + cv * cv) * np.float32(rng.uniform(4, 9)))
    body = seen * (np.float32(rng.uniform(0.8, 1.15)) * tint[:, None, None]) + tint[:, None, None] * caustic
    milk = np.float32(rng.uniform(0.0, 0.12))
    body = body * (1 - milk) + milk * tint[:, None, None] * shading.diffuse
    body = body * (1 - np.float32(rng.uniform(0.3, 0.7)) * smooth((r2 - np.float32(0.7)) / np.float32(0.3)))
    body = body + np.float32(0.9) * shading.mirrored
    return _laid(below, disc, body * shading.fall)


def draw_metal(rng: Random, belt: Belt, shading: Shading, disc: Disc, below: Array) -> Array:
    """`below` with a polished ball of steel, brass or copper: it shows the room, the camera over it, the belt at its rim."""
    tint = np.array(METALS[rng.integers(len(METALS))], np.float32) * np.float32(rng.uniform(0.8, 1.0))
    # What the mirrored ray meets: the ceiling, a horizon at some height, the belt below it.
    height = 2 * disc.normal[2] * disc.normal[2] - 1
    horizon, soft = np.float32(rng.uniform(-0.8, -0.1)), np.float32(rng.uniform(0.2, 0.6))
    above = smooth((height - horizon) / soft + np.float32(0.5))
    ceiling = np.float32(rng.uniform(0.55, 0.95)) * (np.float32(0.6) + np.float32(0.4) * height)
    walls = np.sin(np.float32(rng.integers(2, 5)) * np.arctan2(disc.v, disc.u) + np.float32(rng.uniform(0, 6)))
    ceiling = ceiling * (1 + np.float32(rng.uniform(0.0, 0.25)) * walls * (1 - height * height))
    lens = np.float32(rng.uniform(0.1, 0.22))
    r = np.sqrt(disc.u * disc.u + disc.v * disc.v)
    ceiling = ceiling * (
        1 - np.float32(rng.uniform(0.3, 0.7)) * smooth((lens - r) / np.float32(0.08) + np.float32(0.5))
    )
    room = belt.colour[:, None, None] * np.float32(0.6) * (1 - above) + ceiling * above
    body = tint[:, None, None] * (room + np.float32(1.2) * shading.mirrored)
    return _laid(below, disc, body * shading.fall)


def seen_colour(picture: Array, shading: Shading, disc: Disc) -> Array:
    """The colour of the opaque marble nearest to what is seen in the disc: the fairest thing to differ from."""
    shaded = shading.diffuse * shading.light.field
    inside = (disc.coverage > 0.99) & (shaded > 0.2)
    ratio = picture[:, *disc.box][:, inside] / (shaded[inside] * shading.light.colour[:, None])
    return as_array(np.clip(np.median(ratio, axis=1), 0.03, 1.0))

"""The scene before the camera: where the marble lies, the light, the belt; all of it drawn, nothing measured.

Lengths are in half photo widths: x and y run from -1 to 1, y downwards, z towards the camera. Colours are RGB in
0..1 without gamma: what is drawn is what the camera shows.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]
Random = np.random.Generator


COLOURS = (
    (0.16, 0.16, 0.17),
    (0.42, 0.42, 0.42),
    (0.7, 0.7, 0.68),
    (0.2, 0.42, 0.3),
    (0.2, 0.33, 0.55),
    (0.6, 0.5, 0.36),
)
"""Belts that are sold: black, grey and white rubber, green, blue, tan."""


Box = tuple[slice, slice]
"""Rows and columns of the picture."""


@dataclass(frozen=True)
class Disc:
    """The part of the picture that a marble covers, or would cover: nothing on it is drawn elsewhere."""

    x: float
    y: float
    radius: float
    box: Box
    frame: tuple[int, int]
    """[h, w] of the whole picture."""
    coverage: Array
    """[rows, columns] of the box, 0..1, antialiased at the edge."""
    normal: Array
    """[3, rows, columns]: the sphere's; outside the disc that of the nearest edge."""
    u: Array
    v: Array
    """[rows, columns]: position in the disc, -1..1 in it."""


@dataclass(frozen=True)
class Ball:
    """The marble's place in the whole picture: `u`, `v` [h, w] from its middle in radii, `r` their length."""

    u: Array
    v: Array
    r: Array
    coverage: Array
    """[h, w], 0..1."""
    disc: Disc


@dataclass(frozen=True)
class Lamp:
    """A reflection that the sphere shows: round (a bulb), a box (a window) or a ring (a ring light)."""

    kind: str
    direction: Array
    size: float
    aspect: float
    colour: Array


@dataclass(frozen=True)
class Light:
    """`colour` holds temperature and exposure; `field` [h, w] is the gradient, the vignette and cast shadows."""

    direction: Array
    colour: Array
    ambient: float
    field: Array
    lamps: tuple[Lamp, ...]

    def within(self, box: Box) -> "Light":
        """The same light on a part of the picture."""
        return replace(self, field=self.field[box])


@dataclass(frozen=True)
class Belt:
    """A conveyor belt with pockets: rubber, ribs, weave or holes, seen wherever the marble is not."""

    colour: Array
    pattern: str
    contrast: float
    angle: float
    pitch: float
    phase: tuple[float, float]
    grain: Array
    """[64, 64] noise, tiled over the belt."""
    pocket_depth: float

    def at(self, x: Array, y: Array) -> Array:
        """Its colour [3, h, w] at the coordinates [h, w]."""
        c, s = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        k = np.float32(2 * np.pi / self.pitch)
        a = (c * x + s * y) * k + np.float32(self.phase[0])
        b = (c * y - s * x) * k + np.float32(self.phase[1])
        if self.pattern == "ribs":
            wave = np.tanh(3 * np.sin(a))
        elif self.pattern == "weave":
            wave = np.tanh(4 * np.sin(a) * np.sin(b))
        elif self.pattern == "holes":
            wave = 1 - 2 * smooth((np.cos(a) + np.cos(b) - 0.6) * 2)
        else:
            wave = np.sin(0.5 * a) * 0.3
        column = (x * 22).astype(np.int32) & 63
        row = (y * 22).astype(np.int32) & 63
        tone = 1 + np.float32(self.contrast) * wave + self.grain[row, column]
        return as_array(self.colour[:, None, None] * tone)


def as_array(values: ArrayLike) -> Array:
    """`values` as float32, not copied where they are already."""
    return np.asarray(values, np.float32)


def smooth(t: Array) -> Array:
    """The step from 0 to 1 with soft shoulders, for t from 0 to 1."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def unit(x: float, y: float, z: float) -> Array:
    """The direction (x, y, z) with length 1."""
    vector = np.array((x, y, z), np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def towards(rng: Random, low: float, high: float) -> Array:
    """A random direction whose height over the belt is between `low` and `high` degrees."""
    height, turn = np.radians(rng.uniform(low, high)), rng.uniform(0, 2 * np.pi)
    return unit(np.cos(height) * np.cos(turn), np.cos(height) * np.sin(turn), np.sin(height))


def random_colour(rng: Random) -> Array:
    """Any hue from pale to deep, or (one in four) a grey from near black to near white."""
    value = rng.uniform(0.16, 0.95)
    if rng.random() < 0.25:
        return np.full(3, value, np.float32) * (1 + rng.normal(0, 0.015, 3)).astype(np.float32)
    hue = (rng.random() * 6 + np.array((0, 4, 2))) % 6
    ramp = np.clip(np.abs(hue - 3) - 1, 0, 1)
    saturation = rng.uniform(0.2, 1.0)
    return as_array(max(value, 0.3) * (1 - saturation * (1 - ramp)))


def grid(size: int) -> tuple[Array, Array]:
    """x and y of every pixel's centre, [size, size] each, in -1..1."""
    line = ((np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1).astype(np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    return x, y


def place_ball(rng: Random, x: Array, y: Array) -> Ball:
    """A marble somewhere near the middle, wholly in the photo or nearly so."""
    radius = rng.uniform(0.56, 0.84)
    reach = max(0.04, 0.92 - radius) * 0.7
    cx, cy = rng.uniform(-reach, reach, 2)
    u, v = (x - np.float32(cx)) / np.float32(radius), (y - np.float32(cy)) / np.float32(radius)
    r = np.sqrt(u * u + v * v)
    pixel = float(x[0, 1] - x[0, 0])
    coverage = np.clip((1 - r) * np.float32(radius / pixel) + 0.5, 0, 1)
    box = _extent(coverage.any(axis=1)), _extent(coverage.any(axis=0))
    inside = np.minimum(r[box], np.float32(0.999))
    scale = inside / np.maximum(r[box], np.float32(1e-6))
    normal = np.stack((u[box] * scale, v[box] * scale, np.sqrt(1 - inside * inside)))
    frame = coverage.shape[0], coverage.shape[1]
    disc = Disc(float(cx), float(cy), radius, box, frame, coverage[box], normal, u[box], v[box])
    return Ball(u, v, r, coverage, disc)


def _extent(where: NDArray[np.bool_]) -> slice:
    """From the first to the last."""
    there = np.flatnonzero(where)
    return slice(int(there[0]), int(there[-1]) + 1) if len(there) else slice(0, 0)


def place_lamp(rng: Random, main: Array, temperature: Array) -> Lamp:
    """A lamp near the main light or anywhere; its reflection is white, tinted, strong or faint."""
    direction = main if rng.random() < 0.5 else towards(rng, 25, 88)
    kind = str(rng.choice(("round", "round", "box", "ring")))
    tint = temperature * (1 + rng.normal(0, 0.08, 3)).astype(np.float32)
    strength = rng.uniform(0.15, 1.0)
    return Lamp(kind, direction, rng.uniform(0.08, 0.32), rng.uniform(0.3, 1.0), (tint * strength).astype(np.float32))


def place_light(rng: Random, x: Array, y: Array) -> Light:
    """Daylight to tungsten, high or low, with a gradient, a vignette and, at times, the shadow of a rail."""
    warmth = rng.normal(0, 0.09)
    temperature = np.array((1 + warmth, 1 + 0.2 * warmth, 1 - warmth), np.float32)
    exposure = rng.uniform(0.85, 1.12)
    turn = rng.uniform(0, 2 * np.pi)
    along = np.float32(np.cos(turn)) * x + np.float32(np.sin(turn)) * y
    field = 1 + np.float32(rng.uniform(0, 0.22)) * along - np.float32(rng.uniform(0, 0.14)) * (x * x + y * y)
    if rng.random() < 0.25:
        turn = rng.uniform(0, 2 * np.pi)
        across = np.float32(np.cos(turn)) * x + np.float32(np.sin(turn)) * y
        edge = smooth((across - np.float32(rng.uniform(-0.5, 0.5))) / np.float32(rng.uniform(0.25, 0.8)) + 0.5)
        field = field * (1 - np.float32(rng.uniform(0.1, 0.28)) * edge)
    main = towards(rng, 30, 85)
    lamps = tuple(place_lamp(rng, main, temperature) for _ in range(rng.integers(1, 4)))
    return Light(main, temperature * np.float32(exposure), rng.uniform(0.25, 0.6), field.astype(np.float32), lamps)


def place_belt(rng: Random, marked: bool) -> Belt:
    """A belt that is sold, plain or patterned; `marked`: bright and patterned enough to be seen through glass."""
    base = np.array(COLOURS[rng.integers(1 if marked else 0, len(COLOURS))], np.float32)
    pattern = str(rng.choice(("ribs", "weave", "holes") if marked else ("plain", "plain", "ribs", "weave", "holes")))
    return Belt(
        colour=base * (1 + rng.normal(0, 0.08, 3)).astype(np.float32),
        pattern=pattern,
        contrast=rng.uniform(0.2, 0.36) if marked else rng.uniform(0.06, 0.32),
        angle=rng.uniform(0, np.pi),
        pitch=rng.uniform(0.25, 0.5) if marked else rng.uniform(0.3, 0.8),
        phase=(rng.uniform(0, 6), rng.uniform(0, 6)),
        grain=rng.standard_normal((64, 64)).astype(np.float32) * np.float32(rng.uniform(0.02, 0.08)),
        pocket_depth=rng.uniform(0.15, 0.6),
    )


def lit(normal: Array, light: Light) -> Array:
    """Diffuse light [h, w] on a surface: sky light from above plus the main light."""
    l0, l1, l2 = light.direction
    direct = np.maximum(normal[0] * l0 + normal[1] * l1 + normal[2] * l2, 0)
    sky = np.float32(0.55) + np.float32(0.45) * normal[2]
    return as_array(np.float32(light.ambient) * sky + np.float32(1 - light.ambient) * direct)


def reflections(normal: Array, light: Light) -> Array:
    """What a polished surface mirrors of the lamps, [3, h, w]."""
    # The view is along z, so that the mirrored direction is 2 (n.z) n - z.
    double = 2 * normal[2]
    rx, ry, rz = double * normal[0], double * normal[1], double * normal[2] - 1
    total = np.zeros_like(normal)
    for lamp in light.lamps:
        d = lamp.direction
        facing = rx * d[0] + ry * d[1] + rz * d[2]
        size = np.float32(lamp.size)
        if lamp.kind == "round":
            shape = np.exp((facing - 1) / (size * size * np.float32(0.5)))
        elif lamp.kind == "ring":
            apart = np.sqrt(np.maximum(2 - 2 * facing, 0))
            shape = smooth(1 - np.abs(apart - size * 1.6) / (size * np.float32(0.55))) * np.float32(0.8)
        else:
            side = np.cross(d, (0, 0, 1)) if abs(d[2]) < 0.95 else np.cross(d, (1, 0, 0))
            side = (side / np.linalg.norm(side)).astype(np.float32)
            up = np.cross(d, side).astype(np.float32)
            a = np.abs(rx * side[0] + ry * side[1] + rz * side[2])
            b = np.abs(rx * up[0] + ry * up[1] + rz * up[2])
            wide, soft = size * 1.5, np.float32(0.06)
            shape = smooth((wide - a) / soft) * smooth((wide * np.float32(lamp.aspect) - b) / soft) * (facing > 0)
        total += lamp.colour[:, None, None] * shape
    return total


def draw_belt(belt: Belt, light: Light, ball: Ball, x: Array, y: Array, occupied: bool) -> Array:
    """The belt with its pocket, [3, h, w]; `occupied` adds the shadow that a marble throws and the dark below it."""
    picture = belt.at(x, y)
    r = ball.r
    pocket = smooth((np.float32(1.12) - r) / np.float32(0.1))
    # A pocket is a hollow: its normals lean inwards, so that it is lit from the other side than the marble is.
    l0, l1, _ = light.direction
    lean = np.clip(-(ball.u * l0 + ball.v * l1), -1, 1)
    picture = picture * (1 - np.float32(belt.pocket_depth) * pocket * (np.float32(0.75) - np.float32(0.45) * lean))
    rim = np.exp(-(((r - np.float32(1.13)) / np.float32(0.05)) ** 2))
    picture = picture * (1 + np.float32(0.6 * belt.pocket_depth) * rim)
    if occupied:
        su, sv = ball.u + l0 * np.float32(0.3), ball.v + l1 * np.float32(0.3)
        shadow = smooth((np.float32(1.3) - np.sqrt(su * su + sv * sv)) / np.float32(0.5))
        picture = picture * (1 - np.float32(0.55) * shadow)
    return as_array(picture * (light.colour[:, None, None] * light.field))

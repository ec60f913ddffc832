"""Photos of marbles on a belt, drawn: one colour is ok, everything else and an empty slot is ko.

A label is right by construction. Every scene is exposed twice, with its defect and as if it had none; it is kept only
if the two differ by VISIBLE_CONTRAST in some channel over VISIBLE_AREA of the marble, before any noise. An ok photo is
the second exposure of such a pair, so that nothing but the defect tells ok from ko: not the light, the belt, the blur.

`stage` is everything up to the lens, for a camera that takes its own exposure of it; `draw` is a photo.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tobo.inference.pictures import encode_jpeg
from tobo.line.camera import Camera, expose, place_camera, sense, spectrum
from tobo.line.scene import (
    Array,
    Ball,
    Belt,
    Light,
    Random,
    draw_belt,
    grid,
    place_ball,
    place_belt,
    place_light,
    random_colour,
)
from tobo.line.surfaces import (
    PAINTS,
    Marble,
    chipped,
    draw_glass,
    draw_marble,
    draw_metal,
    other_colour,
    seen_colour,
    shade,
)

Label = Literal["ok", "ko"]

OK = "monochrome"
DEFECTS = ("two-coloured", "swirled", "dotted", "transparent", "chipped", "empty")
KINDS = (OK, *DEFECTS)
NOVEL = ("metallic", "striped")
"""Kinds that are drawn only where they are asked for, so that no training set has them; labelled ko here."""

VISIBLE_CONTRAST = 0.25
VISIBLE_AREA = 0.06

_MARGIN = 0.08
"""Part of the photo's size that is drawn around it, so that blur has something to bring in."""
_GREY = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class Photo:
    """A photo and the truth about it.

    `pixels` uint8 [size, size, 3]. `exposed` float32 [size, size, 3] is what fell on the sensor, before noise, and
    `sound` the same scene without the defect; equal in an ok photo. `marble` bool [size, size] is where the marble
    lies, or would lie.
    """

    pixels: NDArray[np.uint8]
    label: Label
    kind: str
    exposed: Array
    sound: Array
    marble: NDArray[np.bool_]
    colour: Array
    """RGB 0..1 of the marble (of the opaque one nearest to it, for glass and an empty slot)."""


@dataclass(frozen=True)
class Scene:
    """A marble in its pocket, its light and its camera, before the lens; `rng` is where the sensor's noise goes on.

    `pair` float32 [2, 3, h, w] with and without the defect, `margin` pixels larger on each side than the photo;
    `inside` bool [size, size] where the marble lies.
    """

    kind: str
    camera: Camera
    margin: int
    pair: Array
    inside: NDArray[np.bool_]
    colour: Array
    rng: Random

    @property
    def shown(self) -> int:
        """Which of the two the photo shows."""
        return 1 if self.kind == OK else 0


@dataclass(frozen=True)
class _Look:
    """What is decided by looking at the whole marble: its colour, and whether it shows more of the second one."""

    colour: Array
    swapped: bool = False


def stage(seed: int, kind: str | None = None, size: int = 96, colour: bool = True, along: float = 0.0) -> Scene:
    """The scene of this seed: the same on every run. Without `kind`, half are ok and the defects share the other half.

    `along` moves the belt with the marble before the camera, in half photo widths: the same marble, elsewhere.
    Raises ValueError where `kind` is none of KINDS and NOVEL or `size` is below 16.
    """
    if kind is not None and kind not in (*KINDS, *NOVEL):
        raise ValueError(f"kind {kind!r} is none of {', '.join((*KINDS, *NOVEL))}")
    if size < 16:
        raise ValueError(f"size {size} is too small for a marble; 16 is the least")
    rng = np.random.default_rng(seed)
    chosen = str(rng.choice(DEFECTS)) if rng.random() < 0.5 else OK
    chosen = kind or chosen
    margin = round(size * _MARGIN)
    x, y = grid(size + 2 * margin)
    x, y = x * np.float32(1 + 2 * margin / size), y * np.float32(1 + 2 * margin / size)
    camera = place_camera(rng, size)
    # An ok photo is drawn as if it were to get a defect, too: see the module's docstring.
    defect = str(rng.choice(DEFECTS)) if chosen == OK else chosen
    while True:
        state = rng.bit_generator.state
        pair, inside, look = _attempt(rng, defect, colour, x, y)
        if _visible(pair, inside, camera, margin):
            break
    if along:
        # The marble was chosen where it is seen whole; now the same dice place it elsewhere.
        rng.bit_generator.state = state
        pair, inside, _ = _attempt(rng, defect, colour, x, y, along, look)
    return Scene(chosen, camera, margin, pair, _middle(inside, margin), look.colour, rng)


def _attempt(
    rng: Random, defect: str, colour: bool, x: Array, y: Array, along: float = 0.0, look: _Look | None = None
) -> tuple[Array, NDArray[np.bool_], _Look]:
    """One throw of the dice: the pair, where the marble lies, its look (the given one where it is known)."""
    moved = x - np.float32(along)
    ball, light = place_ball(rng, moved, y), place_light(rng, x, y)
    belt = place_belt(rng, marked=defect == "transparent")
    faulty, sound, look = _draw_pair(rng, defect, belt, light, ball, moved, y, look)
    pair = np.stack((faulty, sound))
    if not colour:
        pair = np.repeat(np.tensordot(pair, _GREY, ((1,), (0,)))[:, None], 3, axis=1)
    return pair, ball.coverage > 0.5, look


def draw(seed: int, kind: str | None = None, size: int = 96, colour: bool = True) -> Photo:
    """The photo of this seed, as `stage` sets it; same arguments, same errors."""
    scene = stage(seed, kind, size, colour)
    exposed = expose(scene.camera, spectrum(scene.pair), size, scene.margin)
    shown = np.ascontiguousarray(exposed[scene.shown].transpose(1, 2, 0))
    pixels = sense(scene.rng, scene.camera, shown if colour else shown[:, :, :1])
    return Photo(
        pixels=pixels if colour else np.repeat(pixels, 3, axis=2),
        label="ok" if scene.kind == OK else "ko",
        kind=scene.kind,
        exposed=shown,
        sound=np.ascontiguousarray(exposed[1].transpose(1, 2, 0)),
        marble=scene.inside,
        colour=scene.colour,
    )


def _draw_pair(
    rng: Random, defect: str, belt: Belt, light: Light, ball: Ball, x: Array, y: Array, look: _Look | None
) -> tuple[Array, Array, _Look]:
    """The scene with the defect and without it, [3, h, w] each, and the sound marble's look."""
    below = draw_belt(belt, light, ball, x, y, occupied=True)
    disc, shading = ball.disc, shade(light, ball.disc)
    gloss = rng.uniform(0.35, 1.0)
    if defect in ("transparent", "empty", "metallic"):
        if defect == "metallic":
            faulty = draw_metal(rng, belt, shading, disc, below)
        elif defect == "transparent":
            faulty = draw_glass(rng, belt, shading, disc, below)
        else:
            faulty = draw_belt(belt, light, ball, x, y, occupied=False)
        look = look or _Look(seen_colour(faulty, shading, disc))
        return faulty, draw_marble(Marble(look.colour, gloss=gloss), shading, disc, below, belt.colour), look
    base = random_colour(rng)
    uneven = np.float32(rng.uniform(0, 0.06)) * np.sin(
        np.float32(rng.uniform(2, 6)) * (disc.u + np.float32(rng.uniform(-1, 1)) * disc.v)
    )
    sound = Marble(base, gloss=gloss, mottle=1 + uneven)
    if defect == "chipped":
        look = look or _Look(base)
        faulty_marble = replace(sound, chip=chipped(rng, disc, base))
    else:
        where = PAINTS[defect](rng, disc)
        other = other_colour(rng, base)
        # The marble's colour is the one that it shows more of.
        look = look or _Look(base, float((where * disc.coverage).sum()) > 0.5 * float(disc.coverage.sum()))
        faulty_marble = replace(sound, second=1 - where if look.swapped else where, second_colour=other)
    faulty = draw_marble(faulty_marble, shading, disc, below, belt.colour)
    return faulty, draw_marble(sound, shading, disc, below, belt.colour), look


def _visible(pair: Array, inside: NDArray[np.bool_], camera: Camera, margin: int) -> bool:
    """Whether the pair's exposures differ enough in some channel, over enough of the marble.

    Blurring is the dear part: what is not visible without it is not worth it, and where one channel shows enough, the
    others cannot show less.
    """
    apart = _apart(np.clip(pair, 0, 1)) & inside
    if not _enough(np.any(apart, axis=0), inside):
        return False
    shown = _middle(inside, margin)
    size, seen = len(shown), np.zeros_like(shown)
    for channel in np.argsort(-apart.sum(axis=(1, 2)), kind="stable"):
        seen |= _apart(expose(camera, spectrum(pair[:, channel]), size, margin)) & shown
        if _enough(seen, shown):
            return True
    return False


def _apart(pair: Array) -> NDArray[np.bool_]:
    """Where a channel of the two [2, ...] differs by VISIBLE_CONTRAST."""
    return np.asarray(np.abs(pair[0] - pair[1]) >= VISIBLE_CONTRAST)


def _enough(where: NDArray[np.bool_], inside: NDArray[np.bool_]) -> bool:
    """Whether it is VISIBLE_AREA of the marble."""
    return int(where.sum()) >= VISIBLE_AREA * int(inside.sum())


def _middle(picture: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """Without its margin."""
    return picture[margin:-margin, margin:-margin]


def jpeg(photo: Photo, quality: int = 90) -> bytes:
    """The photo as a JPEG file."""
    return encode_jpeg(photo.pixels, quality)


def photos(count: int, seed: int = 0, size: int = 96, colour: bool = True) -> Iterator[Photo]:
    """`count` photos of random kinds; two seeds share none (up to a million photos each)."""
    for index in range(count):
        yield draw(seed * 1_000_000 + index, size=size, colour=colour)

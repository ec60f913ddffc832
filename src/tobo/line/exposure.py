"""One exposure of what lies under the line's camera: a marble's own scene, moved, smeared and lit as the line had it."""

import math
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tobo.line.camera import Camera, expose, sense, spectrum
from tobo.line.config import LineConfig
from tobo.line.marbles import stage
from tobo.line.scene import Array

_BLUR = 3
"""Pixels that the margin keeps for the lens, of 96; a marble that has moved further is drawn anew."""


@dataclass(frozen=True)
class Shot:
    """`motion`: pixels travelled while exposed; `gain` RGB is the light's drift, `noise` seeds the sensor."""

    motion: float
    gain: tuple[float, float, float]
    noise: tuple[int, ...]


@dataclass(frozen=True)
class Plate:
    """A scene ready to be exposed: `camera.spectrum` complex64 [3, n, n // 2 + 1] of it with its `margin`, and its camera.

    `colour` is the marble's, #rrggbb, for whoever draws the line.
    """

    seed: int
    kind: str
    size: int
    margin: int
    camera: Camera
    spectrum: NDArray[np.complex64]
    colour: str


def prepare(seed: int, kind: str, size: int, along: float = 0.0) -> Plate:
    """Everything that can be drawn before the marble is under the camera."""
    scene = stage(seed, kind, size, along=along)
    red, green, blue = (round(255 * float(np.clip(level, 0, 1))) for level in scene.colour)
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    return Plate(seed, kind, size, scene.margin, scene.camera, spectrum(scene.pair[scene.shown]), colour)


def photograph(views: list[tuple[Plate, float]], shot: Shot) -> NDArray[np.uint8]:
    """The photo, uint8 [size, size, 3], of a marble and its way past the middle (half photo widths), the nearest first.

    What lies beside it, touching, is seen from half-way between the two on.
    """
    (plate, along), *beside = views
    exposed = _expose(plate, along, shot)
    for other, away in beside:
        column = round(((along + away) / 2 + 1) * plate.size / 2)
        side = slice(max(column, 0), None) if away > along else slice(0, max(column, 0))
        exposed[:, :, side] = _expose(other, away, shot)[:, :, side]
    return sense(np.random.default_rng(shot.noise), plate.camera, exposed.transpose(1, 2, 0))


def _expose(plate: Plate, along: float, shot: Shot) -> Array:
    """[3, size, size] of one scene.

    The belt's way is a phase in the frequency domain, like the blurs of `camera.lens`: a picture moved by d pixels has
    the spectrum times exp(-2 pi i f d). What comes in from the side is the margin; past it the scene is drawn anew.
    """
    pixels = along * plate.size / 2
    if abs(pixels) > plate.margin - _BLUR * plate.size / 96:
        plate, pixels = prepare(plate.seed, plate.kind, plate.size, along), 0.0
    camera = replace(plate.camera, motion=shot.motion)
    side = plate.spectrum.shape[-2]
    phase = np.exp(np.complex64(-2j * np.pi * pixels) * np.fft.rfftfreq(side).astype(np.float32))
    gain = np.array(shot.gain, np.float32)[:, None, None]
    return expose(camera, plate.spectrum * (phase * gain), plate.size, plate.margin)


def light(config: LineConfig, now: float) -> tuple[float, float, float]:
    """RGB gains at this time: a lamp that grows dimmer and warmer, and comes back, over `light_period`."""
    phase = float(np.random.default_rng((config.seed, 3)).uniform(0, 2 * math.pi))
    turn = 2 * math.pi * now / config.light_period
    gain = 1 + config.light_drift * math.sin(turn + phase)
    warmth = config.light_drift / 2 * math.sin(turn * 0.7 + 2 * phase)
    return gain * (1 + warmth), gain * (1 + 0.2 * warmth), gain * (1 - warmth)


class Studio:
    """Draws marbles ahead of their exposure, in an executor where there is one; the photos are the same without."""

    def __init__(self, size: int, executor: Executor | None) -> None:
        self._size = size
        self._executor = executor
        self._ahead: dict[int, Future[Plate]] = {}
        self._plates: dict[int, Plate] = {}

    def announce(self, seed: int, kind: str) -> None:
        """This marble will come."""
        if self._executor:
            self._ahead[seed] = self._executor.submit(prepare, seed, kind, self._size)

    def plate(self, seed: int, kind: str) -> Plate:
        """The marble's scene, drawn now where that was not done before."""
        if seed not in self._plates:
            ahead = self._ahead.pop(seed, None)
            self._plates[seed] = ahead.result() if ahead else prepare(seed, kind, self._size)
        return self._plates[seed]

    def colour(self, seed: int) -> str | None:
        """The marble's colour where it has been drawn."""
        ahead = self._ahead.get(seed)
        if ahead and ahead.done():
            return ahead.result().colour
        plate = self._plates.get(seed)
        return plate.colour if plate else None

    def forget(self, seed: int) -> None:
        """It is in its bin."""
        self._plates.pop(seed, None)
        ahead = self._ahead.pop(seed, None)
        if ahead:
            ahead.cancel()

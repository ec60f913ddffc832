"""One exposure of what lies under the line's camera: a marble's own scene, moved, smeared and lit as the line had it."""

import math
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tobo.line.camera import sense
from tobo.line.config import LineConfig
from tobo.line.marbles import Scene, stage
from tobo.line.scene import Array

_BLUR = 3
"""Pixels that the margin keeps for the lens, of 96; a marble that has moved further is drawn anew."""


@dataclass(frozen=True)
class Shot:
    """`along`: the marble's way past the middle, in half photo widths; `motion`: pixels travelled while exposed.

    `gain` RGB is the light's drift, `noise` seeds the sensor.
    """

    along: float
    motion: float
    gain: tuple[float, float, float]
    noise: tuple[int, ...]


@dataclass(frozen=True)
class Plate:
    """A scene ready to be exposed; `spectrum` complex64 [3, h, w // 2 + 1] of it, `colour` #rrggbb for whoever draws it."""

    scene: Scene
    seed: int
    size: int
    spectrum: NDArray[np.complex64]
    colour: str


def prepare(seed: int, kind: str, size: int, along: float = 0.0) -> Plate:
    """Everything that can be drawn before the marble is under the camera."""
    scene = stage(seed, kind, size, along=along)
    spectrum = np.fft.rfft2(scene.pair[scene.shown])
    red, green, blue = (round(255 * float(np.clip(level, 0, 1))) for level in scene.colour)
    return Plate(scene, seed, size, spectrum.astype(np.complex64), f"#{red:02x}{green:02x}{blue:02x}")


def photograph(plate: Plate, shot: Shot) -> NDArray[np.uint8]:
    """The photo, uint8 [size, size, 3].

    The belt's way is a phase in the frequency domain, like the blurs of `camera.expose`: a picture moved by d pixels
    has the spectrum times exp(-2 pi i f d). What comes in from the side is the margin; past it the scene is drawn anew.
    """
    pixels = shot.along * plate.size / 2
    if abs(pixels) > plate.scene.margin - _BLUR * plate.size / 96:
        plate, pixels = prepare(plate.seed, plate.scene.kind, plate.size, shot.along), 0.0
    scene = plate.scene
    camera = replace(scene.camera, motion=shot.motion)
    h, w = scene.pair.shape[-2:]
    fy = np.fft.fftfreq(h).astype(np.float32)[:, None]
    fx = np.fft.rfftfreq(w).astype(np.float32)
    way = fx * np.float32(math.cos(camera.motion_angle)) + fy * np.float32(math.sin(camera.motion_angle))
    lens = np.exp(-2 * (np.pi * camera.blur) ** 2 * (fx * fx + fy * fy)) * np.sinc(camera.motion * way)
    phase = np.exp(np.complex64(-2j * np.pi * pixels) * fx)
    picture = np.fft.irfft2(plate.spectrum * (lens * phase).astype(np.complex64), (h, w))
    inner = slice(scene.margin, scene.margin + plate.size)
    lit = picture[:, inner, inner] * np.array(shot.gain, np.float32)[:, None, None]
    exposed: Array = np.clip(lit, 0, 1).astype(np.float32).transpose(1, 2, 0)
    return sense(np.random.default_rng(shot.noise), camera, exposed)


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

"""The camera over the line: lens blur and motion blur, sensor noise."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tobo.line.scene import Array, Random


@dataclass(frozen=True)
class Camera:
    """`blur` is the lens's Gaussian sigma, `motion` the way travelled while the shutter is open, both in pixels."""

    blur: float
    motion: float
    motion_angle: float
    shot_noise: float
    read_noise: float


def place_camera(rng: Random, size: int) -> Camera:
    """A camera in or slightly out of focus; the belt runs left to right, more or less."""
    scale = size / 96
    return Camera(
        blur=rng.uniform(0.3, 0.8) * scale,
        motion=(rng.uniform(0, 3.5) if rng.random() < 0.5 else 0.0) * scale,
        motion_angle=rng.normal(0, 0.25),
        shot_noise=rng.uniform(0.004, 0.025),
        read_noise=rng.uniform(0.002, 0.015),
    )


def lens(camera: Camera, h: int, w: int) -> Array:
    """What the lens and the motion leave of each frequency of a picture of h by w pixels, [h, w // 2 + 1].

    A Gaussian of sigma s is exp(-2 (pi s f)^2), a straight motion of length l is sinc(l f) along it.
    """
    fy = np.fft.fftfreq(h).astype(np.float32)[:, None]
    fx = np.fft.rfftfreq(w).astype(np.float32)
    along = fx * np.float32(np.cos(camera.motion_angle)) + fy * np.float32(np.sin(camera.motion_angle))
    transfer = np.exp(-2 * (np.pi * camera.blur) ** 2 * (fx * fx + fy * fy)) * np.sinc(camera.motion * along)
    return transfer.astype(np.float32)


def spectrum(picture: Array) -> NDArray[np.complex64]:
    """Of a square picture [..., h, h], complex64 [..., n, n // 2 + 1] for `expose`; n is a size of which FFTs are quick.

    What is added repeats the last row and column: blurs reach it from the far side, where the margin is cut off.
    """
    side = picture.shape[-1]
    more = _quick(side) - side
    if more:
        picture = np.pad(picture, [(0, 0)] * (picture.ndim - 2) + [(0, more)] * 2, "edge")
    return np.fft.rfft2(picture).astype(np.complex64, copy=False)


@cache
def _quick(side: int) -> int:
    """The next number without prime factors above 11: 148 = 4 * 37 takes twice as long as 150."""
    while True:
        rest = side
        for factor in (2, 3, 5, 7, 11):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return side
        side += 1


def expose(camera: Camera, spectrum: NDArray[np.complex64], size: int, margin: int) -> Array:
    """What falls on the sensor, [..., size, size], of a picture with that margin, given as its `spectrum`.

    Blurred, its margin cut off, clipped to 0..1.
    """
    side = spectrum.shape[-2]
    blurred = np.fft.irfft2(spectrum * lens(camera, side, side), (side, side))
    return np.clip(blurred[..., margin : margin + size, margin : margin + size], 0, 1).astype(np.float32, copy=False)


def sense(rng: Random, camera: Camera, exposed: Array) -> NDArray[np.uint8]:
    """The sensor's grey levels: noise that grows with the root of the light, and noise that is always there."""
    exposed = np.ascontiguousarray(exposed)
    sigma = exposed * np.float32(camera.shot_noise**2)
    sigma += np.float32(camera.read_noise**2)
    noisy = rng.standard_normal(exposed.shape, dtype=np.float32)
    noisy *= np.sqrt(sigma, out=sigma)
    noisy += exposed
    np.clip(noisy, 0, 1, out=noisy)
    noisy *= 255
    return np.rint(noisy, out=noisy).astype(np.uint8)

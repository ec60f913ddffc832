"""The canvas that formulas draw on: coordinates, soft edges, lumpy blobs and smooth noise.

Lengths are in half picture widths: x and y run from -1 to 1, y downwards. A *distance* is signed: negative inside.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]
Random = np.random.Generator

NEUTRAL = 0.75
"""The light under which a colour is itself; 0 is darkness, 1 a white highlight."""


class Picture(NamedTuple):
    """A drawn picture without its colours, each plane float32 [size, size] in 0..1.

    `cover` says where the first colour lies over the ground's, `mix` where the second lies over both, `light` how
    brightly all of it is lit (see NEUTRAL).
    """

    cover: Array
    mix: Array
    light: Array


def flat(cover: Array, mix: Array | None = None) -> Picture:
    """A picture without shading."""
    return Picture(cover, np.zeros_like(cover) if mix is None else mix, np.full_like(cover, NEUTRAL))


def grid(size: int) -> tuple[Array, Array]:
    """x and y of the pixels' centres, [size, size] each."""
    line = ((np.arange(size) + 0.5) * 2 / size - 1).astype(np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def placed(rng: Random, size: int, tilt: float, zoom: float = 0.0, shift: float = 0.0) -> tuple[Array, Array]:
    """The grid seen by a jittered camera: turned by up to `tilt` radians, scaled by up to 1 + zoom, shifted."""
    x, y = grid(size)
    angle, scale = rng.uniform(-tilt, tilt), np.exp(rng.uniform(-1, 1) * np.log1p(zoom))
    c, s = np.float32(np.cos(angle) * scale), np.float32(np.sin(angle) * scale)
    dx, dy = rng.uniform(-shift, shift, 2).astype(np.float32)
    return c * x - s * y - dx, s * x + c * y - dy


def single(values: ArrayLike) -> Array:
    """As float32."""
    return np.asarray(values, np.float32)


def inside(distance: Array, softness: float = 1.0) -> Array:
    """1 where `distance` is negative, 0 where it is positive, with an edge `softness` pixels wide."""
    pixel = 2 / distance.shape[0] * softness
    return single(np.clip(0.5 - distance / np.float32(pixel), 0, 1))


def blob(rng: Random, dx: Array, dy: Array, radius: float, stretch: float = 1.0, angle: float = 0.0) -> Array:
    """Distance (about) to a lumpy disc around the origin of `dx`, `dy`, `stretch` times as long along `angle`."""
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = (c * dx + s * dy) / np.float32(stretch), c * dy - s * dx
    around = np.arctan2(across, along)
    edge = np.full_like(dx, radius)
    for waves in (2, 3, 5):
        edge += np.float32(radius * rng.normal(0, 0.3) / waves) * np.sin(waves * around + np.float32(rng.uniform(0, 6)))
    return single(np.sqrt(along * along + across * across) - edge)


def noise(rng: Random, size: int, slope: float) -> Array:
    """Periodic Gaussian noise with amplitude 1 / frequency**slope, mean 0, deviation 1 (Voss 1985: fractal noise)."""
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)) * size
    f[0, 0] = np.inf
    return filtered(rng, size, f**-slope)


def filtered(rng: Random, size: int, response: ArrayLike) -> Array:
    """White noise through `response` [size, size // 2 + 1] on rfft2's frequencies; mean 0, deviation 1."""
    spectrum = np.asarray(np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32)))
    spectrum *= np.asarray(response)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (size, size))
    return single(field / (field.std() + 1e-9))


def relief(height: Array, direction: Array, steepness: float) -> Array:
    """Lambert's light (0..NEUTRAL) on a height field lit from `direction` (a unit vector, z to the camera)."""
    down, right = np.gradient(height * np.float32(steepness))
    lit = direction[2] - right * direction[0] - down * direction[1]
    return single(NEUTRAL * np.clip(lit / np.sqrt(1 + right * right + down * down), 0.12, 1))


def sunlight(rng: Random) -> Array:
    """A direction towards the light: 15 to 60 degrees away from the camera's axis."""
    lean, turn = np.radians(rng.uniform(15, 60)), rng.uniform(0, 2 * np.pi)
    return single((np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), np.cos(lean)))

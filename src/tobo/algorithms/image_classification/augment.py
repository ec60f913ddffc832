"""Random changes to a batch of training pictures that leave their class what it is.

Ranges of `crop`, `crop_color` and `crop_color_transform`: SageMaker Developer Guide, "augmentation_type".
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from tobo.algorithms.image_classification.resizing import centre_crop
from tobo.algorithms.image_classification.settings import Settings
from tobo.inference.pictures import Pixels

HUE, SATURATION, LIGHTNESS = 36.0, 50.0, 50.0
"""Largest shifts: hue in units of 180 a turn, the others in grey levels of 255 (OpenCV's 8-bit HLS)."""
ROTATION, SHEAR, ASPECT = math.radians(10), 0.1, 0.25
SCALE, SHIFT = 0.12, 0.08
"""Of inspection_transform: the logarithm of the size, and the way off the middle in half sides."""
_MARGIN = 8
"""Without `resize` there is nothing to crop from: an eighth of a side is added around, mirrored."""


def augment(pictures: list[Pixels], settings: Settings, generator: np.random.Generator) -> Tensor:
    """uint8 [h, w, 3] each -> [n, height, width, 3]: uint8, or float of 0 to 255 after colour changes."""
    kind = settings.augmentation_type or ""
    if kind.startswith("crop"):
        pictures = [_random_crop(picture, settings, generator) for picture in pictures]
    else:
        pictures = [centre_crop(picture, settings.height, settings.width) for picture in pictures]
    if kind.startswith("inspection"):
        pictures = [_inspection(picture, generator) for picture in pictures]
    batch = torch.from_numpy(np.stack(pictures))
    if kind == "inspection_transform":
        batch = _lie_anywhere(batch.float(), generator)
    if kind == "crop_color_transform":
        batch = _transform(batch.float(), generator)
    if kind.startswith("crop_color"):
        batch = _colour(batch.float(), generator)
    return batch


def _random_crop(picture: Pixels, settings: Settings, generator: np.random.Generator) -> Pixels:
    """A random window, mirrored every second time."""
    height, width = settings.height, settings.width
    if settings.resize is None:
        down, across = max(1, height // _MARGIN), max(1, width // _MARGIN)
        picture = np.pad(picture, ((down, down), (across, across), (0, 0)), "symmetric")
    top = int(generator.integers(picture.shape[0] - height + 1))
    left = int(generator.integers(picture.shape[1] - width + 1))
    picture = picture[top : top + height, left : left + width]
    return picture[:, ::-1] if generator.random() < 0.5 else picture


def _inspection(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """A quarter turn (half turns where sides differ), a mirror and an order of colours, each at random."""
    turns = int(generator.integers(4))
    square = picture.shape[0] == picture.shape[1]
    picture = np.rot90(picture, turns if square else 2 * (turns // 2))
    if generator.random() < 0.5:
        picture = picture[:, ::-1]
    return picture[:, :, generator.permutation(3)]


def _transform(batch: Tensor, generator: np.random.Generator) -> Tensor:
    """Rotation, shear and aspect about the middle; what comes in from outside is mirrored."""
    count = len(batch)
    angle = generator.uniform(-ROTATION, ROTATION, count)
    shear = generator.uniform(-SHEAR, SHEAR, count)
    aspect = generator.uniform(1 - ASPECT, 1 + ASPECT, count)
    wide, high = np.sqrt(aspect), 1 / np.sqrt(aspect)
    cos, sin, none = np.cos(angle), np.sin(angle), np.zeros(count)
    tall = batch.shape[1] / batch.shape[2]  # the grid counts in half widths and half heights
    rows = np.stack([cos * wide, (shear - sin) * high * tall, none, sin * wide / tall, cos * high, none], 1)
    return _sampled(batch, rows)


def _lie_anywhere(batch: Tensor, generator: np.random.Generator) -> Tensor:
    """A part at any angle, a little off the middle, a little nearer or farther; what comes in from outside is mirrored."""
    count = len(batch)
    angle = generator.uniform(-math.pi, math.pi, count)
    scale = np.exp(generator.uniform(-SCALE, SCALE, count))
    across, down = generator.uniform(-SHIFT, SHIFT, (2, count))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    tall = batch.shape[1] / batch.shape[2]
    return _sampled(batch, np.stack([cos, -sin * tall, across, sin / tall, cos, down], 1))


def _sampled(batch: Tensor, rows: npt.NDArray[np.float64]) -> Tensor:
    """Each picture [n, h, w, c] where its map [n, 6] (two rows of an affine one) says; mirrored at the edge."""
    count = len(batch)
    theta = torch.from_numpy(rows.reshape(count, 2, 3).astype(np.float32))
    image = batch.permute(0, 3, 1, 2)
    grid = functional.affine_grid(theta, list(image.shape), align_corners=False)
    moved = functional.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return moved.permute(0, 2, 3, 1)


def _colour(batch: Tensor, generator: np.random.Generator) -> Tensor:
    """Shifts of hue, lightness and saturation in HLS; float [n, h, w, 3] of 0 to 255 and back."""
    count = len(batch)

    def shift(limit: float, unit: float) -> Tensor:
        return torch.from_numpy((generator.uniform(-limit, limit, count) / unit).astype(np.float32))[:, None, None]

    hue, lightness, saturation = _to_hls(batch / 255)
    hue = (hue + shift(HUE, 180)) % 1.0
    lightness = (lightness + shift(LIGHTNESS, 255)).clamp(0, 1)
    saturation = (saturation + shift(SATURATION, 255) * (saturation > 0)).clamp(0, 1)
    return _from_hls(hue, lightness, saturation) * 255


def _to_hls(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[..., 3] of 0 to 1 -> hue in turns, lightness, saturation (Smith 1978; Python's colorsys)."""
    high, low = rgb.amax(-1), rgb.amin(-1)
    lightness, chroma = (high + low) / 2, high - low
    saturation = chroma / (1 - (2 * lightness - 1).abs()).clamp(min=1e-6)
    safe = chroma.clamp(min=1e-6)
    red, green, blue = rgb.unbind(-1)
    sector = torch.where(
        high == red,
        (green - blue) / safe,
        torch.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return (sector / 6) % 1.0, lightness, saturation.clamp(0, 1) * (chroma > 0)


def _from_hls(hue: Tensor, lightness: Tensor, saturation: Tensor) -> Tensor:
    """The way back: f(n) = l - a max(-1, min(k - 3, 9 - k, 1)), k = (n + 12 h) mod 12, for n = 0, 8, 4."""
    reach = saturation * torch.minimum(lightness, 1 - lightness)
    channels = []
    for offset in (0, 8, 4):
        k = (offset + 12 * hue) % 12
        channels.append(lightness - reach * torch.minimum(k - 3, 9 - k).clamp(-1, 1))
    return torch.stack(channels, -1)

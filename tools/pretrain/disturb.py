"""From planes to pictures as a camera might give them: crops, colours, uneven light, blur, noise, JPEG's blocks.

All of it in torch, a batch at once, on whichever device the planes lie; random numbers come from one generator.
"""

import math

import torch
from tools.pretrain.formulas.canvas import NEUTRAL
from torch import Tensor
from torch.nn import functional

SMALLEST_CROP = 0.62
"""A crop's side in the picture's. At 0.67 and more the middle third, where flaws lie, is always in it."""


def disturb(planes: Tensor, dark: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """uint8 planes [n, 3, s, s] and bool `dark` [n] -> float pictures [n, 3, size, size] in -1..1.

    `size` is a multiple of 8, JPEG's block.
    """
    chance = _Chance(len(planes), generator, planes.device)
    cropped = _crop(planes.float() / 255, size, chance)
    picture = _paint(cropped, *_colours(dark, chance))
    picture = _light(picture, chance)
    picture = _focus(picture, chance)
    picture = picture + chance.uniform(0, 0.06) * chance.normal(3, size, size)
    return _jpeg(picture.clamp(0, 1), chance) * 2 - 1


class _Chance:
    """Random numbers for each of `count` pictures, shaped [count, 1, 1, 1] unless they say otherwise."""

    def __init__(self, count: int, generator: torch.Generator, device: torch.device) -> None:
        self.count, self.generator, self.device = count, generator, device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand((self.count, *(shape or (1, 1, 1))), generator=self.generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> Tensor:
        return torch.randn((self.count, *shape), generator=self.generator, device=self.device)

    def one_in(self, odds: float, *shape: int) -> Tensor:
        return self.uniform(0, 1, *shape) < 1 / odds


def _crop(planes: Tensor, size: int, chance: _Chance) -> Tensor:
    """A random square of each, flipped and transposed at random, as [n, 3, size, size]."""
    side = chance.uniform(SMALLEST_CROP, 1, 1)[:, 0]
    aspect = torch.exp(chance.uniform(-0.1, 0.1, 2))
    sides = (side[:, None] * aspect).clamp(max=1)
    corner = chance.uniform(-1, 1, 2) * (1 - sides)
    signed = sides * torch.where(chance.one_in(2, 2), 1.0, -1.0)
    straight = torch.diag_embed(signed)
    linear = torch.where(chance.one_in(2, 1, 1), straight, straight.flip(2))
    grid = functional.affine_grid(
        torch.cat((linear, corner[:, :, None]), 2), [len(planes), 3, size, size], align_corners=False
    )
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def _colours(dark: Tensor, chance: _Chance) -> tuple[Tensor, Tensor, Tensor]:
    """The ground's, the first and the second colour [n, 3, 1, 1]; never too near each other.

    Some triples are grey, some the purest black on white. Where `dark`, the first is darker than the ground.
    """
    colours = chance.uniform(0, 1, 3, 3)
    grey = chance.one_in(4, 1, 1)
    colours = torch.where(grey, colours.mean(2, keepdim=True), colours)
    ground, first, second = colours.unbind(1)
    luma = torch.tensor((0.299, 0.587, 0.114), device=dark.device)
    swap = (dark & ((first - ground) @ luma > 0))[:, None]
    ground, first = torch.where(swap, first, ground), torch.where(swap, ground, first)
    pure = grey[:, 0] & chance.one_in(2, 1)
    ground, first = torch.where(pure, 1.0, ground), torch.where(pure, 0.0, first)
    ground, first = _apart(ground, first, dark[:, None] | chance.one_in(2, 1))
    _, second = _apart(first, second, chance.one_in(2, 1))
    return ground[:, :, None, None], first[:, :, None, None], second[:, :, None, None]


def _apart(one: Tensor, two: Tensor, brighter: Tensor) -> tuple[Tensor, Tensor]:
    """Colours [n, 3], the first made brighter and the second darker (or the other way) where they are near."""
    near = ((one - two).abs().amax(1, keepdim=True) < 0.25) * torch.where(brighter, 0.2, -0.2)
    return (one + near).clamp(0, 1), (two - near).clamp(0, 1)


def _paint(planes: Tensor, ground: Tensor, first: Tensor, second: Tensor) -> Tensor:
    cover, mix, light = (planes[:, each : each + 1] for each in range(3))
    picture = ground + (first - ground) * cover
    picture = picture + (second - picture) * mix
    shine = (light - NEUTRAL).clamp(min=0) / (1 - NEUTRAL)
    picture = picture * (light / NEUTRAL).clamp(max=1)
    return picture + (1 - picture) * shine


def _light(picture: Tensor, chance: _Chance) -> Tensor:
    """A ramp, soft clouds, a cast of colour and a gamma."""
    size = picture.shape[2]
    line = torch.linspace(-1, 1, size, device=picture.device)
    ramp = chance.uniform(-0.25, 0.25) * line[:, None] + chance.uniform(-0.25, 0.25) * line[None, :]
    clouds = functional.interpolate(chance.normal(1, 5, 5), size, mode="bilinear") * chance.uniform(0, 0.12)
    cast = chance.uniform(0.85, 1.1, 3, 1, 1)
    lit = (picture * cast * (1 + ramp + clouds)).clamp(1e-3, 1)
    return lit ** torch.exp(chance.uniform(-0.4, 0.4))


def _focus(picture: Tensor, chance: _Chance) -> Tensor:
    """A third blurred, a third sharpened, by a mixture with the blurred picture."""
    line = torch.tensor((1.0, 4.0, 6.0, 4.0, 1.0), device=picture.device) / 16
    kernel = line.expand(3, 1, 1, 5)
    padded = functional.pad(picture, (2, 2, 2, 2), mode="replicate")
    blurred = functional.conv2d(functional.conv2d(padded, kernel, groups=3), kernel.transpose(2, 3), groups=3)
    amount = (chance.uniform(-1.5, 1.5).abs() - 0.5).clamp(0, 1) * torch.where(chance.one_in(2), 1.0, -0.6)
    return picture + (blurred - picture) * amount


def _jpeg(picture: Tensor, chance: _Chance) -> Tensor:
    """Half of the pictures lose what JPEG would lose: cosine coefficients of 8x8 blocks are rounded.

    The steps grow with the frequency, as in the standard's tables (ITU-T T.81, annex K), about linearly.
    """
    count, channels, size, _ = picture.shape
    index = torch.arange(8, device=picture.device, dtype=torch.float32)
    cosines = torch.cos(math.pi * (2 * index[None, :] + 1) * index[:, None] / 16) / 2
    cosines[0] /= math.sqrt(2)
    blocks = picture.reshape(count, channels, size // 8, 8, size // 8, 8).transpose(3, 4)
    coefficients = cosines @ blocks @ cosines.T
    steps = (1 + index[:, None] + index[None, :]) * (chance.uniform(-0.04, 0.04).clamp(min=1e-4)[..., None, None])
    rounded = torch.round(coefficients / steps) * steps
    restored = (cosines.T @ rounded @ cosines).transpose(3, 4).reshape(picture.shape)
    return restored.clamp(0, 1)

"""Augmentations change pictures as announced: colours, corners and shapes, never the size or the type of content."""

import colorsys
import math

import numpy as np
import pytest
import torch

from tobo.algorithms.image_classification import augment
from tobo.algorithms.image_classification.settings import Settings, parse
from tobo.inference.pictures import Pixels


def settings_of(**sent: object) -> Settings:
    values = {"num_classes": 2, "num_training_samples": 4, "image_shape": "3,16,16", **sent}
    return parse({name: str(value) for name, value in values.items()})


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    "kind", [None, "crop", "crop_color", "crop_color_transform", "inspection", "inspection_transform"]
)
@pytest.mark.parametrize("resize", [None, 20])
def test_sizes_and_ranges(kind: str | None, resize: int | None) -> None:
    sent = {"augmentation_type": kind, "resize": resize}
    settings = settings_of(image_shape="3,16,18", **{name: value for name, value in sent.items() if value})
    pictures = [noise(20, 25, i) if resize else noise(16, 18, i) for i in range(6)]
    changed = augment.augment(pictures, settings, np.random.default_rng(1)).float()
    assert changed.shape == (6, 16, 18, 3) and changed.min() >= -1e-3 and changed.max() <= 255.001
    assert changed.std() > 20
    again = augment.augment(pictures, settings, np.random.default_rng(1)).float()
    assert torch.equal(changed, again)


def test_without_augmentation_training_sees_what_serving_sees() -> None:
    picture = noise(20, 25)
    seen = augment.augment([picture], settings_of(resize=20), np.random.default_rng(0))
    assert np.array_equal(seen[0].numpy(), picture[2:18, 4:20])


def test_a_crop_is_a_window_of_the_picture() -> None:
    picture = noise(20, 24)
    places = [(top, left) for top in range(5) for left in range(9)]
    views = [picture[top : top + 16, left : left + 16] for top, left in places]
    windows = {view.tobytes() for view in views} | {view[:, ::-1].tobytes() for view in views}
    settings = settings_of(resize=20, augmentation_type="crop")
    crops = augment.augment([picture] * 40, settings, np.random.default_rng(2)).numpy()
    found = {crop.tobytes() for crop in crops}
    assert found <= windows and len(found) > 20


def test_inspection_turns_mirrors_and_swaps_colours() -> None:
    picture = noise(16, 16)
    changed = augment.augment([picture] * 400, settings_of(augmentation_type="inspection"), np.random.default_rng(3))
    found = {each.numpy().tobytes() for each in changed}
    expected = {
        np.ascontiguousarray(mirrored[:, :, order]).tobytes()
        for turns in range(4)
        for mirrored in (np.rot90(picture, turns), np.rot90(picture, turns)[:, ::-1])
        for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0])
    }
    assert found == expected  # 48 of them


def test_colours_go_to_hls_and_back_as_in_colorsys() -> None:
    pixels = torch.rand(50, 3, generator=torch.Generator().manual_seed(1))
    pixels = torch.cat((pixels, torch.tensor([[0.0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 1]])))
    hue, lightness, saturation = augment._to_hls(pixels)
    expected = [colorsys.rgb_to_hls(*map(float, pixel)) for pixel in pixels]
    assert np.allclose(torch.stack((hue, lightness, saturation), 1).numpy(), expected, atol=1e-4)
    assert torch.allclose(augment._from_hls(hue, lightness, saturation), pixels, atol=1e-5)


def test_grey_stays_grey() -> None:
    grey = torch.full((8, 4, 4, 3), 90.0)
    changed = augment._colour(grey, np.random.default_rng(5))
    assert torch.allclose(changed[..., 0], changed[..., 2], atol=1e-3)
    assert (changed.mean((1, 2, 3)) - 90).abs().max() <= augment.LIGHTNESS + 1e-3
    assert changed.mean((1, 2, 3)).std() > 5


def test_a_transform_stays_within_its_ranges() -> None:
    """A bright dot beside the middle moves no further than rotation, shear and aspect together can take it."""
    batch = torch.zeros(200, 33, 49, 3)
    batch[:, 16, 34:37] = 255.0
    moved = augment._transform(batch, np.random.default_rng(6))[..., 0]
    weight = moved / moved.sum((1, 2), keepdim=True)
    down = (weight * torch.arange(33.0)[:, None]).sum((1, 2)) - 16
    across = (weight * torch.arange(49.0)).sum((1, 2)) - 24
    angle = torch.atan2(down, across)
    assert angle.abs().max() < 0.3 and angle.std() > 0.05
    assert across.min() > 0.8 * 11 and across.max() < 1.25 * 11 and across.std() > 0.3


def test_a_part_that_lies_anywhere_turns_all_around_and_stays_near() -> None:
    """A bright dot beside the middle keeps its distance but for size and place, and comes to lie in every direction."""
    batch = torch.zeros(400, 65, 97, 3)
    batch[:, 31:34, 63:66] = 255.0
    moved = augment._lie_anywhere(batch, np.random.default_rng(7))[..., 0]
    weight = moved / moved.sum((1, 2), keepdim=True)
    down = (weight * torch.arange(65.0)[:, None]).sum((1, 2)) - 32
    across = (weight * torch.arange(97.0)).sum((1, 2)) - 48
    sectors = torch.histc(torch.atan2(down, across), 8, -math.pi, math.pi)
    assert (sectors > 20).all()
    way, reach = torch.hypot(down, across), math.hypot(97, 65) / 2 * augment.SHIFT * math.exp(augment.SCALE)
    assert (
        way.min() > 16 * math.exp(-augment.SCALE) - reach - 1 and way.max() < 16 * math.exp(augment.SCALE) + reach + 1
    )
    assert way.std() > 1

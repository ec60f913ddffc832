"""A photo on the line is the marble's own scene, moved, smeared and lit as the belt and the lamp had it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tobo.line.config import LineConfig
from tobo.line.exposure import Shot, light, photograph, prepare
from tobo.line.marbles import draw
from tobo.line.twin import Line

PLAIN = (1.0, 1.0, 1.0)


def shot(motion: float = 0.0, gain: tuple[float, float, float] = PLAIN) -> Shot:
    return Shot(motion, gain, (1,))


def way(still: NDArray[np.uint8], moved: NDArray[np.uint8]) -> int:
    """By how many pixels across `moved` is `still`, moved: where they are most alike."""

    def alike(by: int) -> float:
        left, right = max(by, 0), 96 + min(by, 0)
        return float(np.corrcoef(moved[:, left:right].ravel(), still[:, left - by : right - by].ravel())[0, 1])

    return max(range(-40, 41), key=alike)


def test_without_the_belts_doing_it_is_the_training_sets_photo() -> None:
    """Same scene, same lens, same noise level; only the motion is the belt's own."""
    for seed in range(12):
        drawn, plate = draw(seed, "swirled"), prepare(seed, "swirled", 96)
        taken = photograph([(plate, 0.0)], shot(plate.camera.motion))
        apart = taken.astype(float) / 255 - drawn.exposed
        assert abs(apart.mean()) < 0.002
        assert apart.std() == pytest.approx((drawn.pixels / 255 - drawn.exposed).std(), rel=0.05)


@pytest.mark.parametrize("along", [-0.5, -0.1, -0.04, 0.04, 0.1, 0.5])
def test_an_early_or_late_exposure_is_decentred_by_the_belts_way(along: float) -> None:
    plate = prepare(5, "dotted", 96)
    still, moved = photograph([(plate, 0.0)], shot()), photograph([(plate, along)], shot())
    assert way(still, moved) == pytest.approx(along * 48, abs=1)


def test_moving_in_the_margin_is_what_drawing_elsewhere_gives() -> None:
    """The quick way (a phase) and the slow one (the scene anew) agree but for the light, which stays where it is."""
    plate, there = prepare(5, "dotted", 96), prepare(5, "dotted", 96, along=0.1)
    quick, slow = photograph([(plate, 0.1)], shot()), photograph([(there, 0.0)], shot())
    assert np.abs(quick.astype(int) - slow)[:, 8:].mean() < 3
    assert np.abs(quick.astype(int) - photograph([(plate, 0.0)], shot()))[:, 8:].mean() > 6


def test_a_longer_way_in_the_exposure_smears_along_the_belt() -> None:
    plate = prepare(3, "dotted", 96)

    def edges(motion: float, axis: int) -> float:
        return float(np.abs(np.diff(photograph([(plate, 0.0)], shot(motion)).astype(int), axis=axis)).mean())

    assert edges(1.0, axis=1) > edges(4.0, axis=1) > edges(9.0, axis=1)
    assert edges(9.0, axis=1) / edges(0.0, axis=1) < 0.95 * edges(9.0, axis=0) / edges(0.0, axis=0)


def test_the_twins_blur_is_the_belts_way_while_the_shutter_is_open() -> None:
    def sharpness(exposure: float) -> float:
        line = Line(LineConfig(seed=3, exposure=exposure, drift=0, jitter=0, empty=0, double=0))
        line.trigger.wait(5.0)
        return float(np.abs(np.diff(line.camera.grab().pixels.astype(int), axis=1)).mean())

    assert sharpness(0.001) > sharpness(0.01) > sharpness(0.04)


def test_the_light_comes_and_goes_within_its_band_over_hours() -> None:
    config = LineConfig(light_drift=0.05)
    gains = [light(config, hour * 600.0) for hour in range(60)]
    green = [gain[1] for gain in gains]
    warmth = [gain[0] / gain[2] for gain in gains]
    assert max(green) <= 1.06
    assert min(green) >= 0.94
    assert max(green) - min(green) > 0.08
    assert max(warmth) - min(warmth) > 0.05
    assert light(config, 0.0) == light(config, 0.0)
    assert light(LineConfig(light_drift=0), 5000.0) == PLAIN


def test_more_light_is_a_brighter_photo() -> None:
    plate = prepare(3, "dotted", 96)
    dark, bright = (photograph([(plate, 0.0)], shot(gain=(gain,) * 3)).mean() for gain in (0.9, 1.1))
    assert dark < bright


def test_a_slow_agent_photographs_what_lies_there_by_then() -> None:
    line = Line(LineConfig(seed=3, empty=0, double=0, jam=0))
    assert line.trigger.wait(5.0) is not None
    prompt = line.camera.grab()
    line.timer.sleep(0.25)
    gap = line.camera.grab()
    first = line.shown(prompt)
    assert first is not None
    assert line.shown(gap) is None
    line.timer.sleep(0.2)
    following = line.shown(line.camera.grab())
    assert following is not None
    assert following.number == first.number + 1


def test_an_empty_pocket_is_photographed_as_one() -> None:
    line = Line(LineConfig(seed=3, empty=1.0, double=0))
    line.timer.sleep(5.0)
    assert line.trigger.wait(5.0) is None
    frame = line.camera.grab()
    assert line.shown(frame) is None
    assert frame.pixels.std() > 1

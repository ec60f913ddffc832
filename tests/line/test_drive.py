"""The belt's way is the integral of its speed, whenever and however often one looks, and stands still when stopped."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobo.line.drive import Drive


def drive(seed: int = 0) -> Drive:
    return Drive(80.0, drift=0.03, jitter=0.01, seed=seed)


def test_the_way_is_the_integral_of_the_speed() -> None:
    belt, step = drive(), 0.001
    way = sum(belt.speed((index + 0.5) * step) * step for index in range(30_000))
    assert way == pytest.approx(belt.travel(30.0), abs=1e-3)


def test_the_speed_drifts_within_its_bounds_and_does_drift() -> None:
    speeds = [drive(3).speed(at) for at in range(0, 1000, 7)]
    assert all(80 * 0.96 <= speed <= 80 * 1.04 for speed in speeds)
    assert max(speeds) - min(speeds) > 80 * 0.02
    assert drive(3).speed(11.0) != drive(4).speed(11.0)


@given(seed=st.integers(0, 100), travel=st.floats(0, 1e6))
def test_time_of_is_the_inverse_of_travel(seed: int, travel: float) -> None:
    belt = drive(seed)
    assert belt.travel(belt.time_of(travel)) == pytest.approx(travel, abs=1e-6)


def test_a_stopped_belt_stands_and_goes_on_where_it_stood() -> None:
    belt, free = drive(), drive()
    belt.stop(10.0)
    belt.stop(11.0)
    assert (belt.running, belt.speed(12.0), belt.time_of(1e6)) == (False, 0.0, math.inf)
    assert belt.travel(12.0) == free.travel(10.0)
    belt.start(15.0)
    assert belt.travel(20.0) == pytest.approx(free.travel(15.0))
    assert belt.time_of(free.travel(15.0)) == pytest.approx(20.0)
    assert belt.stopped_for(20.0) == 5.0

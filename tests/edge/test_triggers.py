"""Triggers: when a part is announced, once each."""

import sys
import time
from collections.abc import Iterator

import pytest
from tests.support.scripted_line import ScriptedCamera, SetTimer, grey

from tobo.edge.ports import CameraFault
from tobo.edge.timers import SystemTimer
from tobo.edge.triggers.interval import IntervalTrigger
from tobo.edge.triggers.light_barrier import LightBarrier
from tobo.edge.triggers.motion import MotionTrigger


def test_the_clock_announces_at_its_pace_and_skips_what_was_missed() -> None:
    timer = SetTimer()
    trigger = IntervalTrigger(0.5, timer)
    arrived = [trigger.wait(1.0) for _ in range(3)]
    assert arrived == [1000.5, 1001.0, 1001.5]
    assert trigger.wait(0.2) is None and timer.now() == 1001.7
    timer.sleep(5)
    late = trigger.wait(1.0)
    assert late == timer.now() == 1006.7
    trigger.wait(1.0)
    assert trigger.wait(1.0) == pytest.approx(1007.2)


EMPTY, PART, SHADOW = grey(0.3, 64), grey(0.7, 64), grey(0.32, 64)


@pytest.mark.parametrize(
    ("frames", "announced"),
    [
        ([EMPTY] * 5, 0),
        ([EMPTY, PART, PART, PART, EMPTY], 1),
        ([EMPTY, PART, EMPTY, PART, EMPTY], 2),
        ([EMPTY, SHADOW, SHADOW, EMPTY], 0),
        ([EMPTY, *[grey(0.3 + 0.0005 * step, 64) for step in range(400)]], 0),  # the light drifts
        ([EMPTY, *[grey(0.5, 64)] * 2000, PART, grey(0.5, 64)], 2),  # a lamp is switched on
        ([EMPTY, CameraFault("unplugged"), PART], 1),
        ([EMPTY, grey(0.3, 32), grey(0.7, 32)], 1),  # another size is another background
    ],
)
def test_motion(frames: list[object], announced: int) -> None:
    timer = SetTimer()
    trigger = MotionTrigger(ScriptedCamera(timer, frames, takes=0.05), timer)  # type: ignore[arg-type]
    seen = 0
    for _ in frames:
        try:
            seen += trigger.wait(0.01) is not None
        except CameraFault:
            continue
    assert seen == announced


@pytest.fixture
def pins() -> Iterator[object]:
    """gpiozero's own mock: pins without a board."""
    gpiozero = pytest.importorskip("gpiozero")
    from gpiozero.pins.mock import MockFactory

    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


def test_each_interruption_of_the_light_is_a_part(pins) -> None:  # type: ignore[no-untyped-def]
    barrier = LightBarrier(17, SystemTimer(), bounce=None)  # type: ignore[arg-type]
    pin = pins.pin(17)
    assert barrier.wait(0.01) is None
    before = time.monotonic()
    for _ in range(2):
        pin.drive_low()
        pin.drive_high()
    first, second = barrier.wait(1.0), barrier.wait(1.0)
    assert first is not None and second is not None and before <= first <= second <= time.monotonic()
    assert barrier.wait(0.01) is None
    barrier.close()


def test_a_barrier_before_the_camera_announces_later(pins) -> None:  # type: ignore[no-untyped-def]
    timer = SetTimer()
    barrier = LightBarrier(17, timer, delay=0.3, bounce=None, active_high=True)  # type: ignore[arg-type]
    pins.pin(17).drive_high()
    assert barrier.wait(1.0) == pytest.approx(1000.3) and timer.now() == pytest.approx(1000.3)
    barrier.close()


def test_a_pin_that_cannot_be_used_is_a_sentence(pins) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RuntimeError, match="pin 99 cannot be used"):
        LightBarrier(99, SetTimer())


def test_a_missing_library_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(RuntimeError, match="gpiozero is not installed; `apt install"):
        LightBarrier(17, SetTimer())

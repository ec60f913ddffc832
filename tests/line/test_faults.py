"""What breaks on a line: each fault is caused here, and what it does to the bins is what docs/line.md says."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.support.sorting import sort

from tobo.edge.ports import ActuatorFault, CameraFault
from tobo.line.config import LineConfig
from tobo.line.faults import NO_FAULTS, CameraTrouble, Faults
from tobo.line.twin import TIMEOUT, Line

CALM = LineConfig(seed=3, size=32, empty=0.0, double=0.0, jam=0.0)


def arrived(line: Line) -> Line:
    assert line.trigger.wait(5.0) is not None
    return line


@pytest.mark.parametrize(("trouble", "waited"), [("unplugged", 0.0), ("silent", TIMEOUT)])
def test_a_camera_without_a_frame_says_so_within_its_time_and_recovers(trouble: CameraTrouble, waited: float) -> None:
    line = arrived(Line(CALM))
    line.break_down(Faults(camera=trouble))
    begin = line.now()
    with pytest.raises(CameraFault, match="check its cable"):
        line.camera.grab()
    assert line.now() - begin == pytest.approx(waited)
    line.break_down(NO_FAULTS)
    assert line.camera.grab().pixels.any()


def test_a_black_a_halved_and_a_frozen_picture() -> None:
    line = arrived(Line(CALM))
    before = line.camera.grab()
    line.break_down(Faults(camera="black"))
    assert not line.camera.grab().pixels.any()
    line.break_down(Faults(camera="size"))
    assert line.camera.grab().pixels.shape == (16, 16, 3)
    line.break_down(NO_FAULTS)
    sound = line.camera.grab()
    line.break_down(Faults(camera="frozen"))
    arrived(line)
    frozen = line.camera.grab()
    assert np.array_equal(frozen.pixels, sound.pixels)
    assert (frozen.number, frozen.at > sound.at) == (before.number + 4, True)
    line.break_down(NO_FAULTS)
    assert not np.array_equal(line.camera.grab().pixels, sound.pixels)


def test_a_late_frame_was_exposed_in_time() -> None:
    line, late = arrived(Line(CALM)), arrived(Line(CALM))
    late.break_down(Faults(camera="late", late_by=0.4))
    frame, slow = line.camera.grab(), late.camera.grab()
    assert np.array_equal(frame.pixels, slow.pixels)
    assert slow.at == frame.at
    assert late.now() - line.now() == pytest.approx(0.4)


@pytest.mark.parametrize("trouble", ["unplugged", "silent"])
def test_without_a_picture_all_goes_to_ko(trouble: CameraTrouble) -> None:
    line = Line(CALM, limit=30)
    line.break_down(Faults(camera=trouble))
    sort(line)
    assert (line.tally.confusion["ok", "ok"], line.tally.confusion["ko", "ok"]) == (0, 0)
    assert (line.tally.sorted, line.tally.unasked) == (30, 30)


def test_an_unplugged_arm_refuses_falls_to_ko_and_the_belt_stops_until_somebody_comes() -> None:
    line = arrived(Line(replace(CALM, operator=5.0)))
    line.actuator.turn("ok")
    line.timer.sleep(0.2)
    assert line.snapshot()["arm"]["angle"] == CALM.ok_angle
    line.break_down(Faults(arm="unplugged"))
    line.timer.sleep(0.2)
    assert line.snapshot()["arm"]["angle"] == CALM.ko_angle
    with pytest.raises(ActuatorFault, match="check its plug"):
        line.actuator.turn("ok")
    line.actuator.stop_belt()
    stopped = line.snapshot()
    assert (stopped["running"], stopped["speed"]) == (False, 0)
    line.timer.sleep(4.9)
    assert line.snapshot()["travel"] == stopped["travel"]
    line.break_down(NO_FAULTS)
    line.timer.sleep(0.2)
    assert line.snapshot()["running"]
    assert line.snapshot()["travel"] > stopped["travel"]
    line.actuator.turn("ok")


def test_a_stopped_belt_without_an_operator_stands() -> None:
    line = arrived(Line(replace(CALM, operator=None)))
    line.actuator.stop_belt()
    line.actuator.stop_belt()
    travel = line.snapshot()["travel"]
    assert line.trigger.wait(3600) is None
    assert (line.snapshot()["travel"], line.tally.stops) == (travel, 1)
    line.start()
    assert line.trigger.wait(5.0) is not None


def test_a_stuck_arm_sorts_all_into_one_bin_and_tells_nobody() -> None:
    line = Line(CALM, limit=40)
    line.break_down(Faults(arm="stuck"))
    verdicts = sort(line)
    assert set(verdicts) == {"ok", "ko"}
    assert line.tally.confusion["ok", "ko"] + line.tally.confusion["ko", "ko"] == 40
    assert line.tally.late == verdicts.count("ok")


def test_a_blind_barrier_leaves_marbles_to_the_arms_last_place_which_rests_at_ko() -> None:
    line = Line(CALM, limit=20)
    line.break_down(Faults(barrier="blind"))
    sort(line)
    assert (line.tally.unasked, line.tally.confusion["ok", "ko"] + line.tally.confusion["ko", "ko"]) == (20, 20)


def test_closing_the_actuator_puts_the_arm_to_rest() -> None:
    line = arrived(Line(CALM))
    line.actuator.turn("ok")
    line.timer.sleep(0.3)
    line.actuator.close()
    line.timer.sleep(0.3)
    assert line.snapshot()["arm"]["angle"] == CALM.ko_angle


@pytest.mark.parametrize("seed", range(3))
def test_of_a_double_feed_a_careful_agent_lets_no_bad_one_pass(seed: int) -> None:
    config = replace(CALM, seed=seed, double=0.5)
    careful, careless = Line(config, limit=150), Line(config, limit=150)
    sort(careful)
    sort(careless, careful=False)
    assert careful.tally.doubles > 60
    assert careful.tally.confusion["ko", "ok"] == 0
    assert careful.tally.confusion["ok", "ok"] > 5
    pairs = {fallen.bin for fallen in careful.tally.fallen if fallen.marble.double}
    assert pairs == {"ko"}
    assert careless.tally.confusion["ko", "ok"] > 0, "the pairs of this test have to be close enough to matter"


def test_two_that_touch_are_both_in_the_photo() -> None:
    """The second marble of a pair changes the side of the photo where it lies, and nothing else."""
    config = replace(CALM, size=96, double=1.0)
    line = arrived(Line(config))
    pair = line.camera.grab().pixels.astype(int)
    alone = arrived(Line(config, limit=1)).camera.grab().pixels.astype(int)
    changed = np.abs(pair - alone).mean(axis=(0, 2))
    assert changed[48:].max() == 0
    assert changed[0] > 10


@pytest.fixture
def jammed() -> Iterator[Line]:
    """A line of good marbles, told to pass them all, of which one has stuck before the arm."""
    line = Line(replace(CALM, mix=replace(CALM.mix, ok=1.0), operator=None))
    line.jam()
    while not line.snapshot()["jammed"]:
        if line.trigger.wait(0.01) is not None:
            line.camera.grab()
            line.actuator.turn("ok")
    return line


def test_in_a_jam_the_arm_refuses_and_goes_to_ko(jammed: Line) -> None:
    with pytest.raises(ActuatorFault, match="stuck before the arm"):
        jammed.actuator.turn("ok")
    jammed.timer.sleep(0.3)
    assert jammed.snapshot()["arm"]["angle"] == CALM.ko_angle
    assert jammed.tally.jams == 1


def test_a_jam_holds_back_what_comes_while_the_belt_runs_on_and_nothing_is_lost(jammed: Line) -> None:
    sorted_ = jammed.tally.sorted
    jammed.timer.sleep(60.0)
    assert jammed.tally.sorted == sorted_
    places = [marble["at"] for marble in jammed.snapshot()["marbles"]]
    assert places[0] == CALM.arm_at - CALM.diameter / 2
    gaps = [ahead - behind for ahead, behind in pairwise(places)]
    assert gaps == pytest.approx([CALM.diameter] * len(gaps))
    assert places[-1] >= 0
    assert jammed.fed == sorted_ + jammed.on_belt


def test_who_clears_a_jam_puts_what_lay_before_the_arm_to_ko_by_hand(jammed: Line) -> None:
    jammed.actuator.stop_belt()
    seen = [marble for marble in jammed.snapshot()["marbles"] if marble["at"] >= CALM.barrier_at]
    jammed.start()
    after = jammed.snapshot()
    assert (after["jammed"], after["running"]) == (False, True)
    assert after["counts"]["by_hand"] == len(seen) > 0
    by_hand = [fallen for fallen in jammed.tally.fallen if fallen.hand]
    assert {fallen.bin for fallen in by_hand} == {"ko"}
    assert jammed.tally.late == 0
    sorted_ = jammed.tally.sorted
    sort(jammed, until=jammed.now() + 10)
    assert jammed.tally.sorted > sorted_
    assert jammed.fed == jammed.tally.sorted + jammed.on_belt


@pytest.mark.parametrize("seed", range(3))
def test_jams_let_no_bad_marble_pass(seed: int) -> None:
    line = Line(replace(CALM, seed=seed, jam=0.05, double=0.1, empty=0.1), limit=120)
    sort(line)
    assert line.tally.jams >= 1
    assert line.tally.stops >= line.tally.jams - 1
    assert line.tally.confusion["ko", "ok"] == 0
    assert line.tally.sorted == 120

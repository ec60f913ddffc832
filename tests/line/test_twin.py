"""The simulated line sorts as its arm stands: right with a prompt agent, wrong with a slow one, the same for a seed."""

import threading
from collections import Counter
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.sorting import sort

from tobo.edge.ports import Actuator, Camera, Frame, Timer, Trigger, Verdict
from tobo.line.clock import Clock, MeasuredClock, RealClock
from tobo.line.config import LineConfig, Mix
from tobo.line.twin import Line

SMALL = LineConfig(size=16, double=0.0, jam=0.0, light_drift=0.0)
"""Small photos: these tests look at bins."""


def bins(line: Line) -> list[tuple[int, Verdict]]:
    return [(fallen.marble.number, fallen.bin) for fallen in line.tally.fallen]


@pytest.mark.parametrize("seed", range(4))
def test_a_prompt_agent_that_knows_the_truth_sorts_all_right(seed: int) -> None:
    line = Line(replace(SMALL, seed=seed), limit=100)
    sort(line, latency=0.05)
    assert (line.tally.right, line.tally.sorted, line.tally.late, line.tally.unasked) == (100, 100, 0, 0)
    assert line.tally.confusion["ok", "ok"] > 25
    assert line.tally.latency(0.5) == pytest.approx(0.05 + SMALL.exposure / 2 + SMALL.readout)


@pytest.mark.parametrize(("share", "late"), [(0.9, False), (1.9, True)], ids=["within the budget", "beyond it"])
def test_an_answer_later_than_the_budget_finds_the_arm_where_the_marble_before_left_it(
    share: float, late: bool
) -> None:
    config = replace(SMALL, empty=0.0, operator=None)
    line = Line(config, limit=60)
    grab = config.delay + config.exposure + config.readout
    verdicts = sort(line, latency=share * config.budget - grab)
    left: list[Verdict] = ["ko", *verdicts[:-1]] if late else verdicts
    assert bins(line) == list(enumerate(left))
    assert line.tally.late == (60 if late else 0)
    assert (line.tally.right == 60) is not late


def test_the_same_seed_is_the_same_day_and_another_is_another() -> None:
    def day(seed: int) -> tuple[list[tuple[int, Verdict]], Counter[tuple[str, Verdict]], float]:
        line = Line(LineConfig(seed=seed, size=16, jam=0.02, double=0.05), limit=80)
        sort(line)
        return bins(line), line.tally.kinds, line.now()

    assert day(1) == day(1)
    assert day(1) != day(2)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    empty=st.floats(0, 0.5),
    double=st.floats(0, 0.5),
    jam=st.floats(0, 0.1),
    latency=st.floats(0, 1.5),
    operator=st.sampled_from([0.5, 5.0, 60.0]),
    careful=st.booleans(),
    until=st.floats(1, 60),
)
def test_every_marble_fed_is_in_one_bin_or_on_the_belt(
    seed: int, empty: float, double: float, jam: float, latency: float, operator: float, careful: bool, until: float
) -> None:
    config = LineConfig(seed=seed, size=16, empty=empty, double=double, jam=jam, operator=operator)
    line = Line(config)
    sort(line, latency, judge=lambda _: "ko", careful=careful, until=until)
    assert line.fed == line.tally.sorted + line.on_belt
    numbers = [fallen.marble.number for fallen in line.tally.fallen]
    assert len(set(numbers)) == len(numbers)
    assert sum(line.tally.kinds.values()) == line.tally.sorted


def test_the_photo_is_of_the_marble_below_and_the_same_each_day() -> None:
    def frames(line: Line) -> list[np.ndarray]:
        seen = []
        for _ in range(5):
            line.trigger.wait(5.0)
            frame = line.camera.grab()
            seen.append(frame.pixels)
            assert frame.pixels.shape == (48, 48, 3)
            assert frame.pixels.dtype == np.uint8
        return seen

    config = replace(SMALL, size=48)
    first, again, other = (frames(Line(replace(config, seed=seed))) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_it_is_what_an_agent_asks_for() -> None:
    """The type checker holds the four protocols to it; here they are used."""
    line = Line(SMALL)
    timer: Timer = line.timer
    trigger: Trigger = line.trigger
    camera: Camera = line.camera
    actuator: Actuator = line.actuator
    begin = timer.now()
    timer.sleep(0.5)
    assert timer.now() == begin + 0.5
    assert trigger.wait(0.1) is None
    arrived = trigger.wait(10.0)
    assert arrived is not None
    frame = camera.grab()
    assert arrived < frame.at < timer.now()
    assert (frame.number, camera.grab().number) == (0, 1)
    actuator.turn("ok")
    actuator.stop_belt()
    for each in (trigger, camera, actuator):
        each.close()


def test_a_barrier_keeps_the_arrivals_of_a_busy_agent() -> None:
    line = Line(replace(SMALL, empty=0.0))
    line.timer.sleep(4.0)
    kept = []
    while (arrived := line.trigger.wait(0.0)) is not None:
        kept.append(arrived)
    assert len(kept) >= 3
    assert kept == sorted(kept)
    assert kept[-1] < 4.0
    gaps = np.diff(kept)
    assert (np.abs(gaps - SMALL.pitch / SMALL.speed) < 0.1).all()


def day(clock: Clock | None = None, executor: Executor | None = None, size: int = 16) -> tuple[Line, list[bytes]]:
    """A day of 14 marbles on a long, slow line, on which no delay of this machine is late."""
    config = LineConfig(seed=4, size=size, pitch=400.0, camera_at=400.0, arm_at=700.0, double=0.0, jam=0.0)
    line = Line(config, clock, limit=14, executor=executor)
    frames: list[bytes] = []

    def judge(frame: Frame) -> Verdict:
        frames.append(frame.pixels.tobytes())
        marble = line.shown(frame)
        return marble.label if marble and marble.kind != "dotted" else "ok"

    sort(line, judge=judge)
    return line, frames


def test_real_and_measured_time_bring_the_same_decisions_as_virtual_time() -> None:
    expected = bins(day()[0])
    assert {into for _, into in expected} == {"ok", "ko"}
    assert bins(day(RealClock(pace=15))[0]) == expected
    assert bins(day(MeasuredClock())[0]) == expected


def test_drawing_ahead_changes_no_pixel() -> None:
    expected = day(size=24)[1]
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(1, get_context("spawn")) as processes:
        assert day(executor=threads, size=24)[1] == expected
        assert day(executor=processes, size=24)[1] == expected


def test_in_measured_time_waiting_is_skipped_and_thinking_counts() -> None:
    clock = MeasuredClock()
    line = Line(SMALL, clock)
    line.timer.sleep(3600.0)
    assert 3600 <= line.now() < 3660
    before = line.now()
    threading.Event().wait(0.05)
    assert line.now() - before >= 0.05


def test_others_may_look_while_it_runs_and_change_nothing() -> None:
    expected = Line(SMALL, limit=60)
    sort(expected)
    line, ended, faults = Line(SMALL, limit=60), threading.Event(), []

    def look() -> None:
        while not ended.is_set():
            seen = line.snapshot()
            if seen["fed"] != seen["counts"]["sorted"] + len(seen["marbles"]):
                faults.append(seen)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    sort(line)
    ended.set()
    for looker in lookers:
        looker.join()
    assert faults == []
    assert bins(line) == bins(expected)


@pytest.mark.parametrize(("kind", "label"), [("striped", "ko"), ("metallic", "ok")])
def test_a_new_kind_appears_when_it_is_let(kind: str, label: Verdict) -> None:
    line = Line(replace(SMALL, seed=8))
    sort(line, until=20.0)
    assert kind not in line.snapshot()["kinds"]
    line.mix(Mix(ok=0.5, novel=0.4, novel_kind=kind, novel_label=label))
    sort(line, until=60.0)
    seen = line.snapshot()["kinds"][kind]
    assert seen["label"] == label
    assert seen[label] > 5
    assert line.tally.right == line.tally.sorted


def test_the_mix_is_what_was_asked_for() -> None:
    line = Line(replace(SMALL, mix=Mix(ok=0.8, novel=0.25, novel_kind="striped"), empty=0.0))
    sort(line, judge=lambda _: "ko", until=200.0)
    kinds = {kind: sum(line.tally.kinds[kind, into] for into in ("ok", "ko")) for kind, _ in line.tally.kinds}
    assert kinds["striped"] / line.tally.sorted == pytest.approx(0.25, abs=0.08)
    assert kinds["monochrome"] / line.tally.sorted == pytest.approx(0.6, abs=0.08)
    assert "empty" not in kinds


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 8}, "size 8 is too small"),
        ({"arm_at": 100.0}, "the arm has to lie behind the camera"),
        ({"arm_at": 300.0}, "by one pitch at most"),
        ({"pitch": 10.0, "arm_at": 165.0}, "a pocket has to hold a marble"),
        ({"drift": 0.6}, "a belt runs forward"),
        ({"speed": 0.0}, "a belt runs forward"),
        ({"empty": 0.7, "double": 0.7}, "no shares of one whole"),
    ],
)
def test_a_line_that_cannot_stand(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)


@pytest.mark.parametrize(
    ("mix", "message"), [({"ok": 1.5}, "have to be shares"), ({"novel_kind": "square"}, "'square' is none of metallic")]
)
def test_a_mix_that_cannot_be(mix: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mix(**mix)

"""The simulated line sorts as its arm stands: right with a prompt agent, wrong with a slow one, the same for a seed."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.sorting import sort

from tobo.edge.ports import Verdict
from tobo.line.config import LineConfig
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

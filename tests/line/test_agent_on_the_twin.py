"""The agent's own loop on the simulated line: with eyes that know the truth every marble falls where it belongs."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tobo.edge import loop
from tobo.edge.decision import Rule
from tobo.edge.loop import Loop, Model
from tobo.edge.ports import Frame
from tobo.line.config import LineConfig
from tobo.line.twin import Line


class Knowing:
    """A camera and a classifier in one: what it has just photographed, it knows."""

    labels = ("ko", "ok")

    def __init__(self, line: Line) -> None:
        self._line = line
        self._truth = "ko"

    def grab(self) -> Frame:
        frame = self._line.camera.grab()
        marble = self._line.shown(frame)
        self._truth = "ko" if marble is None else marble.label
        return frame

    def close(self) -> None:
        self._line.camera.close()

    def classify(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return np.array([self._truth == "ko", self._truth == "ok"], np.float32)


def sort(config: LineConfig, rule: Rule, count: int = 300) -> Line:
    line = Line(replace(config, size=16), limit=count)
    knowing = Knowing(line)
    sorting = Loop(loop.Line(line.timer, line.trigger, knowing, line.actuator), Model(knowing), rule, seed=1)
    sorting.run(lambda: line.done)
    return line


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_marble_falls_where_it_belongs(seed: int) -> None:
    config = LineConfig(seed=seed, double=0.0, jam=0.0)
    line = sort(config, Rule(budget=config.budget, separation=config.separation))
    assert (line.tally.right, line.tally.sorted) == (300, 300)


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_marbles_that_come_together_fall_where_they_belong(seed: int) -> None:
    """Two that touch leave the arm just time enough."""
    config = LineConfig(seed=seed, double=0.2, jam=0.0)
    careful = sort(config, Rule(budget=config.budget, separation=config.separation)).tally
    careless = sort(config, Rule(budget=config.budget)).tally
    assert careful.doubles > 20
    assert (careful.right, careful.sorted) == (300, 300)
    assert careless.confusion["ko", "ok"] > 0


def test_a_jam_costs_good_marbles_never_passes_bad_ones() -> None:
    config = LineConfig(seed=4, double=0.2, jam=0.01)
    tally = sort(config, Rule(budget=config.budget, separation=config.separation)).tally
    assert tally.jams > 0
    assert tally.confusion["ko", "ok"] == 0 < tally.confusion["ok", "ko"] <= tally.by_hand


def test_a_line_without_time_to_wait_sends_what_comes_together_to_ko() -> None:
    config = LineConfig(seed=4, double=0.2, jam=0.0)
    tally = sort(config, Rule(budget=0.1, separation=config.separation)).tally
    assert tally.confusion["ko", "ok"] == 0 < tally.confusion["ok", "ko"]

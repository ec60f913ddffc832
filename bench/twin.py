"""The simulated line as fast as it goes: an agent that knows the truth sorts, so that what is measured is the twin."""

import time
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

from bench.rows import Row
from tobo.line.config import LineConfig
from tobo.line.twin import Line

COUNT = 400
WORKERS = 2


def run() -> list[Row]:
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        _speed(16, pool)
        ahead = _speed(128, pool)
    return [_row(96, _speed(96, None), "one thread"), _row(128, ahead, f"{WORKERS} processes draw ahead")]


def _row(size: int, speed: float, how: str) -> Row:
    return Row(f"simulated line, unthrottled, {size} px", speed, "marbles/s", aim=200, at_least=True, note=how)


def _speed(size: int, pool: Executor | None) -> float:
    """Marbles photographed and sorted in a second; raises RuntimeError where one is in the wrong bin."""
    line = Line(LineConfig(size=size, double=0, jam=0), limit=COUNT, executor=pool)
    begin = time.perf_counter()
    while not line.done:
        if line.trigger.wait(1.0) is not None:
            marble = line.shown(line.camera.grab())
            line.actuator.turn(marble.label if marble else "ko")
    speed = COUNT / (time.perf_counter() - begin)
    if line.tally.right != COUNT:
        raise RuntimeError(f"{COUNT - line.tally.right} of {COUNT} marbles are in the wrong bin")
    return speed

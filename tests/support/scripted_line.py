"""A line of scripts: time that is turned by hand, frames and faults in a given order, an arm that writes down."""

from collections.abc import Iterable, Iterator

import numpy as np

from tobo.edge.loop import Line
from tobo.edge.ports import CameraFault, Frame, Verdict


class SetTimer:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += max(0.0, seconds)


class ScriptedTrigger:
    """A part each second of the script's time, as many as there are."""

    def __init__(self, timer: SetTimer, parts: int | None = None) -> None:
        self.timer, self.parts = timer, parts

    def wait(self, timeout: float) -> float | None:
        self.timer.sleep(min(timeout, 1.0))
        if self.parts == 0:
            return None
        self.parts = None if self.parts is None else self.parts - 1
        return self.timer.now()

    def close(self) -> None:
        pass


class ScriptedArrivals:
    """Parts at these seconds after the script's begin; an agent that is busy is told of them when it comes."""

    def __init__(self, timer: SetTimer, arrivals: Iterable[float]) -> None:
        self.timer, self.left = timer, [timer.now() + at for at in arrivals]

    def wait(self, timeout: float) -> float | None:
        if not self.left or self.left[0] > self.timer.now() + timeout:
            self.timer.sleep(timeout)
            return None
        arrived = self.left.pop(0)
        self.timer.sleep(arrived - self.timer.now())
        return arrived

    def close(self) -> None:
        pass


class ScriptedCamera:
    """Gives the frames of the script; an exception in it is raised. `takes` seconds pass for each."""

    def __init__(self, timer: SetTimer, script: Iterable[np.ndarray | Exception], takes: float = 0.0) -> None:
        self.timer, self.takes = timer, takes
        self.script: Iterator[np.ndarray | Exception] = iter(script)
        self.number = 0
        self.closed = False

    def grab(self) -> Frame:
        self.timer.sleep(self.takes)
        self.number += 1
        try:
            frame = next(self.script)
        except StopIteration:
            raise CameraFault("The script is over.") from None
        if isinstance(frame, Exception):
            raise frame
        return Frame(frame, self.timer.now(), self.number)

    def close(self) -> None:
        self.closed = True


class ScriptedArm:
    """Writes down what it is told; raises what `faults` holds for the n-th turn (from 1)."""

    def __init__(self, faults: dict[int, Exception] | None = None) -> None:
        self.turns: list[Verdict] = []
        self.stops = 0
        self.timer: SetTimer | None = None
        self.times: list[float] = []
        """Of the turns, where there is a timer."""
        self.faults = faults or {}
        self.closed = False

    def turn(self, verdict: Verdict) -> None:
        self.turns.append(verdict)
        if self.timer is not None:
            self.times.append(self.timer.now())
        if fault := self.faults.get(len(self.turns)):
            raise fault

    def stop_belt(self) -> None:
        self.stops += 1

    def close(self) -> None:
        self.closed = True


class Brightness:
    """Stands in for a model: the mean grey level is the score of "ok"."""

    labels = ("ko", "ok")

    def __init__(self) -> None:
        self.fails: Exception | None = None

    def classify(self, pixels: np.ndarray) -> np.ndarray:
        if self.fails is not None:
            raise self.fails
        ok = float(pixels.mean()) / 255
        return np.array([1 - ok, ok], np.float32)


def grey(level: float, size: int = 8) -> np.ndarray:
    """A picture of one level, 0..1."""
    return np.full((size, size, 3), round(level * 255), np.uint8)


def scripted(
    script: Iterable[np.ndarray | Exception], faults: dict[int, Exception] | None = None, takes: float = 0.0
) -> tuple[Line, ScriptedArm, SetTimer]:
    """A line, its arm and its time."""
    timer, arm = SetTimer(), ScriptedArm(faults)
    return Line(timer, ScriptedTrigger(timer), ScriptedCamera(timer, script, takes), arm), arm, timer

"""The line's clock: as fast as possible, as fast as the agent thinks, or as the eye sees it."""

import time
from threading import Condition
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds from 0. What waits on it holds the line's lock, `changed`."""

    def now(self) -> float: ...

    def wait(self, changed: Condition, until: float) -> None:
        """Lets time pass up to `until`, or less where `changed` is notified: the caller looks again."""
        ...

    def drawing(self, seconds: float) -> None:
        """The twin has drawn for so long: what a real camera would not have taken."""
        ...


class VirtualClock:
    """Time passes where somebody waits for it, at once, and nowhere else: thinking is free, the same seed the same day."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait(self, changed: Condition, until: float) -> None:
        self._now = max(self._now, until)

    def drawing(self, seconds: float) -> None:
        pass


class MeasuredClock:
    """Waiting is skipped, thinking takes as long as it does: latencies are this machine's, the belt loses no time."""

    def __init__(self) -> None:
        self._ahead = -time.monotonic()

    def now(self) -> float:
        return time.monotonic() + self._ahead

    def wait(self, changed: Condition, until: float) -> None:
        self._ahead += max(0.0, until - self.now())

    def drawing(self, seconds: float) -> None:
        self._ahead -= seconds


class RealClock:
    """For the eye; `pace` times as fast as life."""

    def __init__(self, pace: float = 1.0) -> None:
        self._pace = pace
        self._begin = time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._begin) * self._pace

    def wait(self, changed: Condition, until: float) -> None:
        left = (until - self.now()) / self._pace
        if left > 0:
            changed.wait(left)

    def drawing(self, seconds: float) -> None:
        pass

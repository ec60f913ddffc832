"""Time as an argument: what asks for the time asks a Clock, so that tests can turn it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the epoch (UTC), as a float."""

    def now(self) -> float: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()


class SetClock:
    """A clock that stands still until it is turned; for tests."""

    def __init__(self, at: float = 1_700_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += seconds

"""A trigger by the clock: for a belt whose pockets pass at a steady pace, or to try things."""

from tobo.edge.ports import Timer


class IntervalTrigger:
    """A part every `seconds`; what was missed while the line was busy is skipped, not caught up."""

    def __init__(self, seconds: float, timer: Timer) -> None:
        self._seconds, self._timer = seconds, timer
        self._next = timer.now() + seconds

    def wait(self, timeout: float) -> float | None:
        now = self._timer.now()
        if self._next - now > timeout:
            self._timer.sleep(timeout)
            return None
        self._timer.sleep(self._next - now)
        arrived = self._timer.now()
        self._next = max(self._next + self._seconds, arrived)
        return arrived

    def close(self) -> None:
        pass

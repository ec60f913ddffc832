"""The clock of a real line."""

import time


class SystemTimer:
    """Time as the machine's monotonic clock tells it: it does not jump when somebody sets the date."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

"""A deed that is done again and again beside the line: at its pace, at once when woken, ever more seldom while it fails."""

import contextlib
import logging
import os
import random
import threading
import time
from collections.abc import Callable

from tobo.edge.cloud import Denied

log = logging.getLogger(__name__)

_NICE = 10
FIRST, LONGEST = 5.0, 300.0
"""Seconds before the first retry, and the longest pause between two."""


def pause(failures: int, every: float, draw: Callable[[], float] = random.random, most: float = LONGEST) -> float:
    """Seconds until the next try: `every` after a success, else doubling from FIRST to `most`, of which a random half.

    Full devices that lost the same network must not come back at the same moment (M. Brooker, "Exponential Backoff and
    Jitter", AWS Architecture Blog, 2015).
    """
    if not failures:
        return every
    longest: float = min(most, FIRST * 2.0 ** min(failures - 1, 16))
    return longest * (0.5 + 0.5 * draw())


class Background(threading.Thread):
    """Calls `deed` every so many seconds of the monotonic clock until it is stopped."""

    def __init__(self, name: str, deed: Callable[[], object], every: float) -> None:
        super().__init__(name=name, daemon=True)
        self._deed, self.every = deed, every
        self._woken, self._over = threading.Event(), False
        self.longest = LONGEST
        self.failures = 0
        self.trouble: str | None = None
        """What went wrong the last time, None where it did not."""
        self.done_at: float | None = None
        """time.monotonic() of the last success."""

    def run(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            # Of this thread alone, on Linux: where there is one core, it is the line's first.
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, max(_NICE, os.getpriority(os.PRIO_PROCESS, own)))
        while not self._over:
            self.try_once()
            self._woken.wait(pause(self.failures, self.every, most=self.longest))
            self._woken.clear()

    def try_once(self) -> bool:
        """Whether it went well; trouble is logged when it changes."""
        try:
            self._deed()
        except Exception as error:
            self.failures += 1
            trouble = str(error) or type(error).__name__
            if trouble != self.trouble:
                known = isinstance(error, OSError | Denied)
                log.warning("%s: %s", self.name, trouble, exc_info=None if known else error)
            self.trouble = trouble
            return False
        if self.trouble is not None:
            log.info("%s: well again", self.name)
        self.failures, self.trouble, self.done_at = 0, None, time.monotonic()
        return True

    def wake(self) -> None:
        """Now rather than later."""
        self._woken.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Lets the deed that is being done end, if it does so in time."""
        self._over = True
        self._woken.set()
        if self.is_alive():
            self.join(seconds)

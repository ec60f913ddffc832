"""The belt's drive: how far the belt has run at a time, and when it will have run so far; it can be stopped."""

import math
from dataclasses import dataclass

import numpy as np

_PERIODS = (420.0, 97.0, 1.9, 0.31)
"""Seconds: two slow ones (a motor that warms up, a load that changes), a roller's turn, a gear's tooth."""


@dataclass(frozen=True)
class Wave:
    """One part of the speed's unevenness: `share` of the speed, with a period in seconds."""

    share: float
    period: float
    phase: float

    def speed(self, at: float) -> float:
        return self.share * math.sin(2 * math.pi * at / self.period + self.phase)

    def travel(self, at: float) -> float:
        """The integral of `speed` from 0."""
        turn = 2 * math.pi / self.period
        return self.share / turn * (math.cos(self.phase) - math.cos(turn * at + self.phase))


class Drive:
    """A belt of `speed` mm/s that `drift`s slowly and `jitter`s quickly, both as shares of its speed.

    The unevenness is a sum of sines, so that the way is known exactly at every time: it does not matter how often
    somebody looks. Stopping and starting are at once; a stopped belt's sines stand still, too.
    """

    def __init__(self, speed: float, drift: float, jitter: float, seed: int) -> None:
        shares = (drift * 0.7, drift * 0.3, jitter * 0.6, jitter * 0.4)
        phases = np.random.default_rng((seed, 1)).uniform(0, 2 * math.pi, len(shares))
        self._waves = tuple(
            Wave(share, period, float(phase)) for share, period, phase in zip(shares, _PERIODS, phases, strict=True)
        )
        self._speed = speed
        self._idle = 0.0
        self._stopped: float | None = None
        self._known = (0.0, 0.0)
        """A way, and after how long a run the belt has done it: a line asks many times for what comes next."""

    @property
    def running(self) -> bool:
        return self._stopped is None

    def stop(self, now: float) -> None:
        if self._stopped is None:
            self._stopped = now

    def start(self, now: float) -> None:
        if self._stopped is not None:
            self._idle += now - self._stopped
            self._stopped = None

    def stopped_for(self, now: float) -> float:
        """Seconds that the belt has stood still so far, all stops together."""
        return self._idle + (0.0 if self._stopped is None else now - self._stopped)

    def speed(self, now: float) -> float:
        """mm/s at this time."""
        if self._stopped is not None:
            return 0.0
        run = self._run(now)
        return self._speed * (1 + sum(wave.speed(run) for wave in self._waves))

    def travel(self, now: float) -> float:
        """mm that the belt has run."""
        return self._way(self._run(now))

    def time_of(self, travel: float) -> float:
        """When the belt will have run, or had run, so many mm; infinity while it stands still."""
        if self._stopped is not None:
            return math.inf
        if self._known[0] != travel:
            self._known = travel, self._run_of(travel)
        return self._known[1] + self._idle

    def _run_of(self, travel: float) -> float:
        """Seconds of running after which the belt has done this way."""
        run = travel / self._speed
        # Newton's steps: the slope is within a few per cent of the speed, so that three or four are enough.
        for _ in range(50):
            slope = self._speed * (1 + sum(wave.speed(run) for wave in self._waves))
            step = (self._way(run) - travel) / slope
            run -= step
            if abs(step) < 1e-10:
                break
        return run

    def _run(self, now: float) -> float:
        return (now if self._stopped is None else self._stopped) - self._idle

    def _way(self, run: float) -> float:
        return self._speed * (run + sum(wave.travel(run) for wave in self._waves))

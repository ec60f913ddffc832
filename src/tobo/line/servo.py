"""The arm: a hobby servo that takes its command with the next pulse and its time to get there."""

import math
from dataclasses import dataclass

from tobo.edge.ports import Verdict


@dataclass(frozen=True)
class Motion:
    """From `begin` (s) on, from `angle` towards `target` (degrees)."""

    begin: float
    angle: float
    target: float

    def at(self, now: float, speed: float) -> float:
        way = max(0.0, now - self.begin) * speed
        return self.angle + math.copysign(min(way, abs(self.target - self.angle)), self.target - self.angle)


class Servo:
    """Rests at ko. A command counts from the next pulse on (50 Hz in hobby servos); of several before it, the last.

    `speed` in degrees a second, angles in degrees, `pulse` the pulses' distance in seconds.
    """

    def __init__(self, angles: dict[Verdict, float], speed: float, pulse: float) -> None:
        self._angles = angles
        self._speed = speed
        self._pulse = pulse
        self._motion = Motion(0.0, angles["ko"], angles["ko"])
        self._next: Motion | None = None

    def command(self, verdict: Verdict, now: float) -> None:
        self._settle(now)
        begin = math.ceil(now / self._pulse) * self._pulse if self._pulse else now
        self._next = Motion(begin, self._motion.at(begin, self._speed), self._angles[verdict])
        self._settle(now)

    def angle(self, now: float) -> float:
        """Degrees; `now` never goes back."""
        self._settle(now)
        return self._motion.at(now, self._speed)

    @property
    def target(self) -> float:
        """Degrees: where the last command wants it."""
        return (self._next or self._motion).target

    def stands_at(self, verdict: Verdict, now: float, tolerance: float) -> bool:
        """Whether the arm is within `tolerance` degrees of the verdict's place."""
        return abs(self.angle(now) - self._angles[verdict]) <= tolerance

    def _settle(self, now: float) -> None:
        if self._next and self._next.begin <= now:
            self._motion, self._next = self._next, None

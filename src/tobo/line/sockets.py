"""What an agent plugs into: the line's clock, camera, light barrier and arm as `edge.ports` has them."""

from collections.abc import Callable
from dataclasses import dataclass

from tobo.edge.ports import Frame, Verdict


@dataclass(frozen=True)
class LineTimer:
    """`ports.Timer`: the line's clock; `wait` lets it run until a time."""

    clock: Callable[[], float]
    wait: Callable[[float], float]

    def now(self) -> float:
        return self.clock()

    def sleep(self, seconds: float) -> None:
        self.wait(self.clock() + seconds)


@dataclass(frozen=True)
class LineCamera:
    """`ports.Camera`: hangs over the belt."""

    expose: Callable[[], Frame]

    def grab(self) -> Frame:
        return self.expose()

    def close(self) -> None:
        """It holds nothing open."""


@dataclass(frozen=True)
class LineTrigger:
    """`ports.Trigger`: the light barrier. It keeps the arrivals of marbles that came while nobody waited."""

    arrival: Callable[[float], float | None]

    def wait(self, timeout: float) -> float | None:
        return self.arrival(timeout)

    def close(self) -> None:
        """It holds nothing open."""


@dataclass(frozen=True)
class LineActuator:
    """`ports.Actuator`: the arm, and the switch that stops the belt."""

    command: Callable[[Verdict], None]
    stop: Callable[[], None]
    rest: Callable[[], None]

    def turn(self, verdict: Verdict) -> None:
        self.command(verdict)

    def stop_belt(self) -> None:
        self.stop()

    def close(self) -> None:
        self.rest()

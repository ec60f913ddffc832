"""The belt with its marbles: where each lies, when it comes to a station, what a jam holds back."""

import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tobo.line.config import LineConfig
from tobo.line.drive import Drive
from tobo.line.feeder import Feeder, Marble

Station = Literal["feeder", "barrier", "snag", "arm"]


@dataclass(eq=False)
class Lying:
    """A marble on the belt. It lies at `travel - offset` mm, or at `limit` where a jam holds it there."""

    marble: Marble
    offset: float
    limit: float = math.inf
    seen: bool = False
    """It has passed the light barrier."""

    def at(self, travel: float) -> float:
        return min(travel - self.offset, self.limit)

    def held(self, travel: float) -> bool:
        """Whether it stands, though the belt runs below it."""
        return travel - self.offset >= self.limit


@dataclass(frozen=True)
class Arrival:
    """What happens next on the belt: `lying` comes to a station, or pocket `pocket` to the feeder."""

    time: float
    station: Station
    lying: Lying | None = None
    pocket: int = 0


class Belt:
    """Moves marbles from the feeder to the arm. Whoever owns it takes `next()` in the order of time and `take`s it."""

    def __init__(self, config: LineConfig, feeder: Feeder) -> None:
        self.drive = Drive(config.speed, config.drift, config.jitter, config.seed)
        self.lying: list[Lying] = []
        """The foremost first."""
        self.stuck: Lying | None = None
        self.fed = 0
        self._config = config
        self._feeder = feeder
        self._stations: dict[Station, float] = {
            "barrier": config.barrier_at,
            "snag": config.arm_at - config.diameter / 2,
            "arm": config.arm_at,
        }
        self._order = itertools.count()
        self._due: list[tuple[float, int, Station, Lying | None, int]] = []
        heapq.heappush(self._due, (0.0, next(self._order), "feeder", None, 0))

    def next(self) -> Arrival | None:
        """What comes next, not before it is taken; None while the belt stands."""
        if not self.drive.running:
            return None
        while True:
            travel, _, station, lying, pocket = self._due[0]
            if lying is None or self._comes(lying, station, travel):
                return Arrival(self.drive.time_of(travel), station, lying, pocket)
            heapq.heappop(self._due)

    def take(self, arrival: Arrival) -> list[Lying]:
        """Does what belongs to the belt itself: feeds, lets stick, lets go at the arm. Returns the marbles fed."""
        heapq.heappop(self._due)
        if arrival.lying is None:
            return list(self._feed(arrival.pocket))
        if arrival.station == "barrier":
            arrival.lying.seen = True
        elif arrival.station == "snag" and arrival.lying.marble.sticks and self.stuck is None:
            self._jam(arrival.lying)
        elif arrival.station == "arm":
            self.lying.remove(arrival.lying)
        return []

    def clear(self, now: float) -> list[Lying]:
        """Frees a jam and takes out what the barrier had seen before the arm; what was held behind it goes on."""
        if self.stuck is None:
            return []
        self.stuck = None
        out = [lying for lying in self.lying if lying.seen]
        self.lying = [lying for lying in self.lying if not lying.seen]
        travel = self.drive.travel(now)
        self._due = [due for due in self._due if due[3] is None]
        heapq.heapify(self._due)
        for lying in self.lying:
            place = lying.at(travel)
            lying.offset, lying.limit = travel - place, math.inf
            self._schedule(lying)
        return out

    def under_camera(self, now: float, reach: float) -> list[tuple[Lying, float]]:
        """The marbles within `reach` mm of the camera's middle and how far each has gone past it, the nearest first."""
        travel = self.drive.travel(now)
        ways = [(lying, lying.at(travel) - self._config.camera_at) for lying in self.lying]
        return sorted((each for each in ways if abs(each[1]) <= reach), key=lambda each: abs(each[1]))

    def _feed(self, pocket: int) -> Iterator[Lying]:
        travel = (pocket + 1) * self._config.pitch
        heapq.heappush(self._due, (travel, next(self._order), "feeder", None, pocket + 1))
        # A feeder that is blocked by a marble before it drops none.
        if self.lying:
            last = self.lying[-1]
            if last.at(pocket * self._config.pitch) < self._config.diameter + 3 * self._config.spacing:
                return
        for marble in self._feeder.fill(pocket):
            limit = self.lying[-1].limit - self._config.diameter if self.lying else math.inf
            lying = Lying(marble, marble.place, limit)
            self.lying.append(lying)
            self.fed += 1
            self._schedule(lying)
            yield lying

    def _schedule(self, lying: Lying) -> None:
        for station, place in self._stations.items():
            if station != "snag" or lying.marble.sticks:
                due = lying.offset + place
                heapq.heappush(self._due, (due, next(self._order), station, lying, 0))

    def _comes(self, lying: Lying, station: Station, travel: float) -> bool:
        """Whether the marble does come to the station: nothing holds it back, nobody has taken it out."""
        return lying.at(travel) >= self._stations[station] - 1e-6

    def _jam(self, stuck: Lying) -> None:
        self.stuck = stuck
        limit = self._stations["snag"]
        for lying in self.lying[self.lying.index(stuck) :]:
            lying.limit = limit
            limit -= self._config.diameter

"""The feeder: which marbles come into which pocket of the belt; the same for the same seed, whatever happens later."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tobo.edge.ports import Verdict
from tobo.line.config import LineConfig, Mix
from tobo.line.marbles import DEFECTS, OK

_SEEDS = 1_000_000
"""A line's photos have the numbers of `marbles.photos(seed=1_000_000 + line's seed)`: no training set has them."""
_OPAQUE = tuple(kind for kind in DEFECTS if kind != "empty")


def pocket_seed(line: int, pocket: int) -> int:
    """The seed of the photo of an empty pocket."""
    return (_SEEDS + line) * 1_000_000 + 999_999 - pocket % 100_000


@dataclass(frozen=True)
class Marble:
    """`place` is where it lies on the belt (mm of the belt's way when it is at the feeder); `label` the truth about it.

    `seed` decides its look, `sticks` whether it jams before the arm, `double` whether it shares a pocket.
    """

    number: int
    kind: str
    label: Verdict
    seed: int
    place: float
    sticks: bool = False
    double: bool = False


class Feeder:
    """Fills pocket after pocket, `limit` marbles at most. `mix` may be changed while the belt runs."""

    def __init__(self, config: LineConfig, limit: int | None = None) -> None:
        self.mix: Mix = config.mix
        self.jam_next = False
        """The next marble sticks."""
        self._config = config
        self._limit = limit
        self._number = 0
        self._last = -config.pitch

    @property
    def exhausted(self) -> bool:
        return self._limit is not None and self._number >= self._limit

    def fill(self, pocket: int) -> Iterator[Marble]:
        """The marbles of this pocket: none, one or two, first the one that lies ahead."""
        config = self._config
        # A pocket has a generator of its own, so that what comes later does not depend on what was changed before.
        rng = np.random.default_rng((config.seed, 2, pocket))
        chance = rng.random()
        count = 0 if chance < config.empty else 2 if chance < config.empty + config.double else 1
        place = pocket * config.pitch + config.spacing * float(np.clip(rng.normal(), -3, 3))
        for index in range(count):
            place = max(place, self._last + config.diameter)
            kind = self._choose(rng)
            sticks = bool(rng.random() < config.jam) or self.jam_next
            gap = rng.uniform(1.0, 1.3)
            if self.exhausted:
                return
            seed = (_SEEDS + config.seed) * 1_000_000 + self._number
            yield Marble(self._number, kind, self.mix.label(kind), seed, place, sticks, count == 2)
            self.jam_next = False
            self._number += 1
            self._last = place
            place += config.diameter * float(gap) if index == 0 else 0

    def _choose(self, rng: np.random.Generator) -> str:
        novel, ok, defect = rng.random(), rng.random(), str(rng.choice(_OPAQUE))
        if novel < self.mix.novel:
            return self.mix.novel_kind
        return OK if ok < self.mix.ok else defect

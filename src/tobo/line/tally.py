"""What the line has done: where every marble fell, what was late, how long the answers took."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from tobo.edge.ports import Verdict
from tobo.line.feeder import Marble

BINS: tuple[Verdict, ...] = ("ok", "ko")
_ANSWERS = 10_000
"""Of so many last answers the percentiles are told."""
_FALLEN = 200
RATE_OVER = 30.0


@dataclass(frozen=True)
class Fallen:
    """A marble in its bin: `bin` by the arm, or by `hand` out of a jam; `verdict` what was commanded, None where nothing was."""

    marble: Marble
    bin: Verdict
    verdict: Verdict | None
    at: float
    late: bool = False
    hand: bool = False


class Tally:
    """True counts, which only the twin can know: `confusion[truth, bin]`, `kinds[kind, bin]`."""

    def __init__(self) -> None:
        self.confusion: Counter[tuple[Verdict, Verdict]] = Counter()
        self.kinds: Counter[tuple[str, Verdict]] = Counter()
        self.fallen: deque[Fallen] = deque(maxlen=_FALLEN)
        """The last ones."""
        self.late = 0
        """Marbles that fell before their command came, or before the arm had done it."""
        self.unasked = 0
        """Marbles that were never photographed."""
        self.doubles = 0
        self.jams = 0
        self.stops = 0
        self.by_hand = 0
        self._labels: dict[str, Verdict] = {}
        self._answers: deque[float] = deque(maxlen=_ANSWERS)

    def fall(self, fallen: Fallen) -> None:
        self.confusion[fallen.marble.label, fallen.bin] += 1
        self.kinds[fallen.marble.kind, fallen.bin] += 1
        self._labels[fallen.marble.kind] = fallen.marble.label
        self.late += fallen.late
        self.by_hand += fallen.hand
        self.fallen.append(fallen)

    def answer(self, seconds: float) -> None:
        """From the middle of an exposure to the command that followed it."""
        self._answers.append(seconds)

    @property
    def sorted(self) -> int:
        """Marbles in both bins."""
        return self.confusion.total()

    @property
    def right(self) -> int:
        """Marbles in the bin that is theirs."""
        return self.confusion["ok", "ok"] + self.confusion["ko", "ko"]

    def rate(self, now: float) -> float:
        """Marbles a second that fell in the last RATE_OVER seconds, or since the first of those remembered."""
        times = [fallen.at for fallen in self.fallen if fallen.at > now - RATE_OVER]
        return len(times) / min(RATE_OVER, max(now - times[0], 1.0)) if times else 0.0

    def latency(self, share: float) -> float | None:
        """Seconds from exposure to command that `share` of the last answers stayed within; None before the first."""
        if not self._answers:
            return None
        answers = sorted(self._answers)
        return answers[min(len(answers) - 1, int(share * len(answers)))]

    def told(self, now: float) -> dict[str, Any]:
        """All of it as JSON has it; latencies in ms, None before the first answer."""
        percentiles = {"p50": self.latency(0.5), "p99": self.latency(0.99)}
        return {
            "bins": {into: {truth: self.confusion[truth, into] for truth in BINS} for into in BINS},
            "kinds": {
                kind: {"label": label} | {into: self.kinds[kind, into] for into in BINS}
                for kind, label in sorted(self._labels.items())
            },
            "counts": {
                "sorted": self.sorted,
                "right": self.right,
                "late": self.late,
                "unasked": self.unasked,
                "doubles": self.doubles,
                "jams": self.jams,
                "stops": self.stops,
                "by_hand": self.by_hand,
            },
            "latency": {name: None if value is None else value * 1000 for name, value in percentiles.items()},
            "rate": self.rate(now),
        }

"""What the line has done: where every marble fell, what was late, how long the answers took."""

from collections import Counter, deque
from dataclasses import dataclass

from tobo.edge.ports import Verdict
from tobo.line.feeder import Marble

_ANSWERS = 10_000
"""Of so many last answers the percentiles are told."""
_FALLEN = 200


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
        """Marbles that fell while the arm was not where it had been told, or before it was told."""
        self.unasked = 0
        """Marbles that were never photographed."""
        self.photographed = 0
        self.doubles = 0
        self.jams = 0
        self.stops = 0
        self.by_hand = 0
        self._answers: deque[float] = deque(maxlen=_ANSWERS)

    def fall(self, fallen: Fallen) -> None:
        self.confusion[fallen.marble.label, fallen.bin] += 1
        self.kinds[fallen.marble.kind, fallen.bin] += 1
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

    def latency(self, share: float) -> float | None:
        """Seconds from exposure to command that `share` of the last answers stayed within; None before the first."""
        if not self._answers:
            return None
        answers = sorted(self._answers)
        return answers[min(len(answers) - 1, int(share * len(answers)))]

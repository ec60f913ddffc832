"""Whether a version on trial does its work: its first decisions, counted against what is allowed. Pure."""

from dataclasses import dataclass
from typing import Literal

from tobo.edge.records import Record
from tobo.edge.tally import Tally


@dataclass(frozen=True)
class Limits:
    """`decisions` are watched; of them the model may fail on a share `faults`; `late` and `rejects` are how much the
    shares of late and rejected parts may grow over those of the version before."""

    decisions: int = 50
    faults: float = 0.1
    late: float = 0.2
    rejects: float = 0.4


@dataclass(frozen=True)
class Before:
    """Shares of the version before; None where it has not sorted enough to tell."""

    late: float | None = None
    rejects: float | None = None


def before(tally: Tally, enough: int = 50) -> Before:
    """What the line did so far."""
    if tally.judged < enough:
        return Before()
    return Before(tally.judged_late / tally.judged, tally.judged_rejects / tally.judged)


class Watch:
    """Counts until it knows: healthy after `limits.decisions`, ill as soon as more is wrong than is allowed in all."""

    def __init__(self, digest: str, limits: Limits, before: Before) -> None:
        """Only the records of the version `digest` count."""
        self.digest = digest
        self._limits, self._before = limits, before
        self._seen = self._faults = self._late = self._rejects = 0

    def note(self, record: Record) -> Literal["watching", "healthy"] | str:
        """What is known after this part; anything but these two words is the sentence that says why it is ill."""
        if record.model != self.digest or record.blame == "camera":
            return "watching"
        self._seen += 1
        self._faults += record.blame == "model"
        self._late += record.decision.reason == "late"
        # Overridden verdicts say nothing about the model.
        self._rejects += record.decision.verdict == "ko" and record.decision.reason != "override"
        if ill := self._ill():
            return ill
        return "healthy" if self._seen >= self._limits.decisions else "watching"

    def _ill(self) -> str | None:
        limits, before = self._limits, self._before
        of = f"of its first {self._seen} decisions"
        if self._faults > limits.faults * limits.decisions:
            return f"The model failed on {self._faults} {of}."
        if self._late > ((before.late or 0.0) + limits.late) * limits.decisions:
            return f"{self._late} {of} were late."
        if before.rejects is not None and self._rejects > (before.rejects + limits.rejects) * limits.decisions:
            return f"It rejected {self._rejects} {of}; the version before rejected {before.rejects:.0%}."
        return None

"""What is to be made large or small, and the two rules that stop a trial that does badly on the way.

Sources: SageMaker Developer Guide, "Stop Training Jobs Early" (median rule); Li et al., "A System for Massively Parallel
Hyperparameter Tuning" (2020), algorithm 2, in the form that stops and never resumes (Hyperband).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

REDUCTION = 3
"""Of so many trials that reach a rung of Hyperband one goes on."""

MEDIAN_OF = 3
"""Finished trials that the median rule needs before it stops any."""


@dataclass(frozen=True)
class Objective:
    """A metric's name and its direction."""

    metric: str
    maximize: bool

    def gain(self, value: float) -> float:
        """The value as a number of which more is better; its own inverse."""
        return value if self.maximize else -value

    def asked(self) -> dict[str, str]:
        """As a HyperParameterTuningJobObjective."""
        return {"Type": "Maximize" if self.maximize else "Minimize", "MetricName": self.metric}


def read_objective(asked: Mapping[str, Any]) -> Objective:
    """From a HyperParameterTuningJobObjective."""
    return Objective(asked["MetricName"], asked["Type"] == "Maximize")


def behind_median(gains: Sequence[float], finished: Sequence[Sequence[float]]) -> bool:
    """Whether the latest of a running trial's gains is below the median of the finished ones' running means.

    Both count epochs; a finished trial that has fewer of them counts with what it has.
    """
    if not gains or len(finished) < MEDIAN_OF:
        return False
    return gains[-1] < median(fmean(others[: len(gains)]) for others in finished)


def rungs(least: int, most: int, bracket: int) -> list[int]:
    """Epochs at which the trials of a bracket are compared: least x 3^bracket, x 3, ... below `most`."""
    found = []
    rung = least * REDUCTION**bracket
    while rung < most:
        found.append(rung)
        rung *= REDUCTION
    return found


def brackets(least: int, most: int) -> int:
    """Brackets of Hyperband: from the one with every rung to the one with none."""
    return len(rungs(least, most, 0)) + 1


def cut_at_rung(before: int, gains: Sequence[float], others: Sequence[Sequence[float]], steps: Sequence[int]) -> bool:
    """Whether a trial that was seen with `before` epochs and has now len(gains) is out at a rung that it came to.

    It stays while its best so far is among the best third of all trials of its bracket that came to that rung; the
    first to come stays.
    """
    for rung in steps:
        if before < rung <= len(gains):
            own = max(gains[:rung])
            came = sorted((max(other[:rung]) for other in others if len(other) >= rung), reverse=True)
            places = max(1, (len(came) + 1) // REDUCTION)
            if sum(value > own for value in came) >= places:
                return True
    return False

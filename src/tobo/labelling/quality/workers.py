"""Workers: how often each is right about items with known answers, agrees with the consensus, skips, and how fast."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

SURE = 1.959963984540054
"""The normal distribution's quantile of a two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one worker gave for one item, in `seconds`: a class, boxes, whatever the task asks for; None where it was skipped."""

    item: str
    worker: str
    label: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Honeypots:
    """Items with a known answer: a worker's `right` ones of `asked`, and the 95 % Wilson interval of the accuracy."""

    right: int
    asked: int
    low: float
    high: float

    @property
    def accuracy(self) -> float | None:
        """None where none was asked."""
        return self.right / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Report:
    """One worker's work.

    `agreement` is the share of `compared` items, answered by others, too, where this worker says what the consensus
    says; None without any. The consensus holds the worker's own answer, which with few workers an item flatters.
    `seconds` an answered item, the median; None where none was answered.
    """

    worker: str
    answered: int
    skipped: int
    honeypots: Honeypots
    agreement: float | None
    compared: int
    seconds: float | None

    @property
    def skipped_share(self) -> float:
        """Of all items that the worker was shown and finished."""
        return self.skipped / (self.answered + self.skipped)


class Sure(Protocol):
    """Whatever has a confidence: a Consensus, Boxes, Polygons, Spans, an AgreedMask."""

    @property
    def confidence(self) -> float: ...


def report(
    answers: Iterable[Answer],
    known: Mapping[str, Any],
    consensus: Mapping[str, Any],
    same: Callable[[Any, Any], bool] = operator.eq,
) -> dict[str, Report]:
    """A report a worker, by name, of all answers of a job.

    `known` answers of the honeypots and the `consensus` are by item, in the form of the answers' labels; `same` tells
    whether two of them are the same answer (`boxes.alike` for boxes). Skipped honeypots count as skipped, not as wrong;
    honeypots are compared with what is known, not with the consensus.
    """
    by_worker: dict[str, list[Answer]] = {}
    workers: dict[str, set[str]] = {}
    for answer in answers:
        by_worker.setdefault(answer.worker, []).append(answer)
        if answer.label is not None:
            workers.setdefault(answer.item, set()).add(answer.worker)
    shared = {item: consensus[item] for item, who in workers.items() if len(who) > 1 and item in consensus}
    return {worker: _report(worker, by_worker[worker], known, shared, same) for worker in sorted(by_worker)}


def _report(
    worker: str,
    answers: list[Answer],
    known: Mapping[str, Any],
    consensus: Mapping[str, Any],
    same: Callable[[Any, Any], bool],
) -> Report:
    given = [answer for answer in answers if answer.label is not None]
    asked = [answer for answer in given if answer.item in known]
    right = sum(same(answer.label, known[answer.item]) for answer in asked)
    compared = [answer for answer in given if answer.item in consensus and answer.item not in known]
    agreed = sum(same(answer.label, consensus[answer.item]) for answer in compared)
    return Report(
        worker=worker,
        answered=len(given),
        skipped=len(answers) - len(given),
        honeypots=Honeypots(right, len(asked), *wilson(right, len(asked))),
        agreement=agreed / len(compared) if compared else None,
        compared=len(compared),
        seconds=median(answer.seconds for answer in given) if given else None,
    )


def wilson(right: int, asked: int, sure: float = SURE) -> tuple[float, float]:
    """The interval of a share of which `right` of `asked` were seen, 0 to 1; all of it where none was asked.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22, 1927. `sure` is the quantile, in standard deviations.
    """
    if not asked:
        return 0.0, 1.0
    share, squared = right / asked, sure * sure
    middle = share + squared / (2 * asked)
    half = sure * math.sqrt(share * (1 - share) / asked + squared / (4 * asked * asked))
    low, high = ((middle + sign * half) / (1 + squared / asked) for sign in (-1, 1))
    return max(low, 0.0), min(high, 1.0)


def conflicts(consensus: Mapping[str, Sure], threshold: float) -> list[str]:
    """Items for a reviewer, those with a confidence below `threshold`, the most doubtful first.

    A tied majority has a confidence of a half or less.
    """
    doubtful = [item for item, found in consensus.items() if found.confidence < threshold]
    return sorted(doubtful, key=lambda item: (consensus[item].confidence, item))

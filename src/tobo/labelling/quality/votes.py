"""Votes: what workers said about items, and the majority's answer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vote:
    """One worker's one class for one item."""

    item: str
    worker: str
    label: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """One worker's classes for one item, as many as apply (multi-label); none is an answer, too."""

    item: str
    worker: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Consensus:
    """What workers together say about an item: `confidence` from 0 to 1, `votes` by label, most first."""

    label: str
    confidence: float
    votes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MultiConsensus:
    """The classes that an item has: `labels` by name, `shares` of the workers who said each class that anybody said.

    `confidence` is that of its most doubtful class: the share of workers who agree with what was decided on it.
    """

    labels: tuple[str, ...]
    confidence: float
    shares: Mapping[str, float]
    workers: int


def majority(votes: Iterable[Vote], order: Sequence[str] = ()) -> dict[str, Consensus]:
    """The most frequent label of each item, items in the order in which they first occur; confidence is its share of the votes.

    Of labels with equally many votes the one that comes first in `order` wins, those that are not in it by name: the
    same votes in any order, alone or among others, give the same answer. Each vote counts: who wants one a worker
    leaves the others out.
    """
    rank = {label: number for number, label in enumerate(order)}
    found = {}
    for item, counted in count(votes).items():
        ranked = sorted(counted.items(), key=lambda one: (-one[1], rank.get(one[0], len(rank)), one[0]))
        label, most = ranked[0]
        found[item] = Consensus(label, most / sum(counted.values()), dict(ranked))
    return found


def count(votes: Iterable[Vote]) -> dict[str, Counter[str]]:
    """How often each label was said about each item."""
    counted: dict[str, Counter[str]] = {}
    for vote in votes:
        here = counted.get(vote.item)
        if here is None:
            here = counted[vote.item] = Counter()
        here[vote.label] += 1
    return counted


def multi_majority(ballots: Iterable[Ballot]) -> dict[str, MultiConsensus]:
    """Class by class: an item has those that more than half of its workers said; exactly half is too few."""
    said: dict[str, Counter[str]] = {}
    workers: Counter[str] = Counter()
    for ballot in ballots:
        said.setdefault(ballot.item, Counter()).update(ballot.labels)
        workers[ballot.item] += 1
    found = {}
    for item, counted in said.items():
        shares = {label: counted[label] / workers[item] for label in sorted(counted)}
        labels = tuple(label for label, share in shares.items() if share > 0.5)
        confidence = min((max(share, 1 - share) for share in shares.values()), default=1.0)
        found[item] = MultiConsensus(labels, confidence, shares, workers[item])
    return found

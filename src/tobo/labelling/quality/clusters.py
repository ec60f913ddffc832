"""Clusters of workers' shapes that mean the same thing: at most one shape a worker in each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

SAME_LABEL = 0.1
"""What an equal label is worth beside IoU when partners are sought: a rider and his horse overlap, too."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What `workers`, those `among` all who answered that drew one thing, say of it together: `votes` by label, most first.

    `overlap` is the mean IoU of their shapes with the consolidated one.
    """

    workers: tuple[str, ...]
    votes: tuple[tuple[str, int], ...]
    among: int
    overlap: float

    @property
    def label(self) -> str:
        """The one that most of its workers gave; of equally many the first by name."""
        return self.votes[0][0]

    @property
    def share(self) -> float:
        """Of those who answered, who drew it, with whatever label."""
        return len(self.workers) / self.among

    @property
    def confidence(self) -> float:
        """Share of those who answered that drew it with its label, times how well they agree on where: 0 to 1."""
        return self.votes[0][1] / self.among * self.overlap

    @property
    def kept(self) -> bool:
        """More than half of those who answered drew it; exactly half is too few."""
        return 2 * len(self.workers) > self.among


class Stands:
    """Something that workers drew or marked together: what its `standing` says of it."""

    __slots__ = ()
    standing: Standing

    @property
    def label(self) -> str:
        return self.standing.label

    @property
    def confidence(self) -> float:
        return self.standing.confidence


Thing = TypeVar("Thing", bound=Stands)


@dataclass(frozen=True, slots=True)
class Consolidated(Generic[Thing]):
    """One item's: what more than half of the workers drew, what fewer did, and how sure the whole is."""

    kept: tuple[Thing, ...]
    dropped: tuple[Thing, ...]

    @property
    def confidence(self) -> float:
        """That of the most doubtful thing, 0 to 1; 1 where nobody drew one."""
        return confidence([thing.standing for thing in self.kept + self.dropped])


def split(found: Sequence[Thing]) -> Consolidated[Thing]:
    """By whether more than half of the workers drew it, in the order given."""
    return Consolidated(
        kept=tuple(thing for thing in found if thing.standing.kept),
        dropped=tuple(thing for thing in found if not thing.standing.kept),
    )


def cluster(
    overlaps: npt.NDArray[np.float64], workers: Sequence[str], labels: Sequence[str], threshold: float
) -> list[list[int]]:
    """Indices of shapes that belong together, each cluster and all of them in the order of the shapes.

    `overlaps` [shapes, shapes] is IoU, symmetric. From the best pair downwards two clusters become one where no worker
    is in both and the mean IoU between them is at least `threshold` (average linkage): the same shapes give the same
    clusters, and a chain of neighbours does not become one thing.
    """
    same = np.equal.outer(np.array(labels, object), np.array(labels, object))
    other = np.not_equal.outer(np.array(workers, object), np.array(workers, object))
    first, second = np.nonzero(np.triu(other & (overlaps >= threshold), 1))
    worth = overlaps[first, second] + SAME_LABEL * same[first, second]
    member = {number: [number] for number in range(len(workers))}
    for at in np.argsort(-worth, kind="stable"):
        one, two = member[int(first[at])], member[int(second[at])]
        if one is two or {workers[n] for n in one} & {workers[n] for n in two}:
            continue
        if overlaps[np.ix_(one, two)].mean() >= threshold:
            merged = sorted(one + two)
            member.update(dict.fromkeys(merged, merged))
    return sorted({id(found): found for found in member.values()}.values())


def standing(drawn: Mapping[str, str], among: int, overlap: float = 1.0) -> Standing:
    """Of one thing that `drawn`'s workers drew, each with a label."""
    votes = sorted(Counter(drawn.values()).items(), key=lambda one: (-one[1], one[0]))
    return Standing(tuple(drawn), tuple(votes), among, overlap)


def confidence(standings: Sequence[Standing]) -> float:
    """Of an item: its most doubtful shape's, where one that is left out counts with the share who left it out; 1 without any."""
    return min((one.confidence if one.kept else 1 - one.share for one in standings), default=1.0)


def count_workers(seen: Sequence[str], workers: int | None) -> int:
    """How many answered: `workers`, or without it those with a shape. ValueError where fewer are said to than have one."""
    there = len(set(seen))
    if workers is not None and workers < there:
        raise ValueError(f"{workers} workers answered, it says, but {there} of them drew; count each who answered.")
    return there if workers is None else workers

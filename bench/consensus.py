"""Consensus of several workers: labels by Dawid and Skene's model beside the majority's, and what they cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.rows import Row
from tobo.labelling.quality.dawid_skene import dawid_skene
from tobo.labelling.quality.votes import Consensus, Vote, majority

SEEDS = range(5)
ITEMS, VOTES_AN_ITEM = 2000, 3
LABELS = ("crack", "dent", "good", "scratch")
PRIORS = (0.1, 0.2, 0.5, 0.2)
"""Shares of LABELS among the items."""
LIKELY = ("good", "dent", "scratch", "crack")
"""The majority's order where votes are equal: the best there is, which nobody knows in a job."""
MANY = 100_000


@dataclass(frozen=True)
class Skill:
    """A kind of worker: right in `right` of the cases; wrong ones say `habit`, or without one any other label alike."""

    right: float
    habit: str | None = None

    def confusion(self) -> npt.NDArray[np.float64]:
        """[true, said] probabilities."""
        count = len(LABELS)
        wrong = (1 - np.eye(count)) / (count - 1)
        if self.habit is not None:
            wrong = np.tile(np.eye(count)[LABELS.index(self.habit)], (count, 1))
        return self.right * np.eye(count) + (1 - self.right) * wrong


CAREFUL, HASTY, GUESSING = Skill(0.95), Skill(0.7), Skill(0.25)
LENIENT, SWAPPING = Skill(0.5, "good"), Skill(0.4, "scratch")
MIXES: Mapping[str, Sequence[Skill]] = {
    "all careful": [CAREFUL] * 10,
    "all hasty": [HASTY] * 10,
    "careful and hasty": [CAREFUL] * 5 + [HASTY] * 5,
    "a few careful among guessers": [CAREFUL] * 4 + [HASTY] * 2 + [GUESSING] * 4,
    "careful, lenient, habitual": [CAREFUL] * 4 + [LENIENT] * 3 + [SWAPPING] * 3,
}


def run() -> list[Row]:
    return [*(_accuracy(name, mix) for name, mix in MIXES.items()), *_costs()]


def simulate(
    mix: Sequence[Skill], seed: int, items: int = ITEMS, each: int = VOTES_AN_ITEM
) -> tuple[list[Vote], dict[str, str]]:
    """Votes of `each` different workers, drawn anew for each item, and the true labels."""
    random = np.random.default_rng((seed, len(mix), items, each))
    truth = random.choice(len(LABELS), items, p=PRIORS)
    chosen = random.random((items, len(mix))).argsort(1)[:, :each]
    upto = np.stack([skill.confusion() for skill in mix]).cumsum(2)[chosen, truth[:, None]]  # [items, each, labels]
    said = np.minimum((random.random((items, each, 1)) > upto).sum(2), len(LABELS) - 1)
    votes = [
        Vote(f"item-{item}", f"worker-{chosen[item, turn]}", LABELS[said[item, turn]])
        for item in range(items)
        for turn in range(each)
    ]
    return votes, {f"item-{item}": LABELS[true] for item, true in enumerate(truth)}


def accuracy(consensus: Mapping[str, Consensus], truth: Mapping[str, str]) -> float:
    """Share of items whose consensus is the true label."""
    return sum(consensus[item].label == label for item, label in truth.items()) / len(truth)


def compare(mix: Sequence[Skill], seed: int, items: int = ITEMS, each: int = VOTES_AN_ITEM) -> tuple[float, float]:
    """Accuracy of Dawid and Skene's labels, and of the majority's, equal votes decided as well as can be."""
    votes, truth = simulate(mix, seed, items, each)
    return accuracy(dawid_skene(votes, LABELS).consensus(), truth), accuracy(majority(votes, LIKELY), truth)


def _accuracy(name: str, mix: Sequence[Skill]) -> Row:
    pairs = 100 * np.array([compare(mix, seed) for seed in SEEDS])
    ours, theirs = pairs.mean(0)
    ahead = pairs[:, 0] - pairs[:, 1]
    note = f"ahead by {ahead.min():.1f} to {ahead.max():.1f} points in {len(SEEDS)} seeds"
    what = f"{VOTES_AN_ITEM} votes an item, {name}: right labels"
    aim = 1.0 if len(set(mix)) > 1 else None  # nothing can be gained from workers who are all alike
    return Row(what, float(ours), "%", "majority", float(theirs), aim_ratio=aim, at_least=True, note=note)


def _costs() -> list[Row]:
    votes, _ = simulate(MIXES["careful, lenient, habitual"], 0, MANY // VOTES_AN_ITEM)
    rounds = dawid_skene(votes, LABELS).iterations
    ours = _cpu_ms(lambda: dawid_skene(votes, LABELS).consensus())
    theirs = _cpu_ms(lambda: majority(votes))
    note = f"{rounds} rounds"
    return [Row(f"Dawid-Skene of {len(votes):,} votes", ours, "CPU-ms", "majority", theirs, aim=2000, note=note)]


def _cpu_ms(deed: Callable[[], object]) -> float:
    """The best of three."""
    found = []
    for _ in range(3):
        begin = time.process_time()
        deed()
        found.append((time.process_time() - begin) * 1000)
    return min(found)

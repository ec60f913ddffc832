"""Dawid and Skene's model: the true labels and how each worker errs, both estimated from the votes alone.

A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", Journal of
the Royal Statistical Society C 28(1), 1979, 20-28. Equations below are theirs.

crowd-kit has this, too, and was looked at first (1.4.2): it asks for pandas, pyarrow, transformers, nltk and others, 14
packages and 421 MB beside what all of tobo's extras bring, and two seconds of import, for what are two sums in numpy.
Both agree: of 166,665 simulated items on all labels but 30, whose classes are about equally probable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tobo.labelling.quality.votes import Consensus, Vote, count

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

SMOOTHING = 3.0
"""Votes a class that every worker is taken to have given before the first: keeps rates that rest on few votes moderate.

Without it a job of 100 items with three votes each by ten equally hasty workers comes out worse than the majority's (77 %
beside 83 %), with it better (84 %); with thousands of items it does not matter (`bench/consensus.py`'s simulation).
"""

RIGHT = 0.7
"""Share of those votes that was right."""


@dataclass(frozen=True)
class Estimate:
    """What the votes tell. Axes are in the order of `items`, `workers` and `labels`.

    `posterior` [items, labels]: probability that a label is the true one; rows add up to 1.
    `confusion` [workers, labels, labels]: probability that a worker who sees a [true] label says a [said] one.
    `priors` [labels]: share of each class among the items.
    `log_likelihood` of the votes in nats, under these rates.
    """

    items: tuple[str, ...]
    workers: tuple[str, ...]
    labels: tuple[str, ...]
    posterior: Floats
    confusion: Floats
    priors: Floats
    log_likelihood: float
    iterations: int
    converged: bool
    votes: Mapping[str, Mapping[str, int]]

    def consensus(self) -> dict[str, Consensus]:
        """The most probable label of each item with its probability; of equal ones the first in `labels`."""
        best = self.posterior.argmax(1)
        sure = self.posterior[np.arange(len(best)), best].tolist()
        pairs = zip(self.items, best.tolist(), sure, strict=True)
        return {item: Consensus(self.labels[at], p, self.votes[item]) for item, at, p in pairs}

    def accuracy(self) -> dict[str, float]:
        """Each worker's probability to be right about an item of this job."""
        right = self.confusion.diagonal(axis1=1, axis2=2) @ self.priors
        return dict(zip(self.workers, right.tolist(), strict=True))


def dawid_skene(
    votes: Iterable[Vote],
    labels: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
    smoothing: float = SMOOTHING,
    tolerance: float = 1e-8,
    limit: int = 500,
) -> Estimate:
    """EM from the shares of the votes (3.1) until the likelihood grows by less than `tolerance` of itself, or `limit` rounds.

    `labels` are the classes there are, at least those that were said (without them: those, by name). `known` are items
    whose true label is known, such as honeypots: it is taken as given. `smoothing` 0 gives the paper's maximum of the
    likelihood; above it the maximum of the posterior under a Dirichlet prior of so many votes for each true class, RIGHT
    of them right.

    It pays where workers differ. Where all are alike there is nothing to learn about them, and a majority that decides
    equal votes by the more frequent class is better by 0.1 to 3 points (2,000 to 500 items, three votes each).
    The probabilities take workers' mistakes for independent; where an item is hard for everybody they are too sure.
    Takes time and memory in proportion to votes x labels. ValueError where there are no votes, or a label of a vote or
    of `known` is not among `labels`.
    """
    given = list(votes)
    coded = _code(given, labels, known or {})
    posterior, clamped = _shares(coded), _clamp(coded, known or {})
    posterior[:, clamped[0]] = clamped[1]
    pseudo = _pseudo(len(coded.labels), smoothing)
    objective, rounds, converged = -np.inf, 0, False
    while not converged and rounds < limit:
        rates = _maximise(coded, posterior, pseudo, smoothing)
        posterior, likelihood = _expect(coded, rates, clamped)
        before, objective = objective, likelihood + _log_prior(rates, pseudo, smoothing)
        rounds += 1
        converged = objective - before <= tolerance * (1 + abs(objective))
    priors, confusion = rates
    return Estimate(
        items=coded.items,
        workers=coded.workers,
        labels=coded.labels,
        posterior=posterior.T,
        confusion=confusion.transpose(1, 0, 2),
        priors=priors,
        log_likelihood=likelihood,
        iterations=rounds,
        converged=bool(converged),
        votes={item: dict(counted.most_common()) for item, counted in count(given).items()},
    )


@dataclass(frozen=True)
class _Coded:
    """Votes as numbers, each [votes]: the `item`, and the `cell` = worker x labels + said label."""

    items: tuple[str, ...]
    workers: tuple[str, ...]
    labels: tuple[str, ...]
    item: Integers
    cell: Integers


def _code(votes: Sequence[Vote], labels: Sequence[str], known: Mapping[str, str]) -> _Coded:
    if not votes:
        raise ValueError("There are no votes; Dawid and Skene's model needs at least one.")
    said = {vote.label for vote in votes} | set(known.values())
    strange = sorted(said - set(labels)) if labels else []
    if strange:
        raise ValueError(f"The label {strange[0]!r} is not among the labels {', '.join(labels)}; name all that occur.")
    names = tuple(dict.fromkeys(labels)) or tuple(sorted(said))
    items: dict[str, int] = {}
    workers = {worker: number for number, worker in enumerate(sorted({vote.worker for vote in votes}))}
    code = {label: number for number, label in enumerate(names)}
    item = np.array([items.setdefault(vote.item, len(items)) for vote in votes], np.intp)
    cell = np.array([workers[vote.worker] * len(names) + code[vote.label] for vote in votes], np.intp)
    return _Coded(tuple(items), tuple(workers), names, item, cell)


def _shares(coded: _Coded) -> Floats:
    """[labels, items] of the votes (3.1)."""
    classes, items = len(coded.labels), len(coded.items)
    at = coded.cell % classes * items + coded.item
    counted = np.bincount(at, minlength=classes * items).reshape(classes, items)
    shares: Floats = counted / counted.sum(0)
    return shares


def _clamp(coded: _Coded, known: Mapping[str, str]) -> tuple[Integers, Floats]:
    """Which items are known, and their posterior [labels, known]: 1 for the true label."""
    code = {label: number for number, label in enumerate(coded.labels)}
    places = [(number, code[known[item]]) for number, item in enumerate(coded.items) if item in known]
    certain = np.zeros((len(coded.labels), len(places)))
    certain[[true for _, true in places], np.arange(len(places))] = 1.0
    return np.array([number for number, _ in places], np.intp), certain


def _pseudo(classes: int, smoothing: float) -> Floats:
    """[true, said] votes of the Dirichlet prior."""
    if classes == 1:
        return np.full((1, 1), smoothing)
    off = (1 - RIGHT) / (classes - 1)
    return smoothing * (np.full((classes, classes), off) + (RIGHT - off) * np.eye(classes))


def _maximise(coded: _Coded, posterior: Floats, pseudo: Floats, smoothing: float) -> tuple[Floats, Floats]:
    """Priors [labels] (2.4) and confusion [true, workers, said] (2.3). A class that nothing speaks for errs evenly."""
    classes, workers = len(coded.labels), len(coded.workers)
    confusion = np.empty((classes, workers, classes))
    for true in range(classes):
        weights = posterior[true, coded.item]
        counted = np.bincount(coded.cell, weights, workers * classes).reshape(workers, classes) + pseudo[true]
        total = counted.sum(1, keepdims=True)
        confusion[true] = np.divide(counted, total, out=np.full_like(counted, 1 / classes), where=total > 0)
    mass = posterior.sum(1) + smoothing / classes
    return mass / mass.sum(), confusion


def _expect(coded: _Coded, rates: tuple[Floats, Floats], clamped: tuple[Integers, Floats]) -> tuple[Floats, float]:
    """Posterior [labels, items] (2.5) and the votes' log-likelihood (2.7); of known items the likelihood with their label."""
    priors, confusion = rates
    items = len(coded.items)
    with np.errstate(divide="ignore"):  # log 0 is minus infinity: what never happens excludes a class
        logs, log_priors = np.log(confusion).reshape(len(priors), -1), np.log(priors)
    joint = np.empty((len(priors), items))
    for true in range(len(priors)):
        joint[true] = np.bincount(coded.item, logs[true, coded.cell], items) + log_priors[true]
    where, certain = clamped
    joint[:, where] = np.where(certain > 0, joint[:, where], -np.inf)
    most = joint.max(0)
    joint -= most
    posterior = np.exp(joint, out=joint)  # in place: with hundreds of labels this is the largest array there is
    total = posterior.sum(0)
    posterior /= total
    return posterior, float((most + np.log(total)).sum())


def _log_prior(rates: tuple[Floats, Floats], pseudo: Floats, smoothing: float) -> float:
    """Of the rates under the Dirichlet prior, without its constant."""
    if not smoothing:
        return 0.0
    priors, confusion = rates
    return float((pseudo[:, None, :] * np.log(confusion)).sum() + smoothing / len(priors) * np.log(priors).sum())

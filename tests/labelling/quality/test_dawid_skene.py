"""Dawid and Skene's model against their own tables of 1979, and against the majority on simulated workers."""

from itertools import pairwise

import numpy as np
import pytest
from bench.consensus import LABELS, MIXES, accuracy, compare, simulate

from tobo.labelling.quality.dawid_skene import Estimate, dawid_skene
from tobo.labelling.quality.votes import Vote, majority

ANAESTHETISTS = """
111 1 1 1 1, 333 4 3 3 4, 112 2 1 2 2, 222 3 1 2 1, 222 3 2 2 2, 222 3 3 2 2, 122 2 1 1 1, 333 3 4 3 3, 222 2 2 2 3,
232 2 2 2 3, 444 4 4 4 4, 222 3 3 4 3, 111 1 1 1 1, 222 3 2 1 2, 121 1 1 1 1, 111 2 1 1 1, 111 1 1 1 1, 111 1 1 1 1,
222 2 2 2 1, 222 1 3 2 2, 222 2 2 2 2, 222 2 2 2 1, 222 3 2 2 2, 221 2 2 2 2, 111 1 1 1 1, 111 1 1 1 1, 232 2 2 2 2,
111 1 1 1 1, 111 1 1 1 1, 112 1 1 2 1, 111 1 1 1 1, 333 3 2 3 3, 111 1 1 1 1, 222 2 2 2 2, 222 3 2 3 2, 433 4 3 4 3,
221 2 2 3 2, 232 3 2 3 3, 333 3 4 3 2, 111 1 1 1 1, 111 1 1 1 1, 121 2 1 1 1, 232 2 2 2 2, 121 1 1 1 1, 222 2 2 2 2
"""
"""Table 1: fitness for anaesthesia, 1 to 4, of 45 patients, judged by five anaesthetists, by the first one three times."""

MARGINALS = [0.40, 0.42, 0.11, 0.07]
ERROR_RATES = [
    [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]],
    [[0.83, 0.17, 0, 0], [0.05, 0.63, 0.31, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    [[1, 0, 0, 0], [0.11, 0.79, 0.11, 0], [0, 0.40, 0.20, 0.40], [0, 0, 0.67, 0.33]],
    [[0.94, 0.06, 0, 0], [0.05, 0.84, 0.10, 0], [0, 0, 0.80, 0.20], [0, 0, 0.33, 0.67]],
    [[1, 0, 0, 0], [0.16, 0.73, 0.11, 0], [0, 0.21, 0.79, 0], [0, 0, 0.33, 0.67]],
]
"""The paper's estimates: [observer][true][said]."""

UNSURE = {"7": [0.98, 0.02, 0, 0], "35": [0, 0.95, 0.05, 0], "38": [0, 0.02, 0.98, 0]}
"""The paper's patients whose class is not certain."""


def anaesthetists() -> list[Vote]:
    return [
        Vote(str(patient), str(observer), label)
        for patient, row in enumerate(ANAESTHETISTS.replace("\n", " ").split(","), 1)
        for observer, labels in enumerate(row.split(), 1)
        for label in labels
    ]


@pytest.fixture(scope="module")
def published() -> Estimate:
    return dawid_skene(anaesthetists(), smoothing=0, tolerance=1e-12)


def test_published_class_marginals_and_error_rates(published: Estimate) -> None:
    assert published.converged and published.labels == ("1", "2", "3", "4") and len(published.items) == 45
    np.testing.assert_allclose(published.priors, MARGINALS, atol=0.005)
    np.testing.assert_allclose(published.confusion, ERROR_RATES, atol=0.0051)


def test_published_patients(published: Estimate) -> None:
    posterior = dict(zip(published.items, published.posterior, strict=True))
    for patient, expected in UNSURE.items():
        np.testing.assert_allclose(posterior[patient], expected, atol=0.005)
    sure = {patient for patient, row in posterior.items() if row.max() > 0.995}
    assert sure == set(posterior) - set(UNSURE)
    threes = {patient for patient, one in published.consensus().items() if one.label == "3"}
    fours = {patient for patient, one in published.consensus().items() if one.label == "4"}
    assert threes == {"8", "12", "32", "38", "39"} and fours == {"2", "11", "36"}
    assert published.consensus()["38"].confidence == pytest.approx(0.98, abs=0.005)
    assert published.consensus()["38"].votes == {"2": 3, "3": 4}


def test_as_crowd_kit_has_it(published: Estimate) -> None:
    """Numbers of crowd-kit 1.4.2's DawidSkene(n_iter=1000, tol=1e-9), run once on the same table.

    It keeps probabilities above 1e-10, hence the tolerances; what it printed: priors 0.399732, 0.422382, 0.111219,
    0.066667, of the first observer's answers right 0.889372, 0.876733, 0.664502, 0.444444. Of 33,333 items by ten hasty
    workers (`simulate(MIXES["all hasty"], 0, 33333)`) all labels were the same without smoothing, 27 differed with it.
    """
    np.testing.assert_allclose(published.priors, [0.399732, 0.422382, 0.111219, 0.066667], atol=1e-3)
    right = published.confusion[0].diagonal()
    np.testing.assert_allclose(right, [0.889372, 0.876733, 0.664502, 0.444444], atol=5e-3)


@pytest.mark.parametrize("smoothing", [0.0, 0.5, 3.0])
def test_every_round_makes_the_votes_more_likely(smoothing: float) -> None:
    """EM's promise, of the likelihood, or with a prior of the posterior; seen in what each further round changes."""
    votes, _ = simulate(MIXES["careful, lenient, habitual"], seed=3, items=150)
    found = [_objective(dawid_skene(votes, smoothing=smoothing, limit=rounds), smoothing) for rounds in range(1, 15)]
    assert all(after >= before - 1e-9 for before, after in pairwise(found))
    assert found[-1] > found[0]


def _objective(estimate: Estimate, smoothing: float) -> float:
    if not smoothing:
        return estimate.log_likelihood
    classes = len(estimate.labels)
    pseudo = np.full((classes, classes), 0.3 / (classes - 1))
    np.fill_diagonal(pseudo, 0.7)
    prior = (smoothing * pseudo * np.log(estimate.confusion)).sum()
    return float(estimate.log_likelihood + prior + smoothing / classes * np.log(estimate.priors).sum())


@pytest.mark.parametrize("mix", [name for name, skills in MIXES.items() if len(set(skills)) > 1])
@pytest.mark.parametrize("items", [300, 1000])
def test_better_than_the_majority_on_workers_of_mixed_skill(mix: str, items: int) -> None:
    """Although the majority decides equal votes in the best order there is. Five seeds, mean accuracy."""
    pairs = np.array([compare(MIXES[mix], seed, items) for seed in range(5)])
    ours, plain = pairs.mean(0)
    assert ours > plain


def test_workers_who_are_all_alike() -> None:
    """There is nothing to learn about them; better still than equal votes decided by name, which favours no frequent class."""
    for mix in ("all careful", "all hasty"):
        simulated = [simulate(MIXES[mix], seed, 500) for seed in range(5)]
        ours = [accuracy(dawid_skene(votes).consensus(), truth) for votes, truth in simulated]
        plain = [accuracy(majority(votes), truth) for votes, truth in simulated]
        assert np.mean(ours) >= np.mean(plain)


def test_how_workers_err_is_found() -> None:
    mix = MIXES["careful, lenient, habitual"]
    votes, truth = simulate(mix, seed=1, items=3000)
    estimate = dawid_skene(votes, LABELS)
    for worker, confusion in zip(estimate.workers, estimate.confusion, strict=True):
        skill = mix[int(worker.removeprefix("worker-"))]
        np.testing.assert_allclose(confusion[LABELS.index("good")], skill.confusion()[LABELS.index("good")], atol=0.1)
    sure = [one for one in estimate.consensus().items() if one[1].confidence > 0.95]
    assert len(sure) > 1500
    assert accuracy(dict(sure), {item: truth[item] for item, _ in sure}) > 0.97
    best = sorted(estimate.accuracy(), key=lambda worker: -estimate.accuracy()[worker])
    assert set(best[:4]) == {f"worker-{number}" for number in range(4)}


def test_known_items_are_taken_as_given_and_teach_about_workers() -> None:
    """Two who are always wrong outvote one who is right, until some answers are known."""
    said = {"liar": "ba", "other liar": "ba", "honest": "ab"}
    votes = [Vote(f"{item}", worker, labels[item % 2]) for worker, labels in said.items() for item in range(20)]
    truth = {str(item): "ab"[item % 2] for item in range(20)}
    deceived = dawid_skene(votes).consensus()
    assert all(deceived[item].label != label for item, label in truth.items())
    known = {item: truth[item] for item in list(truth)[:8]}
    found = dawid_skene(votes, known=known)
    assert {item: one.label for item, one in found.consensus().items()} == truth
    assert [found.consensus()[item].confidence for item in known] == [1.0] * 8
    assert found.accuracy()["honest"] > 0.8 > 0.2 > found.accuracy()["liar"]


def test_order_of_votes_does_not_matter() -> None:
    votes, _ = simulate(MIXES["careful and hasty"], seed=2, items=200)
    one, two = dawid_skene(votes).consensus(), dawid_skene(votes[::-1]).consensus()
    assert {item: found.label for item, found in one.items()} == {item: found.label for item, found in two.items()}


@pytest.mark.parametrize("smoothing", [0.0, 3.0])
def test_little_to_go_by(smoothing: float) -> None:
    alone = dawid_skene([Vote("x", "w", "a")], smoothing=smoothing)
    assert alone.consensus()["x"].label == "a" and alone.consensus()["x"].confidence == 1.0
    assert alone.confusion.tolist() == [[[1.0]]]
    wide = dawid_skene([Vote("x", "w", "a"), Vote("y", "w", "b")], [f"{c}" for c in "abcdefg"], smoothing=smoothing)
    assert [one.label for one in wide.consensus().values()] == ["a", "b"]
    assert np.isfinite(wide.posterior).all() and np.isfinite(wide.confusion).all()
    np.testing.assert_allclose(wide.confusion.sum(2), 1)
    np.testing.assert_allclose(wide.posterior.sum(1), 1)


def test_three_hundred_classes() -> None:
    chance = np.random.default_rng(0)
    labels = [f"class-{n:03d}" for n in range(300)]
    truth = chance.integers(300, size=600)
    votes = [
        Vote(str(item), f"worker-{worker}", labels[true if chance.random() < 0.8 else chance.integers(300)])
        for item, true in enumerate(truth)
        for worker in range(3)
    ]
    found = dawid_skene(votes, labels).consensus()
    assert np.mean([found[str(item)].label == labels[true] for item, true in enumerate(truth)]) > 0.85


def test_refusals() -> None:
    with pytest.raises(ValueError, match="There are no votes"):
        dawid_skene([])
    with pytest.raises(ValueError, match="'c' is not among the labels a, b"):
        dawid_skene([Vote("x", "w", "c")], ["a", "b"])
    with pytest.raises(ValueError, match="'d' is not among the labels a, b"):
        dawid_skene([Vote("x", "w", "a")], ["a", "b"], known={"x": "d"})

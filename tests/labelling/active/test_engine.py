"""Active learning on Gaussian features: what is asked for, what a machine may label, and that no promise is too large."""

from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from tobo.labelling.active import auto_label, choosing, head, rounds, seeding

Labels = dict[int, int]


def _clusters(
    items: int, classes: int, seed: int, apart: float = 3.0, dimensions: int = 20
) -> tuple[head.Floats, NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    centers = random.normal(0, apart, (classes, dimensions)) / np.sqrt(dimensions / 4)
    truth = random.integers(0, classes, items)
    return (centers[truth] + random.normal(0, 1, (items, dimensions))).astype(np.float32), truth


def _answered(made: rounds.Round, truth: NDArray[np.int64], labels: Labels) -> Labels:
    return {**labels, **{item: int(truth[item]) for item in made.ask}}


@pytest.mark.parametrize(
    ("right", "checked", "risk"), [(59, 59, 0.05), (95, 100, 0.05), (1, 10, 0.01), (430, 450, 0.001)]
)
def test_the_lower_bound_is_where_so_many_right_ones_have_the_risks_probability(
    right: int, checked: int, risk: float
) -> None:
    bound = auto_label.lower_bound(right, checked, risk)
    tail = sum(comb(checked, k) * bound**k * (1 - bound) ** (checked - k) for k in range(right, checked + 1))
    assert tail == pytest.approx(risk, rel=1e-6)
    assert bound < right / checked <= auto_label.upper_bound(right, checked, risk)


def test_a_threshold_seldom_promises_more_than_holds() -> None:
    """Confidences whose true accuracy crosses the wanted one: below it at 60 % of the items, above at the surest 40 %."""
    broken, given = 0, 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        sure, pool = random.random(400).astype(np.float32), random.random(3000).astype(np.float32)
        right = random.random(400) < 0.8 + 0.195 * sure
        found = auto_label.threshold(sure, right, pool, 0.93, 0.05)
        if found is not None:
            given += 1
            broken += 0.8 + 0.195 * (1 + found.confidence) / 2 < 0.93
            assert found.bound <= found.accuracy
    assert given > 40
    assert broken <= 0.05 * 400


def test_too_few_validation_items_justify_nothing() -> None:
    needed, pool = auto_label.needed(0.95, 0.05), np.full(50, 0.9, np.float32)
    for count, there in ((needed - 1, False), (needed, True)):
        found = auto_label.threshold(np.full(count, 0.9, np.float32), np.ones(count, bool), pool, 0.95, 0.05)
        assert (found is not None) == there
    with pytest.raises(ValueError, match="between 0 and 1"):
        auto_label.threshold(pool, np.ones(50, bool), pool, 1.0, 0.05)


def test_a_diverse_sample_covers_what_chance_leaves_out() -> None:
    features, truth = _clusters(2000, 40, 3, apart=6)
    rare = np.concatenate(
        [np.flatnonzero(truth < 20)[:1000], np.flatnonzero(truth >= 20)[:60]]
    )  # 20 classes of 3 items
    features, truth = features[rare], truth[rare]
    points = seeding.directions(features, head.scale(features))
    found = [len(set(truth[seeding.diverse(points, 60, np.random.default_rng(seed))])) for seed in range(5)]
    chance = [len(set(truth[np.random.default_rng(seed).choice(len(truth), 60, False)])) for seed in range(5)]
    assert min(found) > max(chance)


def test_a_diverse_sample_draws_nothing_twice() -> None:
    points = np.ones((6, 3), np.float32)  # all alike
    found = seeding.diverse(points, 10, np.random.default_rng(0), np.array([2]))
    assert sorted(found.tolist()) == [0, 1, 3, 4, 5]


def test_projected_directions_keep_distances() -> None:
    features = np.random.default_rng(0).normal(0, 1, (60, 1500)).astype(np.float32)
    points = seeding.directions(features, head.scale(features), 1)
    assert points.shape == (60, seeding.DIRECTIONS)
    between = np.linalg.norm(points[:30] - points[30:], axis=1)
    assert between.mean() == pytest.approx(np.sqrt(2), rel=0.1)  # of random directions


def test_the_head_is_calibrated_and_right() -> None:
    features, truth = _clusters(3000, 5, 1, apart=1.2)
    made = head.train(features[:600], truth[:600], head.scale(features))
    said = made.probabilities(features[600:])
    right = made.classes[said.argmax(1)] == truth[600:]
    assert right.mean() > 0.7
    assert said.max(1).mean() == pytest.approx(right.mean(), abs=0.055)  # three standard errors of 600 items' accuracy
    assert made.held_out is not None and made.held_out.shape == (600, 5)
    assert np.allclose(said.sum(1), 1, atol=1e-4)


def test_a_fit_ends_where_the_gradient_does() -> None:
    features, truth = _clusters(200, 3, 5, apart=1.0)
    weight, bias = head.fit(features, truth, 3, 0.3)
    errors = head.softmax((features @ weight + bias).astype(np.float32)) - np.eye(3)[truth]
    gradient = features.T @ errors / 200 + weight / (0.3 * 200)
    assert np.abs(gradient).max() < 2e-3
    assert np.abs(features.T @ (1 / 3 - np.eye(3)[truth]) / 200).max() > 0.1  # where it began


def test_one_class_alone_and_few_items() -> None:
    features, _ = _clusters(30, 2, 0)
    one = head.train(features, np.full(30, 7), head.scale(features))
    assert one.classes.tolist() == [7] and np.allclose(one.probabilities(features), 1)
    few = head.train(features[:2], np.array([4, 9]), head.scale(features))
    assert few.held_out is None
    assert few.classes[few.probabilities(features[:2]).argmax(1)].tolist() == [4, 9]
    with pytest.raises(ValueError, match="at least one"):
        head.train(features[:0], np.empty(0, np.int64), head.scale(features))


def test_picks_lower_the_trace_as_computed_anew() -> None:
    random = np.random.default_rng(0)
    points, aim = random.normal(0, 1, (40, 6)).astype(np.float32), np.diag(np.arange(1.0, 7.0))
    information, expected = np.eye(6), list[int]()
    for _ in range(8):
        traces = [
            np.inf if row in expected else np.trace(np.linalg.inv(information + np.outer(x, x)) @ aim)
            for row, x in enumerate(points.astype(np.float64))
        ]
        expected.append(int(np.argmin(traces)))
        information = information + np.outer(points[expected[-1]], points[expected[-1]]).astype(np.float64)
    assert choosing.informative(points, np.eye(6), aim, 8).tolist() == expected


def test_rounds_are_the_same_again_and_end() -> None:
    features, truth = _clusters(600, 4, 2, apart=4)
    settings = rounds.Settings(accuracy=0.9, first=60, batch=60, checked=0.5, seed=5, rounds=6)
    state, labels, seen = rounds.State(settings), Labels(), set[int]()
    while (made := rounds.plan(state, features, labels)).ask:
        again = rounds.plan(state, features.copy(), dict(reversed(labels.items())))
        assert (again.ask, again.machine, again.report, again.state) == (
            made.ask,
            made.machine,
            made.report,
            made.state,
        )
        assert not seen & set(made.ask) and not set(made.machine) & set(made.ask)
        seen |= set(made.ask)
        labels, state = _answered(made, truth, labels), made.state
    assert made.machine and not set(made.machine) & set(labels)
    right = [truth[item] == said.label for item, said in made.machine.items()]
    assert np.mean(right) >= 0.9
    assert made.report.saved == len(made.machine) / (len(made.machine) + len(labels))
    assert made.report.threshold is not None and made.report.threshold.bound >= 0.9


def test_jobs_seldom_promise_more_than_holds() -> None:
    """Whole jobs, stopped at the first round that labels by machine, where hard classes keep the head below the wanted accuracy."""
    broken, given = 0, 0
    for seed in range(20):
        features, truth = _clusters(500, 4, 100 + seed, apart=1.6)
        state, labels = (
            rounds.State(rounds.Settings(accuracy=0.85, first=50, batch=50, checked=0.5, seed=seed)),
            Labels(),
        )
        while (made := rounds.plan(state, features, labels)).ask and not made.machine:
            labels, state = _answered(made, truth, labels), made.state
        if len(made.machine) > 20:
            given += 1
            broken += np.mean([truth[item] == said.label for item, said in made.machine.items()]) < 0.85 - 0.02
    assert given >= 5 and broken <= 1


def test_what_people_skip_is_neither_asked_again_nor_labelled() -> None:
    features, truth = _clusters(200, 3, 0, apart=5)
    settings = rounds.Settings(accuracy=0.8, first=80, batch=40, checked=0.6)
    first = rounds.plan(rounds.State(settings), features, {})
    skipped = set(first.ask[:7])
    state, labels = first.state, {item: int(truth[item]) for item in first.ask[7:]}
    for _ in range(3):
        made = rounds.plan(state, features, labels)
        assert not skipped & ({*made.ask} | {*made.machine})
        state, labels = made.state, _answered(made, truth, labels)


def test_a_budget_is_kept_and_few_items_are_all_asked_for() -> None:
    features, truth = _clusters(100, 2, 0)
    state, labels = rounds.State(rounds.Settings(budget=33, first=20, batch=10)), Labels()
    while (made := rounds.plan(state, features, labels)).ask:
        state, labels = made.state, _answered(made, truth, labels)
    assert len(labels) == 33 and not made.machine and "more" in made.report.why
    few = rounds.plan(rounds.State(), features[:3], {})
    assert sorted(few.ask) == [0, 1, 2]
    done = rounds.plan(few.state, features[:3], {0: 1, 1: 1, 2: 1})
    assert done.ask == () and done.machine == {} and done.report.human == 3


def test_300_classes() -> None:
    features, truth = _clusters(1500, 300, 0, apart=8)
    state, labels = rounds.State(rounds.Settings(first=600, batch=100)), Labels()
    for _ in range(2):
        made = rounds.plan(state, features, labels)
        state, labels = made.state, _answered(made, truth, labels)
    assert made.head is not None and len(made.head.classes) > 200 and len(made.ask) == 100


@pytest.mark.parametrize(
    ("features", "labels", "sentence"),
    [(np.zeros((0, 4), np.float32), {}, "at least one"), (np.zeros((3, 4), np.float32), {3: 0}, "Item 3")],
)
def test_what_cannot_be_is_named(features: head.Floats, labels: Labels, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        rounds.plan(rounds.State(), features, labels)

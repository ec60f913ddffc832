"""How many instances there shall be, by tables of (situation) -> capacity."""

from dataclasses import replace
from typing import Any

import pytest

from tobo.resources.autoscaling.decisions import Change, Situation, Stepped, Tracked, decide
from tobo.resources.autoscaling.steps import CHANGE, EXACT, Adjustment

NOW = 1000.0


def tracked(late: float | None, long: float | None = None, target: float = 10.0, **changed: Any) -> Tracked:
    return replace(Tracked("p", "Load", target, late, long), **changed)


def step(change: int, kind: str = CHANGE, cooldown: float = 300.0) -> Stepped:
    return Stepped("s", "busy", "ALARM", Adjustment(kind, change), cooldown)


def situation(current: int, *policies: Tracked | Stepped, least: int = 1, most: int = 8, **changed: Any) -> Situation:
    tracking = [policy for policy in policies if isinstance(policy, Tracked)]
    stepped = [policy for policy in policies if isinstance(policy, Stepped)]
    return replace(Situation(NOW, current, least, most, tracking, stepped), **changed)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # bounds, whatever the policies say and whatever is suspended
        (situation(1, least=3), 3),
        (situation(1, least=3, no_out=True), 3),
        (situation(9, most=8, no_in=True), 8),
        (situation(0, least=1), 1),
        (situation(3), None),
        # out: as many as bring the metric to its target
        (situation(2, tracked(10.0)), None),
        (situation(2, tracked(10.1)), 3),
        (situation(2, tracked(30.0)), 6),
        (situation(2, tracked(500.0)), 8),
        (situation(8, tracked(500.0)), None),
        (situation(2, tracked(30.0), no_out=True), None),
        (situation(2, tracked(None)), None),
        # in: only when the long while says so, never below the bound
        (situation(4, tracked(1.0, 8.9)), None),
        (situation(4, tracked(1.0, 7.0)), 3),
        (situation(4, tracked(1.0, 5.0)), 2),
        (situation(4, tracked(1.0, 9.1)), None),
        (situation(4, tracked(1.0, 0.0)), 1),
        (situation(4, tracked(1.0, 0.0), least=0), 0),
        (situation(4, tracked(1.0, None)), None),
        (situation(4, tracked(1.0, 5.0), no_in=True), None),
        (situation(4, tracked(1.0, 5.0, scales_in=False)), None),
        (situation(1, tracked(0.1, 0.1), least=0), None),
        # several policies: one is enough to have more, all are needed to have fewer
        (situation(2, tracked(20.0), tracked(30.0), tracked(1.0, 1.0)), 6),
        (situation(4, tracked(1.0, 2.0), tracked(1.0, 6.0)), 3),
        (situation(4, tracked(1.0, 2.0), tracked(None, None)), None),
        (situation(4, tracked(1.0, 2.0), tracked(1.0, 9.0)), None),
        (situation(4, tracked(1.0, 2.0), tracked(1.0, 9.0, scales_in=False)), 1),
        # cooldown of more: only a larger step goes through
        (situation(4, tracked(15.0), last_out=Change(NOW - 299, 2, 4)), None),
        (situation(4, tracked(15.0), last_out=Change(NOW - 300, 2, 4)), 6),
        (situation(4, tracked(20.0), last_out=Change(NOW - 299, 2, 4)), 8),
        (situation(4, tracked(15.0, cooldown_out=0.0), last_out=Change(NOW - 1, 2, 4)), 6),
        # cooldown of fewer: holds fewer, not more
        (situation(4, tracked(1.0, 1.0), last_in=Change(NOW - 299, 6, 4)), None),
        (situation(4, tracked(1.0, 1.0), last_in=Change(NOW - 300, 6, 4)), 1),
        (situation(4, tracked(20.0), last_in=Change(NOW - 1, 6, 4)), 8),
        # zero: only waiting work wakes, and wakes one
        (situation(0, least=0), None),
        (situation(0, least=0, waiting=True), 1),
        (situation(0, least=0, waiting=True, no_out=True), None),
        (situation(0, least=0, waiting=True, most=0), None),
        (situation(0, tracked(50.0), least=0), None),
        # an alarm calls a step scaling policy
        (situation(2, step(3)), 5),
        (situation(2, step(30)), 8),
        (situation(8, step(1)), None),
        (situation(2, step(3), no_out=True), None),
        (situation(4, step(-1)), 3),
        (situation(4, step(-9)), 1),
        (situation(4, step(-9), least=0), 0),
        (situation(4, step(-1), no_in=True), None),
        (situation(4, step(0)), None),
        (situation(4, step(6, EXACT)), 6),
        (situation(4, step(2, EXACT)), 2),
        (situation(0, step(1), least=0), 1),
        (situation(0, step(2), least=0, waiting=True), 2),
        (situation(0, step(-1), least=0), None),
        (situation(1, step(3), least=2), 2),
        # in its cooldown what was added counts as a part of a step
        (situation(4, step(2), last_out=Change(NOW - 299, 2, 4)), None),
        (situation(4, step(3), last_out=Change(NOW - 299, 2, 4)), 5),
        (situation(4, step(2), last_out=Change(NOW - 300, 2, 4)), 6),
        (situation(4, step(2, cooldown=0.0), last_out=Change(NOW - 1, 2, 4)), 6),
        (situation(4, step(-1), last_out=Change(NOW - 1, 2, 4)), 3),
        # the one of fewer holds fewer, not more
        (situation(4, step(-1), last_in=Change(NOW - 299, 6, 4)), None),
        (situation(4, step(-1), last_in=Change(NOW - 300, 6, 4)), 3),
        (situation(4, step(1), last_in=Change(NOW - 1, 6, 4)), 5),
        # several: the one that wants most, and more before fewer
        (situation(4, step(1), step(3)), 7),
        (situation(4, step(-1), step(-3)), 3),
        (situation(4, step(-1), step(1)), 5),
        (situation(4, step(-1), tracked(20.0)), 8),
        (situation(4, step(1), tracked(15.0)), 6),
        (situation(4, step(-3), tracked(1.0, 6.0)), 3),
        (situation(4, step(-1), tracked(9.5, 9.5)), 3),
    ],
)
def test_capacity(now: Situation, expected: int | None) -> None:
    decision = decide(now)
    assert (None if decision is None else decision.capacity) == expected


def test_the_cause_names_what_wanted_it() -> None:
    out, fewer = decide(situation(2, tracked(30.0))), decide(situation(4, tracked(1.0, 2.0)))
    assert out is not None and out.cause == "policy p: Load was 30, above 10" and out.by_policy
    assert fewer is not None and fewer.cause == "policy p: Load was 2, below 9" and fewer.by_policy
    called = decide(situation(2, step(1)))
    assert called is not None and called.cause == "monitor alarm busy in state ALARM triggered policy s"
    bound = decide(situation(1, least=3))
    assert bound is not None and bound.cause == "minimum capacity was set to 3" and not bound.by_policy

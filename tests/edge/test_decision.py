"""The decision rule: scores, thresholds and circumstances against the verdict, the reason and the doubt."""

import pytest

from tobo.edge.decision import Decision, Rule, decide

PLAIN = Rule()
LABELS = ("ko", "ok")


@pytest.mark.parametrize(
    ("rule", "labels", "scores", "elapsed", "expected"),
    [
        # without thresholds the highest score decides
        (PLAIN, LABELS, (0.2, 0.8), 0.0, ("ok", "class", "ok", 0.6)),
        (PLAIN, LABELS, (0.8, 0.2), 0.0, ("ko", "class", "ko", 0.6)),
        (PLAIN, LABELS, (0.5, 0.5), 0.0, ("ko", "class", "ko", 0.0)),
        (PLAIN, ("ok", "ko"), (0.5, 0.5), 0.0, ("ok", "class", "ok", 0.0)),
        # an accepted label below its threshold counts for nothing
        (Rule({"ok": 0.9}), LABELS, (0.2, 0.8), 0.0, ("ko", "unknown", None, 0.1)),
        (Rule({"ok": 0.9}), LABELS, (0.05, 0.95), 0.0, ("ok", "class", "ok", 0.05)),
        (Rule({"ok": 0.9}), LABELS, (0.1, 0.9), 0.0, ("ok", "class", "ok", 0.0)),
        # a rejected label that counts outweighs an accepted one
        (Rule({"ko": 0.1}), LABELS, (0.2, 0.8), 0.0, ("ko", "class", "ko", 0.1)),
        (Rule({"ko": 0.3}), LABELS, (0.2, 0.8), 0.0, ("ok", "class", "ok", 0.1)),
        # several classes, several of them accepted
        (Rule(accept=("a", "b")), ("a", "b", "c"), (0.3, 0.5, 0.2), 0.0, ("ok", "class", "b", 0.2)),
        (Rule(accept=("a", "b")), ("a", "b", "c"), (0.2, 0.3, 0.5), 0.0, ("ko", "class", "c", 0.2)),
        (Rule({"a": 0.6}, accept=("a",)), ("a", "b", "c"), (0.5, 0.3, 0.2), 0.0, ("ko", "unknown", None, 0.1)),
        (Rule(accept=("none",)), LABELS, (0.2, 0.8), 0.0, ("ko", "class", "ok", 1.0)),
        # late and failed
        (Rule(budget=0.1), LABELS, (0.2, 0.8), 0.11, ("ko", "late", "ok", 0.6)),
        (Rule(budget=0.1), LABELS, (0.2, 0.8), 0.1, ("ok", "class", "ok", 0.6)),
        (PLAIN, LABELS, None, 0.0, ("ko", "failed", None, 0.0)),
        (PLAIN, (), None, 9.0, ("ko", "failed", None, 0.0)),
        # somebody has taken over
        (Rule(override="ok"), LABELS, (0.8, 0.2), 9.0, ("ok", "override", "ko", 0.6)),
        (Rule(override="ko"), LABELS, (0.2, 0.8), 0.0, ("ko", "override", "ok", 0.6)),
        (Rule(override="ok"), LABELS, None, 0.0, ("ok", "override", None, 0.0)),
    ],
)
def test_verdict(rule, labels, scores, elapsed, expected) -> None:  # type: ignore[no-untyped-def]
    decision = decide(rule, labels, scores, elapsed)
    verdict, reason, label, margin = expected
    assert (decision.verdict, decision.reason, decision.label) == (verdict, reason, label)
    assert decision.margin == pytest.approx(margin, abs=1e-6)
    assert decision.score == (None if label is None else scores[labels.index(label)])


def test_a_decision_of_nothing_is_ko() -> None:
    assert decide(PLAIN, (), (), 0.0) == Decision("ko", "unknown", margin=1.0)


@pytest.mark.parametrize(
    ("rule", "gap", "verdict", "reason", "hold"),
    [
        (Rule(separation=0.4), 0.4, "ok", "class", 0.0),
        (Rule(separation=0.4), 0.5, "ok", "class", 0.0),
        (Rule(separation=0.4), 0.39, "ok", "class", 0.01),
        (Rule(separation=0.4, budget=0.25), 0.15, "ok", "class", 0.25),
        # there is no time to wait for the one before
        (Rule(separation=0.4, budget=0.25), 0.14, "ko", "close", 0.0),
        (Rule(separation=0.4), 0.0, "ko", "close", 0.0),
        (Rule(), 0.0, "ok", "class", 0.0),
        (Rule(separation=0.4, override="ok"), 0.0, "ok", "override", 0.0),
    ],
)
def test_a_part_that_comes_close_waits_for_the_one_before_or_is_ko(
    rule: Rule, gap: float, verdict: str, reason: str, hold: float
) -> None:
    decision = decide(rule, LABELS, (0.2, 0.8), 0.0, gap)
    assert (decision.verdict, decision.reason) == (verdict, reason)
    assert decision.hold == pytest.approx(hold, abs=1e-9)

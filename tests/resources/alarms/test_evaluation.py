"""How alarms are judged, by tables of (datapoints, rule) -> state; the first ones are those of CloudWatch's User Guide."""

from dataclasses import replace

import pytest

from tobo.resources.alarms.evaluation import Datapoint, Judgement, Rule, judge

RETAINED = "as it was"


def judged(range_: str, rule: Rule, state: str = RETAINED) -> Judgement:
    """`- 0 X`: missing, 1 (not breaching) and 9 (breaching `> 5`), the oldest first, one a minute."""
    values = {"0": 1.0, "X": 9.0}
    seen = [
        Datapoint(60.0 * index, values[mark]) if mark in values else None for index, mark in enumerate(range_.split())
    ]
    return judge(rule, seen, state)


@pytest.mark.parametrize(
    ("range_", "needed", "missing", "ignore", "breaching", "not_breaching"),
    [
        # three out of three
        ("0 - X - X", 3, "OK", "OK", "OK", "OK"),
        ("- - - - 0", 3, "OK", "OK", "OK", "OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA", RETAINED, "ALARM", "OK"),
        ("0 X X - X", 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", 3, "ALARM", RETAINED, "ALARM", "OK"),
        # two out of three
        ("0 - X - X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 0 X 0 X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 - X - -", 2, "OK", "OK", "ALARM", "OK"),
        ("- - - - 0", 2, "OK", "OK", "ALARM", "OK"),
        ("- - - X -", 2, "ALARM", RETAINED, "ALARM", "OK"),
        # no alarm before its time: the next datapoint may be good
        ("- - - - X", 3, "OK", "OK", "ALARM", "OK"),
        ("- - - X -", 3, "OK", "OK", "ALARM", "OK"),
        # what is older than the evaluation periods does not count where nothing is missing
        ("X X 0 0 0", 1, "OK", "OK", "OK", "OK"),
        ("0 0 X X X", 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        # but it does where something is
        ("X 0 - - 0", 1, "ALARM", "ALARM", "ALARM", "ALARM"),
    ],
)
def test_missing_data(range_: str, needed: int, missing: str, ignore: str, breaching: str, not_breaching: str) -> None:
    rule = Rule("GreaterThanThreshold", 5.0, 3, needed)
    found = [
        judged(range_, replace(rule, missing=treatment)).state
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert found == [missing, ignore, breaching, not_breaching]


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", "OK", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"),
        ("LessThanThreshold", "ALARM", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
    ],
)
def test_comparisons(comparison: str, below: str, equal: str, above: str) -> None:
    rule = Rule(comparison, 5.0, 1, 1)
    assert [judge(rule, [Datapoint(0.0, value)], "OK").state for value in (4.9, 5.0, 5.1)] == [below, equal, above]


@pytest.mark.parametrize(
    ("range_", "rule", "reason"),
    [
        (
            "- - X",
            Rule("GreaterThanThreshold", 5.0, 1, 1),
            "Threshold Crossed: 1 out of the last 1 datapoint [9 (01/01/70 00:02:00)] was greater than the threshold (5) "
            "(minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            "X 0 0 X",
            Rule("GreaterThanOrEqualToThreshold", 5.5, 3, 2),
            "Threshold Crossed: 2 out of the last 3 datapoints [1 (01/01/70 00:02:00), 1 (01/01/70 00:01:00)] were not "
            "greater than or equal to the threshold (5.5) (minimum 2 datapoints for ALARM -> OK transition).",
        ),
        ("- -", Rule("LessThanThreshold", 1.0, 2, 2), "Insufficient Data: 2 datapoints were unknown."),
        ("- -", Rule("LessThanThreshold", 1.0, 1, 1), "Insufficient Data: 1 datapoint was unknown."),
        (
            "- -",
            Rule("LessThanThreshold", 1.0, 2, 2, "breaching"),
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as "
            "[Breaching].",
        ),
        (
            "- 0",
            Rule("GreaterThanThreshold", 5.0, 2, 1, "breaching"),
            "Threshold Crossed: 1 out of the last 2 datapoints [1 (01/01/70 00:01:00)] was not greater than the threshold "
            "(5) (minimum 1 datapoint for OK -> ALARM transition), and 1 missing datapoint was treated as [Breaching].",
        ),
    ],
)
def test_the_reason_says_which_datapoints_it_was(range_: str, rule: Rule, reason: str) -> None:
    assert judged(range_, rule).reason == reason


def test_a_reason_is_short_enough_for_a_day_of_datapoints() -> None:
    found = judged(" ".join("X" * 1440), Rule("GreaterThanThreshold", 5.0, 1440, 1440))
    assert len(found.reason) < 1023 and ", ...]" in found.reason and len(found.judged) == 1440

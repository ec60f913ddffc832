"""Metric math by tables: what CloudWatch documents of the subset, and the sentences for what is beyond it."""

from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.operations.metric_math import World, evaluated, read_expression

M1 = {0.0: 1.0, 60.0: 2.0, 120.0: 3.0, 240.0: 5.0}
M2 = {0.0: 2.0, 60.0: 0.0, 180.0: 4.0, 240.0: 10.0}
WORLD = World({"m1": M1, "m2": M2, "errors_a": {0.0: -1.5}}, 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1", M1),
        ("m1 * 2", {0: 2, 60: 4, 120: 6, 240: 10}),
        ("10 - m1", {0: 9, 60: 8, 120: 7, 240: 5}),
        ("m1 + m2", {0: 3, 60: 2, 240: 15}),
        ("m1 / m2", {0: 0.5, 240: 0.5}),
        ("100 * m2 / m1", {0: 200, 60: 0, 240: 200}),
        ("2 + 3 * m1 ^ 2", {0: 5, 60: 14, 120: 29, 240: 77}),
        ("-m1 ^ 2", {0: -1, 60: -4, 120: -9, 240: -25}),
        ("(2 + 3) * m1", {0: 5, 60: 10, 120: 15, 240: 25}),
        ("1.5e1 + .5 * m1", {0: 15.5, 60: 16, 120: 16.5, 240: 17.5}),
        ("m1 > 2", {0: 0, 60: 0, 120: 1, 240: 1}),
        ("m1 >= 2 AND m1 != 3", {0: 0, 60: 1, 120: 0, 240: 1}),
        ("m1 == 1 || m1 == 5", {0: 1, 60: 0, 120: 0, 240: 1}),
        ('SUM(METRICS("m"))', {0: 3, 60: 2, 120: 3, 180: 4, 240: 15}),
        ("AVG([m1, m2])", {0: 1.5, 60: 1, 120: 3, 180: 4, 240: 7.5}),
        ("MAX([m1, m2]) - MIN([m1, m2])", {0: 1, 60: 2, 120: 0, 180: 0, 240: 5}),
        ("m1 / SUM(m1)", {0: 1 / 11, 60: 2 / 11, 120: 3 / 11, 240: 5 / 11}),
        ("STDDEV([m1, m2])", {0: 0.5, 60: 1, 120: 0, 180: 0, 240: 2.5}),
        ("ABS(errors_a)", {0: 1.5}),
        ("CEIL(errors_a) + FLOOR(errors_a)", {0: -3}),
        ("LOG10(m2)", {0: 0.30102999566, 180: 0.60205999132, 240: 1}),
        ("DIFF(m1)", {60: 1, 120: 1, 240: 2}),
        ("RATE(m1)", {60: 1 / 60, 120: 1 / 60, 240: 2 / 120}),
        ("RUNNING_SUM(m1)", {0: 1, 60: 3, 120: 6, 240: 11}),
        ("FILL(m1, 0)", {0: 1, 60: 2, 120: 3, 180: 0, 240: 5}),
        ("FILL(m1, REPEAT)", {0: 1, 60: 2, 120: 3, 180: 3, 240: 5}),
        ("FILL(m1, m2)", {0: 1, 60: 2, 120: 3, 180: 4, 240: 5}),
        ("IF(m1 > 2, m1, 0)", {0: 0, 60: 0, 120: 3, 240: 5}),
        ("IF(m1 > 2, m2)", {240: 10}),
        ("IF(1, m1, m2)", M1),
        ("m1 * PERIOD(m1)", {0: 60, 60: 120, 120: 180, 240: 300}),
        ("m1 + METRIC_COUNT(METRICS())", {0: 4, 60: 5, 120: 6, 240: 8}),
        ("5", {0: 5, 60: 5, 120: 5, 180: 5, 240: 5}),
    ],
)
def test_expressions(text: str, expected: dict[float, float]) -> None:
    assert read_expression(text).evaluate(WORLD) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "ends where"),
        ("m1 +", "ends where"),
        ("m1 m2", "'m2' is behind its end"),
        ("(m1", "'its end' is where ')' belongs"),
        ("m1 % 2", "'% 2' cannot be read"),
        ("ANOMALY_DETECTION_BAND(m1)", "no function of the subset"),
        ("SEARCH('{A}', 'Sum', 300)", "where a metric"),
        ("SUM(m1, m2)", "has 2 arguments"),
        ("__import__(m1)", "no function of the subset"),
        ("m1.real", "cannot be read"),
        ("(" * 60 + "1" + ")" * 60, "nested deeper"),
        ("2" + "^2" * 60, "nested deeper"),
        ("1 + " * 600 + "1", "characters"),
    ],
)
def test_what_is_no_expression_is_named(text: str, named: str) -> None:
    with pytest.raises(Fault) as refused:
        read_expression(text)
    assert refused.value.code == "ValidationError" and named in refused.value.message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nobody", "'nobody' is the Id"),
        ("METRICS()", "list of metrics"),
        ("1 / 0", "cannot be computed"),
        ("[m1] + [m2]", "two lists"),
        ("DIFF(1)", "wants a metric"),
    ],
)
def test_what_cannot_be_evaluated_is_named(text: str, named: str) -> None:
    with pytest.raises(Fault) as refused:
        read_expression(text).evaluate(WORLD)
    assert named in refused.value.message


def test_expressions_name_each_other() -> None:
    said = {"rate": "errors / all", "percent": "rate * 100", "all": "SUM(METRICS())"}
    stats = {"errors": {0.0: 1.0}, "fine": {0.0: 3.0}}
    found = evaluated(stats, {name: read_expression(text) for name, text in said.items()}, 60)
    assert (found["all"], found["percent"]) == ({0.0: 4.0}, {0.0: 25.0})
    for circle in ({"a": "b", "b": "a"}, {"a": "a"}):
        with pytest.raises(Fault, match="depends on itself"):
            evaluated({}, {name: read_expression(text) for name, text in circle.items()}, 60)


def test_long_ones_are_no_deep_ones() -> None:
    assert read_expression("0" + "+1" * 1000).evaluate(WORLD)[0.0] == 1000
    assert read_expression("-" * 2000 + "m1").evaluate(WORLD) == M1


def test_names_are_known_before_anything_is_asked_for() -> None:
    found: Any = read_expression("m1 / (m2 + m1)")
    assert (found.ids, found.all_metrics) == ({"m1", "m2"}, False)
    assert read_expression("SUM(METRICS())").all_metrics

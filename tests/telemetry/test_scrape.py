"""Metric definitions searched in log lines."""

import pytest

from tobo.kit.fault import Fault
from tobo.telemetry.base import LogEvent
from tobo.telemetry.scrape import LONGEST_LINE, check_definitions, scrape


def line(text: str, at: int = 1500) -> LogEvent:
    return LogEvent(at, text, 0, 0)


@pytest.mark.parametrize(
    ("text", "expression", "found"),
    [
        ("Epoch[2] Train-accuracy=0.581019", r"Train-accuracy=(\S+)", [0.581019]),
        ("loss: 1e-3; next", r"loss: ([^;]+);", [0.001]),
        ("loss: -3 ", r"loss: (-?\d+)", [-3.0]),
        ("loss=nan", r"loss=(\S+)", []),
        ("loss=inf", r"loss=(\S+)", []),
        ("loss=abc", r"loss=(\S+)", []),
        ("nothing here", r"loss=(\S+)", []),
        ("loss= ", r"loss=(\d+)?", []),
        ("loss=5", r"(?<name>loss)", []),
        (" " * LONGEST_LINE + "loss=5", r"loss=(\S+)", []),
        ("loss=5" + "x" * 1_000_000, r"loss=(\d)", [5.0]),
    ],
)
def test_a_line_gives_the_value_of_the_first_group(text: str, expression: str, found: list[float]) -> None:
    assert [(s.at, s.name, s.value) for s in scrape([line(text)], [("m", expression)])] == [
        (1.5, "m", v) for v in found
    ]


def test_lines_and_definitions_keep_their_order() -> None:
    found = scrape([line("a=1 b=2", 1000), line("a=3", 2000)], [("b", r"b=(\d)"), ("a", r"a=(\d)")])
    assert found == [(1.0, "b", 2.0), (1.0, "a", 1.0), (2.0, "a", 3.0)]


def test_a_runaway_expression_is_given_up_and_the_others_go_on() -> None:
    lines = [line("a" * 60 + "! b=1"), line("b=2")]
    assert scrape(lines, [("bad", r"(a|aa)+$"), ("b", r"b=(\d)")]) == [(1.5, "b", 1.0), (1.5, "b", 2.0)]


@pytest.mark.parametrize(("expression", "reason"), [("acc=(", "cannot be read"), ("acc=.*", "no group")])
def test_an_expression_that_cannot_work_is_refused_by_name(expression: str, reason: str) -> None:
    with pytest.raises(Fault, match=reason) as refused:
        check_definitions([("good", "(.)"), ("mine", expression)])
    assert refused.value.code == "ValidationException"
    assert "'mine'" in refused.value.message
    assert expression in refused.value.message

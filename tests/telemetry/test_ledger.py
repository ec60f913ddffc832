"""The ledger on a real file: spans that run, change, end, and never go backwards."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tobo.kit.arn import Namespace
from tobo.telemetry.ledger import Ledger, Owner, Use

SPACE = Namespace("111122223333", "us-east-1")
JOB = Owner(SPACE, "training-job", "arn:job", "job", "arn:anna", {"project": "marbles"})
ENDPOINT = Owner(SPACE, "endpoint", "arn:endpoint", "endpoint")
LARGE = Use("a", "ml.m5.large", 1, 0.1, 0.01)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def told(ledger: Ledger, now: float = 0.0) -> list[tuple[str, int, float, float, bool]]:
    return [
        (span.use.part, span.use.count, span.begun, span.until, span.running)
        for span in ledger.spans(SPACE.account, 0, 1e12, now)
    ]


def test_a_job_has_one_span_from_its_beginning_to_its_end(ledger: Ledger) -> None:
    use = replace(LARGE, part="", begun=100.0)
    ledger.keep([(JOB, [use])], 130.0)
    assert told(ledger) == [("", 1, 100.0, 130.0, True)]
    assert told(ledger, now=150.0) == [("", 1, 100.0, 150.0, True)]
    for now in (190.0, 250.0):
        ledger.keep([(JOB, [replace(use, ended=180.0)])], now)
        assert told(ledger, now=1000.0) == [("", 1, 100.0, 180.0, False)]
    (span,) = ledger.spans(SPACE.account, 0, 1e12, 0)
    assert (span.owner, span.use) == (JOB, replace(use, ended=180.0))


def test_what_is_used_now_begins_a_new_span_when_it_changes(ledger: Ledger) -> None:
    ledger.keep([(ENDPOINT, [LARGE])], 100.0)
    ledger.keep([(ENDPOINT, [LARGE])], 160.0)
    ledger.keep([(ENDPOINT, [replace(LARGE, count=3)])], 200.0)
    ledger.keep([(ENDPOINT, [replace(LARGE, count=3), replace(LARGE, part="b")])], 220.0)
    ledger.keep([(ENDPOINT, [])], 300.0)
    assert told(ledger, now=900.0) == [
        ("a", 1, 100.0, 200.0, False),
        ("a", 3, 200.0, 300.0, False),
        ("b", 1, 220.0, 300.0, False),
    ]


def test_work_that_is_paid_by_its_time_makes_one_span_a_day(ledger: Ledger) -> None:
    use, day = replace(LARGE, instance_type="serverless.2048"), 86_400.0 * 20_000
    for now, seconds in ((day + 100, 2.0), (day + 110, 3.0), (day + 50_000, 0.5), (day + 86_401, 4.0)):
        ledger.add(ENDPOINT, use, seconds, now)
    assert told(ledger, day * 2) == [
        ("a", 1, day + 98, day + 103.5, False),
        ("a", 1, day + 86_400, day + 86_404, False),
    ]
    # what is used by the hour beside it is not touched, and does not touch it
    ledger.keep([(ENDPOINT, [LARGE])], day + 90_000)
    ledger.add(ENDPOINT, use, 1.0, day + 90_001)
    assert sum(span.hours(0, 1e12) for span in ledger.spans(SPACE.account, 0, 1e12, day + 90_000)) * 3600 == 10.5


def test_another_package_begins_a_new_span(ledger: Ledger) -> None:
    bought = replace(LARGE, package="arn:package")
    for now, use in ((100.0, bought), (160.0, bought), (200.0, LARGE), (260.0, bought)):
        ledger.keep([(ENDPOINT, [use])], now)
    spans = ledger.spans(SPACE.account, 0, 1e12, 300.0, "arn:package")
    assert [(span.begun, span.until, span.running) for span in spans] == [(100.0, 200.0, False), (260.0, 300.0, True)]
    assert told(ledger, 300.0) == [
        ("a", 1, 100.0, 200.0, False),
        ("a", 1, 200.0, 260.0, False),
        ("a", 1, 260.0, 300.0, True),
    ]


def test_a_ledger_of_before_packages_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(Ledger(path)) as ledger:
        ledger.keep([(ENDPOINT, [LARGE])], 100.0)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX spans_package")
        connection.execute("ALTER TABLE spans DROP COLUMN package")
    with closing(Ledger(path)) as ledger:
        ledger.keep([(ENDPOINT, [LARGE])], 200.0)
        assert told(ledger) == [("a", 1, 100.0, 200.0, True)]


def test_a_span_costs_what_it_began_with_and_bears_the_newest_tags(ledger: Ledger) -> None:
    ledger.keep([(ENDPOINT, [LARGE])], 100.0)
    tagged = replace(ENDPOINT, tags={"project": "marbles"})
    ledger.keep([(tagged, [replace(LARGE, list_price=9.0, own_price=9.0)])], 200.0)
    (span,) = ledger.spans(SPACE.account, 0, 1e12, 0)
    assert (span.use.list_price, span.use.own_price, span.owner.tags) == (0.1, 0.01, {"project": "marbles"})


def test_a_clock_that_is_put_back_takes_nothing_away(ledger: Ledger) -> None:
    ledger.keep([(ENDPOINT, [LARGE])], 1000.0)
    for now in (1100.0, 400.0, 900.0):
        ledger.keep([(ENDPOINT, [LARGE])], now)
        assert told(ledger, now=now) == [("a", 1, 1000.0, 1100.0, True)]
    ledger.keep([(ENDPOINT, [])], 300.0)
    assert told(ledger) == [("a", 1, 1000.0, 1100.0, False)]
    backwards = replace(LARGE, begun=500.0, ended=400.0)
    ledger.keep([(JOB, [backwards])], 450.0)
    assert [span.hours(0, 1e12) for span in ledger.spans(SPACE.account, 0, 1e12, 0)] == [100 / 3600, 0.0]


def test_only_what_touches_the_time_is_there(ledger: Ledger) -> None:
    ledger.keep([(JOB, [replace(LARGE, begun=100.0, ended=200.0)])], 300.0)
    spans = [
        len(ledger.spans(SPACE.account, start, end, 0)) for start, end in ((0, 100), (0, 101), (200, 300), (201, 300))
    ]
    assert spans == [0, 1, 1, 0] and ledger.spans("999999999999", 0, 1e12, 0) == []


def test_what_is_gone_ends_where_it_was_last_seen(ledger: Ledger) -> None:
    ledger.keep([(ENDPOINT, [LARGE]), (JOB, [replace(LARGE, begun=90.0)])], 100.0)
    assert ledger.running() == [ENDPOINT.arn, JOB.arn]
    ledger.end([ENDPOINT.arn])
    assert ledger.running() == [JOB.arn]
    assert told(ledger, now=500.0) == [("a", 1, 100.0, 100.0, False), ("a", 1, 90.0, 500.0, True)]


def test_spans_outlive_the_process(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger.db")
    first.keep([(ENDPOINT, [LARGE])], 100.0)
    first.close()
    second = Ledger(tmp_path / "ledger.db")
    second.keep([(ENDPOINT, [LARGE])], 700.0)
    assert told(second) == [("a", 1, 100.0, 700.0, True)]
    second.close()


Step = tuple[float, list[tuple[str, int]]]
STEPS = st.lists(
    st.tuples(
        st.floats(-1e6, 1e6),
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), unique_by=lambda each: each[0]),
    ),
    max_size=30,
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_no_duration_is_ever_negative(steps: Sequence[Step]) -> None:
    """Whatever the clock does and whatever is used."""
    at, lengths = 1e9, dict[object, float]()
    with TemporaryDirectory() as folder, closing(Ledger(Path(folder) / "ledger.db")) as ledger:
        for seconds, used in steps:
            at += seconds
            uses = [replace(LARGE, part=part, count=count) for part, count in used]
            ledger.keep([(ENDPOINT, uses)], at)
            spans = ledger.spans(SPACE.account, 0, 1e15, at)
            assert sorted((span.use.part, span.use.count) for span in spans if span.running) == sorted(used)
            for span in spans:
                key = (span.use.part, span.use.count, span.begun)
                assert span.until - span.begun >= lengths.get(key, 0.0)
                lengths[key] = span.until - span.begun

"""The health of a version on trial: what it may do wrong, and when that is known."""

from collections.abc import Iterable

import pytest

from tobo.edge.decision import Decision
from tobo.edge.health import Before, Limits, Watch, before
from tobo.edge.records import Record
from tobo.edge.tally import Tally

GOOD = Decision("ok", "class", "ok", 0.9, 0.8)
BAD = Decision("ko", "class", "ko", 0.9, 0.8)
LATE = Decision("ko", "late", "ok", 0.9, 0.8)
FORCED = Decision("ko", "override", "ok", 0.9, 0.8)
LIMITS = Limits(decisions=20, faults=0.1, late=0.2, rejects=0.4)


def record(decision: Decision, model: str = "new", blame: str | None = None) -> Record:
    return Record(1, 0.0, decision, (0.1, 0.9), 0.01, model, "a fault" if blame else None, blame)  # type: ignore[arg-type]


def watched(records: Iterable[Record], before: Before) -> tuple[str, int]:
    """The first word that is not "watching", and after how many records it came."""
    watch = Watch("new", LIMITS, before)
    for number, one in enumerate(records, 1):
        found = watch.note(one)
        if found != "watching":
            return found, number
    return "watching", number


FAILED = record(BAD, blame="model")


@pytest.mark.parametrize(
    ("records", "before", "expected", "after"),
    [
        ([record(GOOD)] * 30, Before(), "healthy", 20),
        ([record(GOOD)] * 19, Before(), "watching", 19),
        ([record(GOOD, "old")] * 30, Before(), "watching", 30),
        ([record(BAD, blame="camera")] * 30, Before(), "watching", 30),
        ([FAILED, FAILED] + [record(GOOD)] * 30, Before(), "healthy", 20),
        ([record(GOOD)] * 5 + [FAILED] * 30, Before(), "The model failed on 3 of its first 8 decisions.", 8),
        ([record(LATE)] * 30, Before(), "5 of its first 5 decisions were late.", 5),
        ([record(LATE)] * 4 + [record(GOOD)] * 30, Before(), "healthy", 20),
        ([record(LATE)] * 9 + [record(GOOD)] * 30, Before(late=0.3), "healthy", 20),
        ([record(BAD)] * 30, Before(), "healthy", 20),  # nothing to compare with
        ([record(BAD)] * 30, Before(0.0, 0.1), "It rejected 11 of its first 11 decisions; the version before rejected 10%.", 11),
        ([record(BAD)] * 10 + [record(GOOD)] * 30, Before(0.0, 0.1), "healthy", 20),
        ([record(FORCED)] * 30, Before(0.0, 0.1), "healthy", 20),
    ],
)  # fmt: skip
def test_watch(records: list[Record], before: Before, expected: str, after: int) -> None:
    assert watched(records, before) == (expected, after)


def test_before_is_told_by_enough_decisions() -> None:
    tally = Tally()
    for _ in range(49):
        tally.note(record(BAD))
        tally.note(record(FORCED))
        tally.note(Record(1, 0.0, Decision("ko", "failed"), None, 0.0, fault="no model yet", blame="model"))
    assert before(tally) == Before()
    tally.note(record(LATE))
    assert before(tally) == Before(0.02, 1.0)

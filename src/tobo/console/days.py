"""Days that a page is asked for: ?from= and ?to=, written as 2026-01-31, in UTC."""

from datetime import UTC, date, datetime, time, timedelta

from tobo.console.visit import Visit
from tobo.kit.fault import Fault

USUAL = 30
"""Days, where nobody says how many."""


def today(visit: Visit) -> date:
    return datetime.fromtimestamp(visit.context.clock.now(), UTC).date()


def days_asked(visit: Visit) -> tuple[date, date]:
    """The first and the last day that are asked for; the last thirty without a word. Raises Fault ValidationException."""
    try:
        last = date.fromisoformat(visit.query["to"]) if visit.query.get("to") else today(visit)
        first = date.fromisoformat(visit.query["from"]) if visit.query.get("from") else last - timedelta(USUAL - 1)
    except (ValueError, OverflowError):
        raise Fault("ValidationException", "A day is written as 2026-01-31.") from None
    if first > last:
        raise Fault(
            "ValidationException", f"The first day {first} is after the last one, {last}; choose an earlier one."
        )
    return first, last


def beginning(day: date) -> datetime:
    """Its first moment."""
    return datetime.combine(day, time(), UTC)


def day_of(text: str, what: str) -> datetime:
    """The beginning of a day that a form names. Raises Fault ValidationException, which calls the field `what`."""
    try:
        return beginning(date.fromisoformat(text))
    except ValueError:
        raise Fault("ValidationException", f"{what}: '{text[:40]}' is no day; write it as 2026-01-31.") from None

"""When at(), rate() and cron() come, by tables of (schedule, now) -> time."""

from datetime import UTC, datetime

import pytest

from tobo.kit.fault import Fault
from tobo.resources.autoscaling.schedules import first_time, read_schedule


def seconds(text: str) -> float:
    """UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("schedule", "timezone", "now", "expected"),
    [
        ("at(2030-01-02T03:04:05)", "UTC", "2030-01-01T00:00:00", "2030-01-02T03:04:05"),
        ("at(2030-01-02T03:04:05)", "UTC", "2030-01-02T03:04:05", None),
        ("at(2030-07-01T12:00:00)", "Europe/Berlin", "2030-01-01T00:00:00", "2030-07-01T10:00:00"),
        ("rate(1 minute)", "UTC", "2030-01-01T00:00:30", "2030-01-01T00:01:00"),
        ("rate(90 minutes)", "UTC", "2030-01-01T01:30:00", "2030-01-01T03:00:00"),
        ("rate(2 days)", "UTC", "2030-01-01T00:00:00", "2030-01-03T00:00:00"),
        ("rate(1 hour)", "UTC", "2029-12-31T00:00:00", "2030-01-01T00:00:00"),
        ("cron(0 9 * * ? *)", "UTC", "2030-01-01T08:59:59", "2030-01-01T09:00:00"),
        ("cron(0 9 * * ? *)", "UTC", "2030-01-01T09:00:00", "2030-01-02T09:00:00"),
        ("cron(0 9 * * ? *)", "America/New_York", "2030-01-01T00:00:00", "2030-01-01T14:00:00"),
        ("cron(0/15 * ? * MON-FRI *)", "UTC", "2030-01-04T23:45:00", "2030-01-07T00:00:00"),
        ("cron(30 6 ? * 2 *)", "UTC", "2030-01-01T00:00:00", "2030-01-07T06:30:00"),
        ("cron(5,35 8-10/2 1 FEB,MAR ? *)", "UTC", "2030-02-01T08:35:00", "2030-02-01T10:05:00"),
        ("cron(0 0 L * ? *)", "UTC", "2032-02-01T00:00:00", "2032-02-29T00:00:00"),
        ("cron(0 0 LW * ? *)", "UTC", "2030-08-01T00:00:00", "2030-08-30T00:00:00"),
        ("cron(0 0 15W * ? *)", "UTC", "2030-06-01T00:00:00", "2030-06-14T00:00:00"),
        ("cron(0 0 1W * ? *)", "UTC", "2030-06-01T00:00:00", "2030-06-03T00:00:00"),
        ("cron(0 0 ? * 6L *)", "UTC", "2030-01-01T00:00:00", "2030-01-25T00:00:00"),
        ("cron(0 0 ? * 2#1 *)", "UTC", "2030-01-08T00:00:00", "2030-02-04T00:00:00"),
        ("cron(0 0 ? * L *)", "UTC", "2030-01-01T00:00:00", "2030-01-05T00:00:00"),
        ("cron(0 0 1 1 ? 2031-2033/2)", "UTC", "2031-01-01T00:00:00", "2033-01-01T00:00:00"),
        ("cron(0 0 1 1 ? 2029)", "UTC", "2030-01-01T00:00:00", None),
        ("cron(0 0 31 2 ? 2030)", "UTC", "2030-01-01T00:00:00", None),
        # Berlin puts its clocks forward from 2 to 3 on 2030-03-31, and back from 3 to 2 on 2030-10-27
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2030-03-30T12:00:00", "2030-04-01T00:30:00"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2030-10-26T12:00:00", "2030-10-27T00:30:00"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2030-10-27T00:30:00", "2030-10-28T01:30:00"),
    ],
)
def test_the_next_time(schedule: str, timezone: str, now: str, expected: str | None) -> None:
    found = read_schedule(schedule, timezone, seconds("2030-01-01T00:00:00")).next_after(seconds(now))
    assert found == (None if expected is None else seconds(expected))


@pytest.mark.parametrize(
    ("schedule", "timezone", "complaint"),
    [
        ("every day", "UTC", "none of at"),
        ("at(2030-02-30T00:00:00)", "UTC", "names a time that there is not"),
        ("at(2030-01-01)", "UTC", "none of at"),
        ("rate(1 hours)", "UTC", "rate\\(1 hour\\)"),
        ("rate(2 hour)", "UTC", "rate\\(2 hours\\)"),
        ("rate(0 minutes)", "UTC", "nothing below 1"),
        ("rate(5 weeks)", "UTC", "none of at"),
        ("cron(0 9 * * *)", "UTC", "has 5 fields"),
        ("cron(0 9 * * * *)", "UTC", "needs a \\?"),
        ("cron(0 9 ? * ? *)", "UTC", "needs a \\?"),
        ("cron(60 9 * * ? *)", "UTC", "the field '60'"),
        ("cron(0 9 * 13 ? *)", "UTC", "the field '13'"),
        ("cron(0 9 ? * 8 *)", "UTC", "the field '8'"),
        ("cron(0 9 ? * MON#6 *)", "UTC", "the field '6'"),
        ("cron(0 9 ? * MO *)", "UTC", "the field 'MO'"),
        ("cron(0 9 XW * ? *)", "UTC", "the field 'XW'"),
        ("cron(5-1 9 * * ? *)", "UTC", "the field '5-1'"),
        ("cron(0/0 9 * * ? *)", "UTC", "the field '0/0'"),
        ("rate(1 hour)", "Mars/Olympus", "IANA name"),
        ("rate(1 hour)", "../../etc/passwd", "IANA name"),
    ],
)
def test_what_cannot_be_read_is_refused(schedule: str, timezone: str, complaint: str) -> None:
    with pytest.raises(Fault, match=complaint) as refused:
        read_schedule(schedule, timezone, 0.0)
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("schedule", "start", "end", "expected"),
    [
        ("rate(60 minutes)", None, None, 3600.0),
        ("cron(0 5 * * ? *)", None, None, 5 * 3600.0),
        ("cron(0 5 * * ? *)", 1800.0, None, 1800.0),  # an action that starts later happens at its start, too
        ("cron(0 5 * * ? *)", -1800.0, None, 5 * 3600.0),
        ("cron(0 5 * * ? *)", None, 4 * 3600.0, None),
        ("cron(0 5 * * ? *)", 1800.0, 1000.0, None),
        ("at(1970-01-01T02:00:00)", 1800.0, None, 7200.0),
    ],
)
def test_start_and_end_bound_it(schedule: str, start: float | None, end: float | None, expected: float | None) -> None:
    read = read_schedule(schedule, "UTC", 0.0)
    assert first_time(read, 0.0, start, end) == expected

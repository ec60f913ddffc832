"""Periods of time that costs are summed up by: hours, days, months, all in UTC."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tobo.kit.fault import validation

MOST = 10_000
"""Periods of one answer."""

_FORMS = {
    re.compile(r"\d{4}-\d{2}-\d{2}"): "%Y-%m-%d",
    re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"): "%Y-%m-%dT%H:%M:%SZ",
}


@dataclass(frozen=True)
class Period:
    """start <= time < end in epoch seconds, with the form that Cost Explorer writes them in."""

    start: float
    end: float
    form: str

    @property
    def interval(self) -> dict[str, str]:
        """Cost Explorer's DateInterval."""
        texts = (f"{datetime.fromtimestamp(at, UTC):{self.form}}" for at in (self.start, self.end))
        return dict(zip(("Start", "End"), texts, strict=True))


def whole(asked: Mapping[str, str]) -> Period:
    """A request's TimePeriod; raises Fault ValidationException for what is none."""
    moments = {}
    for name in ("Start", "End"):
        moments[name] = _moment(name, asked[name])
    if moments["Start"] >= moments["End"]:
        raise validation(
            f"TimePeriod's Start {asked['Start']} is not before its End {asked['End']}, which is exclusive."
        )
    return Period(moments["Start"], moments["End"], "%Y-%m-%d" if len(asked["Start"]) == 10 else "%Y-%m-%dT%H:%M:%SZ")


def cut(period: Period, granularity: str) -> list[Period]:
    """The hours, days or months that it consists of, the first and the last perhaps not whole. Raises Fault for too many."""
    form = "%Y-%m-%dT%H:%M:%SZ" if granularity == "HOURLY" else "%Y-%m-%d"
    found: list[Period] = []
    start = period.start
    while start < period.end:
        if len(found) == MOST:
            raise validation(f"TimePeriod has more than {MOST} periods of {granularity}; ask for a shorter time.")
        end = min(_next(start, granularity), period.end)
        found.append(Period(start, end, form))
        start = end
    return found


def _next(at: float, granularity: str) -> float:
    """Where the period after the one that `at` lies in begins."""
    moment = datetime.fromtimestamp(at, UTC).replace(minute=0, second=0, microsecond=0)
    if granularity == "HOURLY":
        return (moment + timedelta(hours=1)).timestamp()
    moment = moment.replace(hour=0)
    if granularity == "DAILY":
        return (moment + timedelta(days=1)).timestamp()
    return (moment.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()


def _moment(name: str, text: str) -> float:
    for pattern, form in _FORMS.items():
        if pattern.fullmatch(text):
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
            except ValueError:
                break
    raise validation(
        f"TimePeriod's {name} '{text[:40]}' is no time; write 2026-01-31, or 2026-01-31T13:00:00Z for hours."
    )

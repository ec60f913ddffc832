"""When a scheduled action happens: at(), rate() and cron() expressions. Pure.

Source: Application Auto Scaling User Guide, "Scheduled scaling"; EventBridge User Guide, "Cron expressions reference".
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tobo.kit.fault import validation

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_RATE = re.compile(r"rate\((\d{1,9}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {
    "JAN": 1,
    "FEB": 2,
    "MAR": 3,
    "APR": 4,
    "MAY": 5,
    "JUN": 6,
    "JUL": 7,
    "AUG": 8,
    "SEP": 9,
    "OCT": 10,
    "NOV": 11,
    "DEC": 12,
}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_YEARS = (1970, 2199)

DayTest = Callable[[date], bool]


class Schedule(Protocol):
    """Times in epoch seconds."""

    def next_after(self, at: float) -> float | None:
        """The first time behind `at`; None where there is none."""
        ...


@dataclass(frozen=True)
class At:
    """Once."""

    time: float

    def next_after(self, at: float) -> float | None:
        return self.time if self.time > at else None


@dataclass(frozen=True)
class Rate:
    """Every `seconds`, counted from `begin`."""

    seconds: int
    begin: float

    def next_after(self, at: float) -> float | None:
        if at < self.begin:
            return self.begin
        return self.begin + ((at - self.begin) // self.seconds + 1) * self.seconds


@dataclass(frozen=True)
class Cron:
    """On the wall clock of `zone`: on each day that fits, at each hour and minute.

    A time that the day leaves out, as clocks are put forward, is left out; one that it has twice counts once.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    fits: DayTest
    zone: ZoneInfo

    def next_after(self, at: float) -> float | None:
        now = datetime.fromtimestamp(at, self.zone)
        return next((time for day in self._days(now.date()) for time in self._times(day) if time > at), None)

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                for day in range(1, calendar.monthrange(year, month)[1] + 1):
                    if (found := date(year, month, day)) >= first and self.fits(found):
                        yield found

    def _times(self, day: date) -> Iterator[float]:
        for hour in self.hours:
            for minute in self.minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                time = wall.timestamp()
                if datetime.fromtimestamp(time, self.zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
                    yield time


def read_schedule(text: str, timezone: str, begin: float) -> Schedule:
    """A Schedule with its Timezone; `begin` is what a rate counts from. Raises Fault ValidationException."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise validation(f"The Timezone '{timezone}' is not known; give an IANA name such as Europe/Berlin.") from None
    if match := _AT.fullmatch(text):
        try:
            return At(datetime.fromisoformat(match[1]).replace(tzinfo=zone).timestamp())
        except ValueError:
            raise validation(f"The Schedule '{text}' names a time that there is not.") from None
    if match := _RATE.fullmatch(text):
        if (int(match[1]) == 1) == bool(match[3]) or match[1].startswith("0"):
            raise validation(f"The Schedule '{text}' is wrong: rate(1 hour), but rate(2 hours), and nothing below 1.")
        return Rate(int(match[1]) * _SECONDS[match[2]], begin)
    if match := _CRON.fullmatch(text):
        return _read_cron(text, match[1].split(), zone)
    raise validation(
        f"The Schedule '{text}' is none of at(yyyy-mm-ddThh:mm:ss), rate(value unit) and cron(fields); correct it."
    )


def _read_cron(text: str, fields: list[str], zone: ZoneInfo) -> Cron:
    if len(fields) != 6:
        raise validation(
            f"The Schedule '{text}' has {len(fields)} fields; cron has six: minutes, hours, day of month, month, day of "
            "week, year."
        )
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise validation(f"The Schedule '{text}' needs a ? for exactly one of day of month and day of week.")
    try:
        fits = _day_of_week(day_of_week) if day_of_month == "?" else _day_of_month(day_of_month)
        return Cron(
            tuple(sorted(_numbers(minutes, 0, 59))),
            tuple(sorted(_numbers(hours, 0, 23))),
            _numbers(month, 1, 12, _MONTHS),
            _numbers(year, *_YEARS),
            fits,
            zone,
        )
    except ValueError as error:
        raise validation(f"The Schedule '{text}' has the field '{error}', which cannot be read.") from None


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """`*`, `7`, `1-5`, `0/15`, `MON-FRI` and lists of these. Raises ValueError with the field."""
    found: set[int] = set()
    for part in field.upper().split(","):
        bounds, slash, step = part.partition("/")
        first, dash, last = bounds.partition("-")
        try:
            if bounds == "*":
                begin, end = low, high
            else:
                begin = _number(first, names)
                end = _number(last, names) if dash else high if slash else begin
            stride = int(step) if slash else 1
        except ValueError:
            raise ValueError(field) from None
        if not low <= begin <= end <= high or stride < 1:
            raise ValueError(field)
        found.update(range(begin, end + 1, stride))
    return frozenset(found)


def _number(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _day_of_month(field: str) -> DayTest:
    """Numbers, `L` (the last day), `15W` (the weekday nearest to the 15th) and `LW`."""
    word = field.upper()
    if word == "L":
        return lambda day: day.day == _length(day)
    if word == "LW":
        return lambda day: day.day == _nearest_weekday(day, _length(day))
    if word.endswith("W"):
        [wanted] = _numbers(word[:-1], 1, 31) if word[:-1].isdigit() else _unreadable(field)
        return lambda day: wanted <= _length(day) and day.day == _nearest_weekday(day, wanted)
    numbers = _numbers(field, 1, 31)
    return lambda day: day.day in numbers


def _day_of_week(field: str) -> DayTest:
    """1 to 7 or SUN to SAT, `6L` (the last Friday of the month), `2#1` (its first Monday); `L` alone is Saturday."""
    word = field.upper()
    if word == "L":
        return lambda day: _weekday(day) == 7
    if word.endswith("L"):
        [last] = _numbers(word[:-1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == last and day.day > _length(day) - 7
    if "#" in word:
        name, _, ordinal = word.partition("#")
        [wanted] = _numbers(name, 1, 7, _DAYS)
        [which] = _numbers(ordinal, 1, 5)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == which
    numbers = _numbers(field, 1, 7, _DAYS)
    return lambda day: _weekday(day) in numbers


def _unreadable(field: str) -> frozenset[int]:
    raise ValueError(field)


def _weekday(day: date) -> int:
    """1 for Sunday to 7 for Saturday."""
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """The Monday to Friday nearest to a day of that month, without leaving the month."""
    there = day.replace(day=wanted)
    if there.isoweekday() == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if there.isoweekday() == 7:
        return wanted + 1 if wanted < _length(day) else wanted - 2
    return wanted


def first_time(schedule: Schedule, now: float, start: float | None, end: float | None) -> float | None:
    """When an action happens next: at its start, then by its schedule, never after its end. `start` is gone once it was."""
    if start is not None and start > now and not isinstance(schedule, At):
        time: float | None = start
    else:
        time = schedule.next_after(now)
    return None if time is None or (end is not None and time > end) else time

"""Timestamps in the three forms that AWS's protocols give them: iso8601, rfc822 and unixtimestamp.

Sources: Smithy 2.0, "timestampFormat trait" (date-time, http-date, epoch-seconds).
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_timestamp(value: Any) -> datetime:
    """A number of seconds or a text in any of the forms -> aware datetime (UTC); raises ValueError where it is none."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, bool):
        raise ValueError("a truth value is no time")
    if isinstance(value, (int, float)):
        return _from_seconds(value)
    if not isinstance(value, str):
        raise ValueError("a time is a number or a text")
    text = value.strip()
    try:
        return _from_seconds(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text) if text[:1].isdigit() and "-" in text else parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (OverflowError, TypeError, IndexError) as error:
        raise ValueError(f"no time: {error}") from None


def _from_seconds(seconds: float) -> datetime:
    try:
        # Adding to the epoch works on every platform for times before 1970; datetime.fromtimestamp does not.
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"no time: {error}") from None


def epoch_seconds(value: Any) -> int | float:
    """unixtimestamp: whole seconds as int, else float with what precision there is."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if value == int(value) else value
    since = read_timestamp(value) - _EPOCH
    microseconds = since // timedelta(microseconds=1)
    # One division only: adding a rounded fraction to the seconds would round twice.
    return microseconds // 1_000_000 if microseconds % 1_000_000 == 0 else microseconds / 1_000_000


def write_timestamp(value: Any, form: str) -> str:
    """Text of a datetime, a number of seconds or a text in `form`: iso8601 (milliseconds), rfc822 or unixtimestamp."""
    if form == "unixtimestamp":
        return str(epoch_seconds(value))
    moment = read_timestamp(value)
    if form == "rfc822":
        return format_datetime(moment, usegmt=True)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

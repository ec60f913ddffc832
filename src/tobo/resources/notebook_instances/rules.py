"""When a notebook instance is stopped by itself: after so long without work, and at a time of day. Pure.

The tags `tobo:idle-stop-minutes` and `tobo:stop-at` say it for one instance; the administrator's settings
TOBO_NOTEBOOK_IDLE_MINUTES and TOBO_NOTEBOOK_STOP_AT hold for all: a tag may only be stricter.
"""

import re
import time
from collections.abc import Mapping

from tobo.kit.fault import Fault, validation

IDLE_TAG, STOP_TAG = "tobo:idle-stop-minutes", "tobo:stop-at"
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises Fault ValidationException for a rule that cannot be read."""
    idle_minutes(tags, None)
    stop_times(tags, None)


def idle_minutes(tags: Mapping[str, str], most: float | None) -> float | None:
    """After how many minutes without work; None: never. Raises Fault ValidationException."""
    text = tags.get(IDLE_TAG)
    if text is None:
        return most
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        raise validation(f"The tag {IDLE_TAG} is '{text}'; give whole minutes, such as 60.")
    return float(text) if most is None else min(float(text), most)


def stop_times(tags: Mapping[str, str], for_all: str | None) -> list[str]:
    """The times of day, HH:MM of this machine's clock, at which it is stopped. Raises Fault ValidationException."""
    own = tags.get(STOP_TAG)
    if own is not None and not _TIME.fullmatch(own):
        raise validation(f"The tag {STOP_TAG} is '{own}'; give a time of day, such as 20:00.")
    return [text for text in (own, for_all) if text]


def next_time(text: str, after: float) -> float:
    """The first moment later than `after`, epoch seconds, at which this machine's clock shows HH:MM."""
    found = _TIME.fullmatch(text)
    assert found is not None, text
    at = time.localtime(after)
    for days in (0, 1):
        moment = time.mktime((at.tm_year, at.tm_mon, at.tm_mday + days, int(found[1]), int(found[2]), 0, 0, 0, -1))
        if moment > after:
            return moment
    raise AssertionError("a day has every time of day")


def stop_reason(
    tags: Mapping[str, str], most_idle: float | None, stop_at: str | None, since: float, active: float, now: float
) -> str:
    """Why it is to be stopped now, in one sentence; "" where it is not. A tag that cannot be read is no rule.

    `since` and `active` are when it came into service and worked last, epoch seconds.
    """
    try:
        minutes = idle_minutes(tags, most_idle)
    except Fault:
        minutes = most_idle
    try:
        times = stop_times(tags, stop_at)
    except Fault:
        times = stop_times({}, stop_at)
    if minutes is not None and now - active >= minutes * 60:
        return f"Stopped after {minutes:g} minutes in which no kernel and no terminal worked."
    for text in times:
        if now >= next_time(text, since):
            return f"Stopped at {text}, as every day."
    return ""

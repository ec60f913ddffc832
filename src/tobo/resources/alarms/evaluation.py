"""How an alarm is judged: the datapoints of its last periods against a threshold. Pure; time is an argument.

Source: CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data", whose
tables of examples are the test's.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

OK, IN_ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

MORE = 2
"""Periods that are looked at beyond the evaluation periods, so that a datapoint that is late or missing may be replaced."""

_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISONS = tuple(_COMPARISONS)
"""The operators that compare with a threshold that stands still; the others need metric math."""

_LISTED = 10
"""Datapoints that a reason lists: it may have 1023 characters."""

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
"""What a missing datapoint may count as."""


@dataclass(frozen=True)
class Rule:
    """ALARM when `needed` of the last `periods` datapoints compare so with the threshold (M out of N)."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str = "missing"

    def breaches(self, value: float) -> bool:
        """Whether a datapoint counts towards ALARM."""
        return _COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Datapoint:
    """The value of the period that starts at `at` (epoch seconds)."""

    at: float
    value: float


@dataclass(frozen=True)
class Judgement:
    """The state, the sentence that says why, and the datapoints that it was judged by, the oldest first."""

    state: str
    reason: str
    judged: tuple[Datapoint, ...]


def judge(rule: Rule, seen: Sequence[Datapoint | None], state: str) -> Judgement:
    """What an alarm that is in `state` becomes by the evaluation range, the oldest period first; None: no datapoint.

    The last `rule.periods` datapoints that exist count. Only where the whole range has fewer does `rule.missing` speak.
    """
    real = [point for point in seen if point is not None]
    judged = tuple(real[-rule.periods :])
    lacking = rule.periods - len(judged)
    breaching = sum(rule.breaches(point.value) for point in judged)
    if lacking > 0 and rule.missing in ("missing", "ignore"):
        if not judged:
            insufficient = Judgement(INSUFFICIENT, _insufficient(rule.periods), ())
            return insufficient if rule.missing == "missing" else Judgement(state, "", ())
        if breaching < rule.needed and _is_old_enough(rule, seen):
            if rule.missing == "ignore":
                return Judgement(state, "", judged)
            return Judgement(IN_ALARM, _crossed(rule, judged, IN_ALARM), judged)
    counted = breaching + (lacking if rule.missing == "breaching" else 0)
    found = IN_ALARM if counted >= rule.needed else OK
    return Judgement(found, _crossed(rule, judged, found), judged)


def _is_old_enough(rule: Rule, seen: Sequence[Datapoint | None]) -> bool:
    """Whether nothing but breaching datapoints came, the first of them so long ago that no later one could mend it."""
    if not all(rule.breaches(point.value) for point in seen if point is not None):
        return False
    oldest = next(index for index, point in enumerate(seen) if point is not None)
    return len(seen) - oldest >= rule.needed


def _crossed(rule: Rule, judged: Sequence[Datapoint], found: str) -> str:
    """As CloudWatch words it: the datapoints that speak for the state, where there are some, and what missing ones were."""
    lacking = rule.periods - len(judged)
    kind = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(rule.missing)
    filled = f"{_many(lacking, 'missing datapoint')} {_were(lacking)} treated as [{kind}]" if lacking and kind else ""
    if not judged:
        return f"Threshold Crossed: no datapoints were received for {_many(lacking, 'period')} and {filled}."
    shown = [point for point in judged if rule.breaches(point.value) == (found == IN_ALARM)] or list(judged)
    listed = [f"{point.value:g} ({_time(point.at)})" for point in reversed(shown)]
    listed[_LISTED:] = ["..."] if len(listed) > _LISTED else []
    verb = f"{_were(len(shown))}{'' if rule.breaches(shown[0].value) else ' not'} {_COMPARISONS[rule.comparison][1]}"
    least, change = (
        (rule.needed, f"{OK} -> {IN_ALARM}")
        if found == IN_ALARM
        else (rule.periods - rule.needed + 1, f"{IN_ALARM} -> {OK}")
    )
    return (
        f"Threshold Crossed: {len(shown)} out of the last {_many(rule.periods, 'datapoint')} [{', '.join(listed)}] {verb} "
        f"the threshold ({rule.threshold:g}) (minimum {_many(least, 'datapoint')} for {change} transition)"
        f"{f', and {filled}' if filled else ''}."
    )


def _insufficient(periods: int) -> str:
    return f"Insufficient Data: {_many(periods, 'datapoint')} {_were(periods)} unknown."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")

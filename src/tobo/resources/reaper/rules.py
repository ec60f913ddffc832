"""Rules: what a resource must be like so that something is done about it. Pure.

A rule's conditions must all hold. `tobo:keep`, whatever its value, keeps a resource out of every rule.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tobo.kit.arn import Namespace
from tobo.kit.fault import validation

KEEP = "tobo:keep"

GRACE_MINUTES = 60

IDLE_KINDS = ("endpoint", "notebook-instance")
"""Those that can run without doing anything; a job works until it is done."""

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """A resource as the reaper sees it. Times in epoch seconds.

    `runs`: it uses an instance. `used`: when it was used last, None where nobody knows. `spent_budgets` are the names of the
    spent budgets that it falls under. `counts` are the instances of an endpoint's variants that can be paused.
    """

    kind: str
    name: str
    arn: str
    space: Namespace
    created: float
    runs: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    used: float | None = None
    spent_budgets: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)


def check_rule(rule: Rule) -> None:
    """Raises Fault ValidationException for a rule that could never mean anything."""
    conditions, action, kinds = rule["Conditions"], rule["Action"], rule["Kinds"]
    if not conditions:
        raise validation("Conditions is empty, and would be met by everything; give one at least.")
    wrong = [kind for kind in kinds if kind not in IDLE_KINDS]
    if wrong and "IdleMinutes" in conditions:
        raise validation(
            f"A {wrong[0]} works until it is done and is never idle; IdleMinutes is for {_named(IDLE_KINDS)}."
        )
    if wrong and action == "DELETE":
        raise validation(f"DELETE is for {_named(IDLE_KINDS)}; what a {wrong[0]} has made would be lost: take STOP.")
    unpausable = [kind for kind in kinds if kind != "endpoint"]
    if unpausable and action == "PAUSE":
        raise validation(f"PAUSE is for endpoints; a {unpausable[0]} is stopped: take STOP.")
    if schedule := conditions.get("Schedule"):
        _zone(schedule)
        if schedule["From"] == schedule["To"]:
            raise validation(f"Schedule is from {schedule['From']} to {schedule['To']}, which is no time; choose two.")


def reason(rule: Rule, fact: Fact, now: float) -> str | None:
    """Why the rule is about the resource now, in a sentence; None where it is not."""
    if fact.kind not in rule["Kinds"] or KEEP in fact.tags or not (fact.runs or rule["Action"] in ("DELETE", "NOTIFY")):
        return None
    conditions = rule["Conditions"]
    reasons = [_CONDITIONS[name](conditions[name], fact, now) for name in conditions]
    return None if None in reasons or not reasons else "; ".join(str(each) for each in reasons)


def _untagged(keys: list[str], fact: Fact, now: float) -> str | None:
    missing = [key for key in keys if key not in fact.tags]
    return f"it has no tag {_named(missing)}" if missing else None


def _idle(minutes: int, fact: Fact, now: float) -> str | None:
    if fact.kind not in IDLE_KINDS:
        return None
    idle = (now - max(fact.used or 0.0, fact.created)) / 60
    return f"nobody has used it for {idle:.0f} minutes" if idle >= minutes else None


def _old(minutes: int, fact: Fact, now: float) -> str | None:
    age = (now - fact.created) / 60
    return f"it is {age:.0f} minutes old" if age >= minutes else None


def _over_budget(name: str, fact: Fact, now: float) -> str | None:
    return f"budget '{name}' is spent" if name in fact.spent_budgets else None


def _at_night(schedule: Mapping[str, str], fact: Fact, now: float) -> str | None:
    clock = f"{datetime.fromtimestamp(now, _zone(schedule)):%H:%M}"
    begin, end = schedule["From"], schedule["To"]
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    return f"it is {clock}, between {begin} and {end}" if inside else None


_CONDITIONS: Mapping[str, Callable[[Any, Fact, float], str | None]] = {
    "UntaggedKeys": _untagged,
    "IdleMinutes": _idle,
    "OlderThanMinutes": _old,
    "BudgetName": _over_budget,
    "Schedule": _at_night,
}


def _zone(schedule: Mapping[str, str]) -> Any:
    name = schedule.get("TimeZone")
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise validation(f"TimeZone '{name[:60]}' is not known; write it like Europe/Berlin.") from None


def _named(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)

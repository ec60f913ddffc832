"""Event patterns: which events a rule wants. Source: EventBridge User Guide, "Event patterns"."""

import json
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.conditions import check_condition, meets

LONGEST = 4096
_DEPTH = 20

Event = Mapping[str, Any]


def read_pattern(text: str) -> dict[str, Any]:
    """Raises Fault InvalidEventPatternException that names what is no pattern."""
    if len(text) > LONGEST:
        raise _refused(f"it has {len(text)} characters; {LONGEST} are the most.")
    try:
        pattern = json.loads(text)
    except ValueError:
        raise _refused(f"it is no JSON: {text[:60]}") from None
    if not isinstance(pattern, dict) or not pattern:
        raise _refused("it is no JSON object with a member.")
    _check(pattern, "", 0)
    return pattern


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Each member of the pattern is met by the event's of the same name, objects by objects, lists by one of their values."""
    for name, wanted in pattern.items():
        present = isinstance(event, Mapping) and name in event
        value = event[name] if present else None
        if isinstance(wanted, dict):
            if not matches(wanted, value if isinstance(value, Mapping) else {}):
                return False
        elif not meets(wanted, present, (value if isinstance(value, list) else [value]) if present else []):
            return False
    return True


def _check(pattern: Mapping[str, Any], place: str, depth: int) -> None:
    if depth > _DEPTH:
        raise _refused(f"it is nested deeper than {_DEPTH}.")
    for name, wanted in pattern.items():
        where = f"{place}{name}"
        if name == "$or":
            raise _refused("$or is not built; make a rule for each.")
        if isinstance(wanted, dict):
            if not wanted:
                raise _refused(f"'{where[:60]}' is an empty object.")
            _check(wanted, f"{where}.", depth + 1)
        elif isinstance(wanted, list) and wanted:
            for condition in wanted:
                check_condition(where, condition, _refused)
        else:
            raise _refused(f"'{where[:60]}' is neither a list of values nor an object.")


def _refused(what: str) -> Fault:
    return Fault("InvalidEventPatternException", f"Event pattern is not valid. Reason: {what}")

"""Composite alarms: PutCompositeAlarm, and how one is judged. They are rows of the same kind as metric alarms: names are unique."""

from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.alarm_actions import alarm_action
from tobo.operations.context import Call, Context
from tobo.operations.registry import operation
from tobo.resources.alarms.alarm import ACTIONS, KIND, SERVICE, alarm_arn, is_composite, iso_time, known_alarm
from tobo.resources.alarms.putting import put
from tobo.resources.alarms.rules import Rule, read_rule
from tobo.store.base import Key, Row

LOOK_SECONDS = 1.0
"""Between two looks at the alarms below."""

_NOT_BUILT = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


@operation(SERVICE, "PutCompositeAlarm", resource=lambda call, asked: alarm_arn(call.space, asked["AlarmName"]))
def put_composite_alarm(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes one, or replaces its rule: its state and its tags stay. Raises Fault ValidationError, LimitExceeded.

    The alarms of its rule must be there, and none may depend on it.
    """
    if member := next((member for member in _NOT_BUILT if asked.get(member)), None):
        raise Fault("ValidationError", f"{member} is given: suppressing actions is not built in tobo; leave it out.")
    name, rule = asked["AlarmName"], read_rule(asked["AlarmRule"])
    for child in rule.children:
        if child == name or name in _below(call, child):
            raise Fault("ValidationError", f"Alarm '{child}' depends on '{name}' itself; a rule cannot go in a circle.")
    for member in ACTIONS.values():
        for arn in asked.get(member, ()):
            alarm_action(arn).check(call.context, call.space, arn)
    return put(call, {"ActionsEnabled": True, **{member: [] for member in ACTIONS.values()}}, asked)


def judge_rule(context: Context, row: Row) -> tuple[str, str, str]:
    """State, StateReason and StateReasonData, by the states of the alarms below; one that is gone has INSUFFICIENT_DATA."""
    rule = read_rule(row.asked["AlarmRule"])
    rows = _rows_of(context, row, rule)
    state = "ALARM" if rule.holds(lambda name: rows[name].state if name in rows else "INSUFFICIENT_DATA") else "OK"
    triggering = [each for each in rows.values() if each.state == "ALARM"] if state == "ALARM" else list(rows.values())
    told = [
        {
            "arn": each.arn,
            "state": {
                "value": each.state,
                "timestamp": iso_time(each.found["StateTransitionedTimestamp"]).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
                + "+0000",
            },
        }
        for each in triggering[:10]
    ]
    newest = max(triggering, key=lambda each: float(each.found["StateTransitionedTimestamp"]), default=None)
    if newest is None:
        reason = f"The rule is {'met' if state == 'ALARM' else 'not met'}."
    else:
        moment = iso_time(newest.found["StateTransitionedTimestamp"])
        reason = f"{newest.arn} transitioned to {newest.state} at {moment:%A %d %B, %Y %H:%M:%S} UTC"
    return state, reason, orjson.dumps({"triggeringAlarms": told}).decode()


def children_of(row: Row) -> tuple[str, ...]:
    return read_rule(row.asked["AlarmRule"]).children if is_composite(row) else ()


def _below(call: Call, name: str) -> set[str]:
    """All alarms that one depends on. Raises Fault ValidationError where it is not there."""
    try:
        children = children_of(known_alarm(call, name))
    except Fault as fault:
        raise Fault("ValidationError", f"AlarmRule: {fault.message}") from None
    return {*children, *(deeper for child in children for deeper in _below_if_there(call, child))}


def _below_if_there(call: Call, name: str) -> set[str]:
    return set() if call.context.store.get(Key(call.space, KIND, name)) is None else _below(call, name)


def _rows_of(context: Context, row: Row, rule: Rule) -> dict[str, Row]:
    found = ((name, context.store.get(Key(row.key.space, KIND, name))) for name in rule.children)
    return {name: child for name, child in found if child is not None}

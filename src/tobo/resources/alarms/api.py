"""The operations on metric alarms. Source: Amazon CloudWatch API Reference, PutMetricAlarm and its siblings."""

from collections.abc import Iterable, Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import list_among
from tobo.operations.machine import advance
from tobo.operations.registry import operation
from tobo.operations.rows import rows_of
from tobo.resources.alarms.alarm import (
    ACTIONS,
    KIND,
    SERVICE,
    alarm_arn,
    changed,
    described,
    is_composite,
    known_alarm,
    type_of,
    why,
)
from tobo.resources.alarms.composite import LOOK_SECONDS, children_of
from tobo.resources.alarms.measuring import step
from tobo.resources.alarms.putting import configured, note, put
from tobo.resources.alarms.requests import check_alarm
from tobo.store.base import Conflict, Event, Key, Row

_PAGE = 100

_TYPES = ("MetricAlarm", "CompositeAlarm")


def _alarm(call: Call, asked: Mapping[str, Any]) -> str:
    return alarm_arn(call.space, asked["AlarmName"])


def _any_alarm(call: Call, asked: Mapping[str, Any]) -> str:
    """A request about several: policies speak of all of them."""
    return alarm_arn(call.space, "*")


@operation(SERVICE, "PutMetricAlarm", resource=_alarm)
def put_metric_alarm(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes an alarm, or replaces what one is about: its state and its tags stay.

    Raises Fault ValidationError for what cannot be watched or done, LimitExceeded.
    """
    check_alarm(call, asked)
    dimensions: dict[str, Any] = {} if asked.get("Metrics") else {"Dimensions": []}
    return put(call, {"ActionsEnabled": True, **dimensions, **{member: [] for member in ACTIONS.values()}}, asked)


@operation(SERVICE, "DescribeAlarms", resource=_any_alarm)
def describe_alarms(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their names; metric alarms alone where AlarmTypes says nothing. Raises Fault ValidationError, InvalidNextToken."""
    names, prefix = asked.get("AlarmNames"), asked.get("AlarmNamePrefix")
    if names and prefix:
        raise Fault("ValidationError", "AlarmNames and AlarmNamePrefix exclude each other; give one of them.")
    types = asked.get("AlarmTypes") or ["MetricAlarm"]
    if parent := asked.get("ChildrenOfAlarmName"):
        names, types = children_of(known_alarm(call, parent)) or ("",), _TYPES
    if names:
        found: Iterable[Row] = filter(
            None, (call.context.store.get(Key(call.space, KIND, name)) for name in set(names))
        )
    else:
        found = rows_of(call.context.store, call.space, KIND, prefix or "")
    if child := asked.get("ParentsOfAlarmName"):
        found, types = (row for row in found if child in children_of(row)), _TYPES
    found = (row for row in found if type_of(row) in types)
    state, action = asked.get("StateValue"), asked.get("ActionPrefix")
    if state:
        found = (row for row in found if row.state == state)
    if action:
        found = (row for row in found if any(arn.startswith(action) for arn in _actions(row)))
    return _page(asked, found)


@operation(SERVICE, "DescribeAlarmsForMetric", resource=_any_alarm)
def describe_alarms_for_metric(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those that watch exactly this metric; Statistic, Period and Unit narrow it."""
    exactly = {member: asked[member] for member in ("Namespace", "MetricName")}
    narrowing = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    exactly |= {member: asked[member] for member in narrowing if asked.get(member) is not None}
    wanted = _pairs(asked)
    found = (
        row
        for row in rows_of(call.context.store, call.space, KIND)
        if not is_composite(row)
        and _pairs(row.asked) == wanted
        and all(row.asked.get(name) == value for name, value in exactly.items())
    )
    return {"MetricAlarms": [described(row) for row in sorted(found, key=lambda row: row.key.name)]}


@operation(SERVICE, "DeleteAlarms", resource=_any_alarm)
def delete_alarms(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All or none; their history stays. Raises Fault ResourceNotFound."""
    for name in asked["AlarmNames"]:
        known_alarm(call, name)
    for name in dict.fromkeys(asked["AlarmNames"]):
        while (row := call.context.store.get(Key(call.space, KIND, name))) is not None:
            try:
                call.context.store.delete(row)
            except Conflict:
                continue
            note(call, row, "deleted", {"type": "Delete", "deletedAlarm": described(row)})
            break
    return {}


@operation(SERVICE, "EnableAlarmActions", resource=_any_alarm)
def enable_alarm_actions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Names that are none are no error, as on AWS."""
    return _switch(call, asked["AlarmNames"], True)


@operation(SERVICE, "DisableAlarmActions", resource=_any_alarm)
def disable_alarm_actions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of state are still seen and written down. Names that are none are no error, as on AWS."""
    return _switch(call, asked["AlarmNames"], False)


@operation(SERVICE, "SetAlarmState", resource=_alarm)
def set_alarm_state(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """For a period, then the alarm is judged by its metric again. Raises Fault ResourceNotFound."""
    state, reason, data = asked["StateValue"], asked["StateReason"], asked.get("StateReasonData")
    while True:
        row = known_alarm(call, asked["AlarmName"])
        until = {"_look": call.now + (LOOK_SECONDS if is_composite(row) else step(row.asked))}
        try:
            if row.state == state:
                found = {**row.found, **why(reason, data, call.now), **until}
                call.context.store.update(row, Event(call.now, "set", state, reason), found=found)
            else:
                advance(call.context, row, state, {**changed(row, state, reason, data, call.now), **until}, reason)
        except Conflict:
            continue
        return {}


def _switch(call: Call, names: Iterable[str], on: bool) -> dict[str, Any]:
    for name in dict.fromkeys(names):
        while (row := call.context.store.get(Key(call.space, KIND, name))) is not None:
            if row.asked["ActionsEnabled"] != on:
                try:
                    configured(call, row, {**row.asked, "ActionsEnabled": on})
                except Conflict:
                    continue
            break
    return {}


def _page(asked: Mapping[str, Any], found: Iterable[Row]) -> dict[str, Any]:
    """Raises Fault InvalidNextToken."""
    wanted = {**asked, "MaxResults": asked.get("MaxRecords"), "MaxRecords": None, "SortBy": "Name"}
    try:
        page = list_among(KIND, wanted, "Rows", lambda row: {"row": row}, found, _PAGE, default_descending=False)
    except Fault as fault:
        raise Fault("InvalidNextToken", fault.message) from None
    rows = [each["row"] for each in page.pop("Rows")]
    return {
        "MetricAlarms": [described(row) for row in rows if not is_composite(row)],
        "CompositeAlarms": [described(row) for row in rows if is_composite(row)],
        **page,
    }


def _actions(row: Row) -> list[str]:
    return [arn for member in ACTIONS.values() for arn in row.asked[member]]


def _pairs(asked: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(pair["Name"], pair["Value"]) for pair in asked.get("Dimensions", ())}

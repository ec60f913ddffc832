"""The operations on scheduled actions. Source: Application Auto Scaling API reference, PutScheduledAction and its siblings."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import remove_row
from tobo.resources.autoscaling.resource import (
    ACTIONS,
    INSTANCES,
    SAGEMAKER,
    SERVICE,
    arn_of,
    describe_rows,
    known_target,
    named,
    not_found,
    scaled_variant,
    variant_of,
)
from tobo.resources.autoscaling.schedules import first_time, read_schedule
from tobo.resources.autoscaling.targets import check_bounds
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

_TIMES = ("StartTime", "EndTime")


@operation(SERVICE, "PutScheduledAction")
def put_scheduled_action(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes an action or changes one: what is not given stays, but for StartTime and EndTime, which then are gone.

    Raises Fault ObjectNotFoundException without the target, ValidationException for a schedule that never comes.
    """
    target, name = known_target(call, asked), asked["ScheduledActionName"]
    key = Key(call.space, ACTIONS, f"{target.key.name}/{name}")
    while True:
        row = call.context.store.get(key)
        kept = _kept(asked, {} if row is None else row.asked)
        next_time = _next_time(kept, call.now, target)
        found = {"_next": next_time, "_begin": call.now}
        try:
            if row is None:
                row = Row(
                    key=key,
                    arn=arn_of(call, "scheduledAction", variant_of(target.key.name), f"scheduledActionName/{name}"),
                    asked=kept,
                    found=found,
                    status="",
                    state="Waiting",
                    created=call.now,
                    modified=call.now,
                    due=next_time,
                    todo=("wait",),
                )
                row = call.context.store.insert(row, Event(call.now, "put", row.state))
            else:
                changes = {"asked": kept, "found": found, "state": "Waiting", "due": next_time, "todo": ("wait",)}
                row = call.context.store.update(row, Event(call.now, "put", "Waiting"), modified=call.now, **changes)
        except (AlreadyExists, Conflict):
            continue
        call.context.wake(row)
        return {}


@operation(SERVICE, "DescribeScheduledActions")
def describe_scheduled_actions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of a variant, by their names, or all; the oldest first."""
    names = asked.get("ScheduledActionNames")
    return describe_rows(
        call,
        ACTIONS,
        asked,
        "ScheduledActions",
        _described,
        lambda row: not names or row.asked["ScheduledActionName"] in names,
    )


@operation(SERVICE, "DeleteScheduledAction")
def delete_scheduled_action(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds that it has set stay. Raises Fault ObjectNotFoundException."""
    name = asked["ScheduledActionName"]
    missing = not_found(f"No scheduled action found for {named(asked)}, scheduled action name: {name}")
    remove_row(call, ACTIONS, f"{scaled_variant(asked)}/{name}", lambda arn: missing)
    return {}


def following_time(asked: Mapping[str, Any], begin: float, now: float) -> float | None:
    """When an action happens next, as its row keeps it since `begin`; None where it never does.

    Raises Fault ValidationException.
    """
    start, end = asked.get("StartTime"), asked.get("EndTime")
    schedule = read_schedule(asked["Schedule"], asked["Timezone"], begin if start is None else start)
    return first_time(schedule, now, start, end)


def _kept(asked: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    if not asked.get("Schedule") and not before:
        raise validation("Schedule must be given where a scheduled action is put for the first time.")
    kept = {
        "ScheduledActionName": asked["ScheduledActionName"],
        "ResourceId": asked["ResourceId"],
        "Schedule": asked.get("Schedule") or before["Schedule"],
        "Timezone": asked.get("Timezone") or before.get("Timezone", "UTC"),
        "ScalableTargetAction": asked.get("ScalableTargetAction") or before.get("ScalableTargetAction", {}),
    }
    return kept | {member: asked[member].timestamp() for member in _TIMES if member in asked}


def _next_time(kept: Mapping[str, Any], now: float, target: Row) -> float:
    action = kept["ScalableTargetAction"]
    if not action.keys() & {"MinCapacity", "MaxCapacity"}:
        raise validation("ScalableTargetAction needs a MinCapacity, a MaxCapacity or both.")
    check_bounds(least := action.get("MinCapacity", 0), action.get("MaxCapacity", max(least, 0)))
    start, end = kept.get("StartTime"), kept.get("EndTime")
    if start is not None and end is not None and end <= start:
        raise validation("EndTime is not after StartTime; correct one of them.")
    time = following_time(kept, now, now)
    if time is None:
        raise validation(f"The Schedule '{kept['Schedule']}' of {target.key.name} has no time to come; correct it.")
    return time


def _described(row: Row) -> dict[str, Any]:
    times = {member: datetime.fromtimestamp(row.asked[member], UTC) for member in _TIMES if member in row.asked}
    return {
        "ScheduledActionARN": row.arn,
        "ServiceNamespace": SAGEMAKER,
        "ScalableDimension": INSTANCES,
        **row.asked,
        **times,
        "CreationTime": row.created,
    }

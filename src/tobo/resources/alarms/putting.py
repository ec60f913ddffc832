"""Putting an alarm's row: a new one, or another configuration of one that is there; and what its history says of it."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.resources.alarms import history
from tobo.resources.alarms.alarm import KIND, alarm_arn, described, is_composite, why
from tobo.resources.alarms.evaluation import INSUFFICIENT
from tobo.resources.alarms.tagging import check_tags
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Query, Row

UNCHECKED = "Unchecked: Initial alarm creation"

MOST_ALARMS = 5000
"""In a region: AWS's default quota."""


def put(call: Call, defaults: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault LimitExceeded, ValidationError for a name that an alarm of the other type has."""
    key = Key(call.space, KIND, asked["AlarmName"])
    kept = {**defaults, **{member: value for member, value in asked.items() if member != "Tags"}}
    while True:
        row = call.context.store.get(key)
        if row is not None and is_composite(row) != ("AlarmRule" in kept):
            raise Fault(
                "ValidationError", f"'{key.name}' is an alarm of the other type; delete it, or take another name."
            )
        try:
            row = _added(call, key, kept, asked) if row is None else configured(call, row, kept)
        except (AlreadyExists, Conflict):
            continue
        call.context.wake(row)
        return {}


def configured(call: Call, row: Row, kept: Mapping[str, Any]) -> Row:
    """What the alarm had still to do stays to be done. Raises Conflict."""
    found = {**row.found, "AlarmConfigurationUpdatedTimestamp": call.now, "_look": call.now}
    row = call.context.store.update(row, Event(call.now, "put", row.state), asked=kept, found=found, modified=call.now)
    note(call, row, "updated", {"type": "Update", "updatedAlarm": described(row)})
    return row


def note(call: Call, row: Row, what: str, data: Mapping[str, Any]) -> None:
    ordinal = f"{row.id}-{what}-{row.version}"
    history.write(call.context, row, ordinal, call.now, "ConfigurationUpdate", f'Alarm "{row.key.name}" {what}', data)


def _added(call: Call, key: Key, kept: Mapping[str, Any], asked: Mapping[str, Any]) -> Row:
    tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
    check_tags(key.name, tags)
    if call.context.store.count(Query(call.space, KIND)) >= MOST_ALARMS:
        raise Fault("LimitExceeded", f"There are {MOST_ALARMS} alarms in {call.space.region}; delete one first.")
    found = {**why(UNCHECKED, None, call.now), "StateTransitionedTimestamp": call.now, "_changes": 0, "_pending": []}
    row = Row(
        key=key,
        arn=alarm_arn(call.space, key.name),
        asked=kept,
        found={**found, "AlarmConfigurationUpdatedTimestamp": call.now},
        status=INSUFFICIENT,
        state=INSUFFICIENT,
        created=call.now,
        modified=call.now,
        tags=tags,
        due=call.now,
        todo=("watch",),
    )
    row = call.context.store.insert(row, Event(call.now, "put", row.state))
    note(call, row, "created", {"type": "Create", "createdAlarm": described(row)})
    return row

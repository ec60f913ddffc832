"""One alarm's row: how it is named and described, and what a change of its state writes into it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.resources.alarms.evaluation import Datapoint
from tobo.store.base import Key, Row

SERVICE, KIND = "cloudwatch", "alarm"

ACTIONS: Mapping[str, str] = {
    "OK": "OKActions",
    "ALARM": "AlarmActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
"""Which actions a state asks for."""

_STATE = (
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
)


def alarm_arn(space: Namespace, name: str) -> str:
    """`arn:aws:cloudwatch:<region>:<account>:alarm:<name>`."""
    return str(Arn(SERVICE, space.region, space.account, f"alarm:{name}"))


def known_alarm(call: Call, name: str) -> Row:
    """Raises Fault ResourceNotFound."""
    row = call.context.store.get(Key(call.space, KIND, name))
    if row is None:
        raise Fault("ResourceNotFound", f"The alarm '{name}' does not exist in {call.space.region}.", 404)
    return row


def is_composite(row: Row) -> bool:
    return "AlarmRule" in row.asked


def type_of(row: Row) -> str:
    """CloudWatch's AlarmType."""
    return "CompositeAlarm" if is_composite(row) else "MetricAlarm"


def described(row: Row) -> dict[str, Any]:
    """As DescribeAlarms gives it."""
    found = {member: row.found[member] for member in _STATE if row.found.get(member) is not None}
    times = {member: iso_time(at) for member, at in found.items() if member.endswith("Timestamp")}
    return {**row.asked, **found, **times, "AlarmArn": row.arn, "StateValue": row.state}


def actions_of(row: Row, state: str) -> list[str]:
    """The ARNs that a state asks for, each once; none while the alarm's actions are switched off."""
    return list(dict.fromkeys(row.asked[ACTIONS[state]])) if row.asked["ActionsEnabled"] else []


def changed(
    row: Row, state: str, reason: str, data: str | None, now: float, judged: Sequence[Datapoint] = ()
) -> dict[str, Any]:
    """What goes into `found` with a change of state: the reason, and what is still to be told of it.

    Changes wait in `_pending` until their history is written and their actions are done; `ordinal` names each for ever,
    and `alarm` is what it was about then.
    """
    number = row.found["_changes"] + 1
    change = {
        "ordinal": f"{row.id}-{number}",
        "at": now,
        "was": _state_of(row.state, row.found["StateReason"], row.found.get("StateReasonData")),
        "is": _state_of(state, reason, data),
        "alarm": as_told(row, state, reason),
        "actions": actions_of(row, state),
        "values": [point.value for point in judged],
    }
    return {
        **why(reason, data, now),
        "StateTransitionedTimestamp": now,
        "_changes": number,
        "_pending": [*row.found["_pending"], change],
    }


def why(reason: str, data: str | None, now: float) -> dict[str, Any]:
    """The members that tell why the state is what it is, since `now`."""
    return {"StateReason": reason, "StateReasonData": data, "StateUpdatedTimestamp": now}


def as_told(row: Row, state: str, reason: str) -> dict[str, Any]:
    """What actions are told of an alarm that is in `state`."""
    configured = row.found["AlarmConfigurationUpdatedTimestamp"]
    known = {"AlarmArn": row.arn, "AlarmConfigurationUpdatedTimestamp": configured}
    return {**row.asked, **known, "StateValue": state, "StateReason": reason}


def iso_time(seconds: float) -> datetime:
    """UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _state_of(state: str, reason: str, data: str | None) -> dict[str, Any]:
    return {"stateValue": state, "stateReason": reason, "stateReasonData": data}

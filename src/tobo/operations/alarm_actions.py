"""What alarms do when their state changes; each noun registers what the ARNs of its service mean to an alarm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context


@dataclass(frozen=True)
class AlarmCall:
    """An alarm asks for an action, because its state changed or because it stays what it is.

    `ordinal` names this call for ever: whoever is called twice with it, because a server was killed, acts once. `alarm`
    is what PutMetricAlarm was asked with its StateValue, StateReason, AlarmArn and AlarmConfigurationUpdatedTimestamp
    (epoch seconds), `was` its state before; `values` are the datapoints that it was judged by, the oldest first, none
    where there were none. `at` in epoch seconds.
    """

    ordinal: str
    alarm: Mapping[str, Any]
    was: str
    at: float
    values: Sequence[float] = ()


@dataclass(frozen=True)
class AlarmAction:
    """`check` refuses an ARN that names nothing of this kind (raises Fault); `act` is safe to repeat and raises Fault
    where nothing came of it. `repeats`: the action is asked for again and again while the alarm stays in its state."""

    check: Callable[[Context, Namespace, str], None]
    act: Callable[[Context, Namespace, str, AlarmCall], None]
    repeats: bool = False


ALARM_ACTIONS: dict[str, AlarmAction] = {}
"""By the service in the ARNs."""


def alarm_action(arn: str) -> AlarmAction:
    """What an ARN asks for; raises Fault ValidationError where alarms do nothing of the kind."""
    parts = arn.split(":", 5)
    action = ALARM_ACTIONS.get(parts[2]) if len(parts) == 6 and parts[0] == "arn" else None
    if action is None:
        raise Fault(
            "ValidationError",
            f"The action '{arn}' is nothing that alarms do here; give the ARN of a scaling policy or of an SNS topic.",
        )
    return action

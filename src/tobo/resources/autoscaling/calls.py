"""Alarms that call a step scaling policy: what they say is kept in the policy's row until its target is looked at."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import validation
from tobo.operations.alarm_actions import ALARM_ACTIONS, AlarmAction, AlarmCall
from tobo.operations.context import Context
from tobo.resources.autoscaling.decisions import COOLDOWN, Stepped
from tobo.resources.autoscaling.requests import STEP_CONFIGURATION
from tobo.resources.autoscaling.resource import POLICIES, TARGETS, not_found
from tobo.resources.autoscaling.steps import find_step
from tobo.store.base import Conflict, Key, Row

_KEPT_SECONDS = 3600.0
"""A call of an alarm that has not called for so long is forgotten."""


def stepped(policies: Iterable[Row], target: Row, changed: float) -> list[Stepped]:
    """The step scaling policies that alarms have called since the target was looked at; calls from before its last
    change of capacity do not count. A policy of which no step fits asks for nothing."""
    found = []
    for policy, call in _unanswered(policies, target):
        if call["at"] < changed:
            continue
        configuration = policy.asked[STEP_CONFIGURATION]
        step = find_step(configuration, call["threshold"], call["values"])
        if step is not None:
            cooldown = configuration.get("Cooldown", COOLDOWN)
            found.append(Stepped(policy.asked["PolicyName"], call["alarm"], call["state"], step, cooldown))
    return found


def answered(policies: Iterable[Row]) -> dict[str, str]:
    """For the target's row: the last call of each alarm to each policy."""
    return {_place(policy, call): call["ordinal"] for policy in policies for call in _calls(policy).values()}


def _unanswered(policies: Iterable[Row], target: Row) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    known = target.found.get("_answered", {})
    for policy in policies:
        for call in _calls(policy).values():
            if STEP_CONFIGURATION in policy.asked and known.get(_place(policy, call)) != call["ordinal"]:
                yield policy, call


def _check(context: Context, space: Namespace, arn: str) -> None:
    policy = _policy(context, space, arn)
    if STEP_CONFIGURATION not in policy.asked:
        raise validation(f"The policy '{arn}' follows its own metric; alarms call policies of PolicyType StepScaling.")


def _call(context: Context, space: Namespace, arn: str, call: AlarmCall) -> None:
    while True:
        policy = _policy(context, space, arn)
        name = call.alarm["AlarmName"]
        calls = _calls(policy)
        if name in calls and calls[name]["ordinal"] == call.ordinal:
            return
        said = {"ordinal": call.ordinal, "alarm": name, "state": call.alarm["StateValue"], "at": call.at}
        said |= {"threshold": call.alarm["Threshold"], "values": list(call.values)}
        kept = {other: before for other, before in calls.items() if before["at"] > call.at - _KEPT_SECONDS}
        found = {**policy.found, "_calls": {**kept, name: said}}
        try:
            context.store.update(policy, found=found)  # no event: alarms call for as long as they stay
        except Conflict:
            continue
        target = context.store.get(Key(space, TARGETS, policy.asked["ResourceId"]))
        if target is not None:
            context.wake(target)
        return


def _policy(context: Context, space: Namespace, arn: str) -> Row:
    """Raises Fault ObjectNotFoundException."""
    row = context.store.find_arn(arn)
    if row is None or row.key.space != space or row.key.kind != POLICIES:
        raise not_found(f"No scaling policy found for the ARN '{arn}' in {space.region}.")
    return row


def _calls(policy: Row) -> Mapping[str, Mapping[str, Any]]:
    calls: Mapping[str, Mapping[str, Any]] = policy.found.get("_calls", {})
    return calls


def _place(policy: Row, call: Mapping[str, Any]) -> str:
    return f"{policy.id}/{call['alarm']}"


ALARM_ACTIONS["autoscaling"] = AlarmAction(_check, _call, repeats=True)

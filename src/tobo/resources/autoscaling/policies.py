"""The operations on scaling policies. Source: Application Auto Scaling API reference, PutScalingPolicy and its siblings."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import remove_row
from tobo.resources.autoscaling.requests import TRACKING, check_policy
from tobo.resources.autoscaling.resource import (
    INSTANCES,
    POLICIES,
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
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


@operation(SERVICE, "PutScalingPolicy")
def put_scaling_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes a policy or replaces its configuration. Raises Fault ObjectNotFoundException, ValidationException."""
    target = known_target(call, asked)
    kind, member = check_policy(asked)
    name = asked["PolicyName"]
    kept = {"PolicyName": name, "ResourceId": target.key.name, "PolicyType": kind, member: asked[member]}
    key = Key(call.space, POLICIES, f"{target.key.name}/{name}")
    while True:
        row = call.context.store.get(key)
        try:
            if row is None:
                row = Row(
                    key=key,
                    arn=arn_of(call, "scalingPolicy", variant_of(target.key.name), f"policyName/{name}"),
                    asked=kept,
                    found={},
                    status="",
                    state="Put",
                    created=call.now,
                    modified=call.now,
                )
                call.context.store.insert(row, Event(call.now, "put", row.state))
            else:
                call.context.store.update(row, Event(call.now, "put", row.state), asked=kept, modified=call.now)
        except (AlreadyExists, Conflict):
            continue
        call.context.wake(target)
        return {"PolicyARN": row.arn, "Alarms": []}


@operation(SERVICE, "DescribeScalingPolicies")
def describe_scaling_policies(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of a variant, by their names, or all; the oldest first."""
    names = asked.get("PolicyNames")
    alarms = _alarms(call)
    return describe_rows(
        call,
        POLICIES,
        asked,
        "ScalingPolicies",
        lambda row: _described(row, alarms[row.arn]),
        lambda row: not names or row.asked["PolicyName"] in names,
    )


@operation(SERVICE, "DeleteScalingPolicy")
def delete_scaling_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The instances stay as they are. Raises Fault ObjectNotFoundException."""
    name = asked["PolicyName"]
    missing = not_found(f"No scaling policy found for {named(asked)}, policy name: {name}")
    remove_row(call, POLICIES, f"{scaled_variant(asked)}/{name}", lambda arn: missing)
    return {}


def _alarms(call: Call) -> Mapping[str, list[dict[str, str]]]:
    """Which alarms call which policy, by the policies' ARNs."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    asked: dict[str, Any] = {"ActionPrefix": "arn:aws:autoscaling:"}
    while True:
        page = call.context.as_house(call.space, "cloudwatch", "DescribeAlarms", **asked)
        for alarm in page["MetricAlarms"]:
            actions = (arn for member in _ACTIONS for arn in alarm[member])
            for arn in dict.fromkeys(actions):
                found[arn].append({"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]})
        if "NextToken" not in page:
            return found
        asked["NextToken"] = page["NextToken"]


def _described(row: Row, alarms: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "PolicyARN": row.arn,
        "ServiceNamespace": SAGEMAKER,
        "ScalableDimension": INSTANCES,
        "PolicyType": TRACKING,  # of the policies from before there were others
        **row.asked,
        "Alarms": alarms,
        "CreationTime": row.created,
    }

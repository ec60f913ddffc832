"""The operations on scaling policies, and what a policy may say. Source: API reference, PutScalingPolicy."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.registry import operation
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

INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
TRACKING, STEPS = "TargetTrackingScaling", "StepScaling"
_CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"
_OF_A_METRIC = ("MetricName", "Namespace", "Statistic")


@operation(SERVICE, "PutScalingPolicy")
def put_scaling_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes a policy or replaces its configuration. Raises Fault ObjectNotFoundException, ValidationException."""
    target = known_target(call, asked)
    _check(asked)
    name, configuration = asked["PolicyName"], asked[_CONFIGURATION]
    key = Key(call.space, POLICIES, f"{target.key.name}/{name}")
    while True:
        row = call.context.store.get(key)
        try:
            if row is None:
                row = Row(
                    key=key,
                    arn=arn_of(call, "scalingPolicy", variant_of(target.key.name), f"policyName/{name}"),
                    asked={"PolicyName": name, "ResourceId": target.key.name, _CONFIGURATION: configuration},
                    found={},
                    status="",
                    state="Put",
                    created=call.now,
                    modified=call.now,
                )
                call.context.store.insert(row, Event(call.now, "put", row.state))
            else:
                kept = {**row.asked, _CONFIGURATION: configuration}
                call.context.store.update(row, Event(call.now, "put", row.state), asked=kept, modified=call.now)
        except (AlreadyExists, Conflict):
            continue
        call.context.wake(target)
        return {"PolicyARN": row.arn, "Alarms": []}


@operation(SERVICE, "DescribeScalingPolicies")
def describe_scaling_policies(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of a variant, by their names, or all; the oldest first."""
    names = asked.get("PolicyNames")
    return describe_rows(
        call, POLICIES, asked, "ScalingPolicies", _described, lambda row: not names or row.asked["PolicyName"] in names
    )


@operation(SERVICE, "DeleteScalingPolicy")
def delete_scaling_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The instances stay as they are. Raises Fault ObjectNotFoundException."""
    key = Key(call.space, POLICIES, f"{scaled_variant(asked)}/{asked['PolicyName']}")
    while True:
        row = call.context.store.get(key)
        if row is None:
            raise not_found(f"No scaling policy found for {named(asked)}, policy name: {asked['PolicyName']}")
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
        return {}


def _check(asked: Mapping[str, Any]) -> None:
    kind = asked.get("PolicyType", STEPS)
    if kind == STEPS:
        raise validation(
            "A StepScaling policy is started by a CloudWatch alarm, and there are no alarms here yet; put a policy of "
            f"PolicyType {TRACKING}."
        )
    if kind != TRACKING:
        raise validation(f"PolicyType {kind} is not supported; use {TRACKING}.")
    configuration = asked.get(_CONFIGURATION)
    if not configuration:
        raise validation(f"A policy of PolicyType {TRACKING} needs a {_CONFIGURATION}.")
    if configuration["TargetValue"] <= 0:
        raise validation(f"TargetValue {configuration['TargetValue']:g} is not above 0.")
    for member in ("ScaleOutCooldown", "ScaleInCooldown"):
        if configuration.get(member, 0) < 0:
            raise validation(f"{member} {configuration[member]} is below 0.")
    predefined, own = (configuration.get(f"{kind}MetricSpecification") for kind in ("Predefined", "Customized"))
    if bool(predefined) == bool(own):
        raise validation("Give either a PredefinedMetricSpecification or a CustomizedMetricSpecification.")
    if own:
        _check_metric(own)
    elif predefined["PredefinedMetricType"] != INVOCATIONS:
        raise validation(
            f"PredefinedMetricType {predefined['PredefinedMetricType']} is not measured for variants here; use "
            f"{INVOCATIONS}, or a CustomizedMetricSpecification."
        )


def _check_metric(own: Mapping[str, Any]) -> None:
    if own.get("Metrics"):
        raise validation(
            "CustomizedMetricSpecification.Metrics (metric math) is not supported; give Namespace, MetricName, Dimensions and "
            "Statistic."
        )
    if missing := [member for member in _OF_A_METRIC if not own.get(member)]:
        raise validation(f"CustomizedMetricSpecification needs {', '.join(missing)}.")


def _described(row: Row) -> dict[str, Any]:
    return {
        "PolicyARN": row.arn,
        "ServiceNamespace": SAGEMAKER,
        "ScalableDimension": INSTANCES,
        "PolicyType": TRACKING,
        **row.asked,
        "Alarms": [],
        "CreationTime": row.created,
    }

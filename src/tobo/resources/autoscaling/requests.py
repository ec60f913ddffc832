"""What a scaling policy may say. Source: Application Auto Scaling API reference, PutScalingPolicy."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.resources.autoscaling.steps import check_steps

INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
TRACKING, STEPS = "TargetTrackingScaling", "StepScaling"
TRACKING_CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"
STEP_CONFIGURATION = "StepScalingPolicyConfiguration"

_OF_A_METRIC = ("MetricName", "Namespace", "Statistic")


def check_policy(asked: Mapping[str, Any]) -> tuple[str, str]:
    """The PolicyType of a PutScalingPolicy, and the member that holds its configuration.

    Raises Fault ValidationException where the configuration is missing or wrong.
    """
    kind = asked.get("PolicyType", STEPS)
    if kind not in (TRACKING, STEPS):
        raise validation(f"PolicyType {kind} is not supported; use {TRACKING} or {STEPS}.")
    member, check = (STEP_CONFIGURATION, check_steps) if kind == STEPS else (TRACKING_CONFIGURATION, _check_tracking)
    if not asked.get(member):
        raise validation(f"A policy of PolicyType {kind} needs a {member}.")
    check(asked[member])
    return kind, member


def _check_tracking(configuration: Mapping[str, Any]) -> None:
    if configuration["TargetValue"] <= 0:
        raise validation(f"TargetValue {configuration['TargetValue']:g} is not above 0.")
    for member in ("ScaleOutCooldown", "ScaleInCooldown"):
        if configuration.get(member, 0) < 0:
            raise validation(f"{member} {configuration[member]} is below 0.")
    predefined = configuration.get("PredefinedMetricSpecification", {})
    own = configuration.get("CustomizedMetricSpecification", {})
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

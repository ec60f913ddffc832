"""Application Auto Scaling's operations through boto3: what is kept, described, paged, tagged and refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.resources.autoscaling.conftest import WHERE
from tests.support.unique import unique

TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    "Cooldown": 60,
    "MetricAggregationType": "Maximum",
}
OWN = {"MetricName": "Load", "Namespace": "Mine", "Statistic": "Average"}


def refused(call: Callable[..., Any], code: str, text: str, **asked: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**asked)
    assert error.value.response["Error"]["Code"] == code, error.value
    assert text in error.value.response["Error"]["Message"]


def test_a_target_is_registered_changed_described_and_deregistered(scaling: Any, place: dict[str, str]) -> None:
    arn = scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)["ScalableTargetARN"]
    assert ":application-autoscaling:us-east-1:" in arn and ":scalable-target/" in arn
    suspended = {"DynamicScalingInSuspended": True}
    assert (
        scaling.register_scalable_target(**place, MaxCapacity=3, SuspendedState=suspended)["ScalableTargetARN"] == arn
    )
    [target] = scaling.describe_scalable_targets(**WHERE, ResourceIds=[place["ResourceId"]])["ScalableTargets"]
    assert target.pop("CreationTime") and target.pop("RoleARN").endswith("_SageMakerEndpoint")
    assert target == {
        **place,
        "MinCapacity": 1,
        "MaxCapacity": 3,
        "ScalableTargetARN": arn,
        "SuspendedState": {
            "DynamicScalingInSuspended": True,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }
    scaling.put_scaling_policy(
        **place, PolicyName="p", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=TRACKING
    )
    action = {"ScheduledActionName": "a", "Schedule": "rate(1 day)", "ScalableTargetAction": {"MaxCapacity": 2}}
    scaling.put_scheduled_action(**place, **action)
    scaling.deregister_scalable_target(**place)
    assert scaling.describe_scalable_targets(**WHERE, ResourceIds=[place["ResourceId"]])["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(**place)["ScalingPolicies"] == []
    assert scaling.describe_scheduled_actions(**place)["ScheduledActions"] == []
    refused(scaling.deregister_scalable_target, "ObjectNotFoundException", "No scalable target found for", **place)


def test_what_cannot_be_registered_is_refused(scaling: Any, place: dict[str, str]) -> None:
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    for changed, text in (
        ({"ServiceNamespace": "ecs"}, "The service namespace 'ecs'"),
        ({"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}, "is not scaled here"),
        ({"ResourceId": "endpoint/x"}, "expected endpoint/NAME/variant/VARIANT"),
        ({"ResourceId": "endpoint/no-such-one/variant/AllTraffic"}, "Could not find endpoint"),
        ({"ResourceId": place["ResourceId"].replace("AllTraffic", "Blue")}, "has no variant 'Blue'; it has AllTraffic"),
        ({"MinCapacity": 3}, "MaxCapacity 2 is below MinCapacity 3"),
        ({"MinCapacity": -1}, "MinCapacity -1 is below 0"),
    ):
        refused(scaling.register_scalable_target, "ValidationException", text, **{**place, **bounds, **changed})
    refused(
        scaling.register_scalable_target, "ValidationException", "MaxCapacity must be given", **place, MinCapacity=1
    )
    many = {f"k{number}": "" for number in range(51)}
    refused(scaling.register_scalable_target, "TooManyTagsException", "51 tags", **place, **bounds, Tags=many)
    assert scaling.describe_scalable_targets(**WHERE, ResourceIds=[place["ResourceId"]])["ScalableTargets"] == []


def test_a_policy_is_put_replaced_and_deleted(scaling: Any, place: dict[str, str]) -> None:
    policy = {"PolicyName": "load/of it", "PolicyType": "TargetTrackingScaling"}
    configuration = "TargetTrackingScalingPolicyConfiguration"
    refused(
        scaling.put_scaling_policy,
        "ObjectNotFoundException",
        "No scalable target registered for service namespace: sagemaker, resource ID:",
        **place,
        **policy,
        **{configuration: TRACKING},
    )
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)
    arn = scaling.put_scaling_policy(**place, **policy, **{configuration: TRACKING})["PolicyARN"]
    own = {"TargetValue": 5.0, "CustomizedMetricSpecification": OWN, "ScaleInCooldown": 60, "DisableScaleIn": True}
    assert scaling.put_scaling_policy(**place, **policy, **{configuration: own})["PolicyARN"] == arn
    [found] = scaling.describe_scaling_policies(**place, PolicyNames=["load/of it"])["ScalingPolicies"]
    assert found.pop("CreationTime")
    assert found == {**place, **policy, "PolicyARN": arn, "Alarms": [], configuration: own}
    assert scaling.describe_scaling_policies(**place, PolicyNames=["other"])["ScalingPolicies"] == []
    scaling.delete_scaling_policy(**place, PolicyName="load/of it")
    refused(scaling.delete_scaling_policy, "ObjectNotFoundException", "policy name: other", **place, PolicyName="other")


def test_a_step_scaling_policy_and_the_alarms_that_call_it(
    scaling: Any, scaling_server: Server, place: dict[str, str]
) -> None:
    cloudwatch, steps = scaling_server.client("cloudwatch"), "StepScalingPolicyConfiguration"
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)
    put = {**place, "PolicyName": unique("steps"), "PolicyType": "StepScaling"}
    wrong = {**STEPS, "StepAdjustments": [*STEPS["StepAdjustments"], *STEPS["StepAdjustments"]]}
    refused(scaling.put_scaling_policy, "ValidationException", "overlap", **put, **{steps: wrong})
    answer = scaling.put_scaling_policy(**put, **{steps: STEPS})
    assert answer["Alarms"] == []
    policy = answer["PolicyARN"]
    alarm = {"AlarmName": unique("busy"), "Namespace": "Mine", "MetricName": "m", "Statistic": "Sum", "Period": 60}
    alarm |= {"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(**alarm, AlarmActions=[policy], OKActions=[policy])
    [found] = scaling.describe_scaling_policies(**place)["ScalingPolicies"]
    arn = cloudwatch.describe_alarms(ActionPrefix=policy)["MetricAlarms"][0]["AlarmArn"]
    assert found["Alarms"] == [{"AlarmName": alarm["AlarmName"], "AlarmARN": arn}]
    assert (found["PolicyType"], found[steps]) == ("StepScaling", STEPS)
    tracking = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING}
    other = scaling.put_scaling_policy(**{**put, "PolicyName": "track", **tracking})["PolicyARN"]
    for action, text in ((other, "follows its own metric"), (f"{policy}x", "No scaling policy found for the ARN")):
        refused(cloudwatch.put_metric_alarm, "ValidationError", text, **alarm, AlarmActions=[action])
    cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"]])
    assert all(policy["Alarms"] == [] for policy in scaling.describe_scaling_policies(**place)["ScalingPolicies"])
    scaling.put_scaling_policy(**{**put, **tracking})
    found = scaling.describe_scaling_policies(**place, PolicyNames=[put["PolicyName"]])["ScalingPolicies"][0]
    assert (found["PolicyARN"], found["PolicyType"], steps in found) == (policy, "TargetTrackingScaling", False)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"PolicyType": "StepScaling"}, "needs a StepScalingPolicyConfiguration"),
        ({"PolicyType": "PredictiveScaling"}, "PolicyType PredictiveScaling is not supported"),
        ({}, "needs a TargetTrackingScalingPolicyConfiguration"),
        ({"configuration": {**TRACKING, "TargetValue": 0.0}}, "TargetValue 0 is not above 0"),
        ({"configuration": {**TRACKING, "ScaleInCooldown": -1}}, "ScaleInCooldown -1 is below 0"),
        ({"configuration": {"TargetValue": 1.0}}, "Give either"),
        ({"configuration": {**TRACKING, "CustomizedMetricSpecification": OWN}}, "Give either"),
        (
            {"configuration": {"TargetValue": 1.0, "CustomizedMetricSpecification": {"MetricName": "x"}}},
            "needs Namespace, Statistic",
        ),
        (
            {
                "configuration": {
                    "TargetValue": 1.0,
                    "CustomizedMetricSpecification": {"Metrics": [{"Id": "e", "Expression": "a/b"}]},
                }
            },
            "metric math",
        ),
        (
            {
                "configuration": {
                    "TargetValue": 1.0,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                }
            },
            "is not measured for variants here",
        ),
    ],
)
def test_a_wrong_policy_is_refused(scaling: Any, place: dict[str, str], asked: dict[str, Any], text: str) -> None:
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)
    given = {"PolicyType": "TargetTrackingScaling", **asked}
    if configuration := given.pop("configuration", None):
        given["TargetTrackingScalingPolicyConfiguration"] = configuration
    refused(scaling.put_scaling_policy, "ValidationException", text, **place, PolicyName="p", **given)
    assert scaling.describe_scaling_policies(**place)["ScalingPolicies"] == []


def test_a_scheduled_action_is_put_changed_and_deleted(scaling: Any, place: dict[str, str]) -> None:
    named = {**place, "ScheduledActionName": "morning"}
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    every_day = {"Schedule": "cron(0 8 * * ? *)", "ScalableTargetAction": bounds}
    refused(
        scaling.put_scheduled_action, "ObjectNotFoundException", "No scalable target registered", **named, **every_day
    )
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)
    start = datetime(2090, 1, 1, tzinfo=UTC)
    scaling.put_scheduled_action(**named, **every_day, Timezone="Europe/Berlin", StartTime=start)
    [found] = scaling.describe_scheduled_actions(**place, ScheduledActionNames=["morning"])["ScheduledActions"]
    assert found["StartTime"] == start and found["Timezone"] == "Europe/Berlin"
    assert found["ScalableTargetAction"] == bounds and ":scheduledAction:" in found["ScheduledActionARN"]
    scaling.put_scheduled_action(**named, ScalableTargetAction={"MaxCapacity": 1})  # the start, not given, is gone
    [found] = scaling.describe_scheduled_actions(**place)["ScheduledActions"]
    assert "StartTime" not in found
    assert (found["Schedule"], found["Timezone"]) == ("cron(0 8 * * ? *)", "Europe/Berlin")
    assert found["ScalableTargetAction"] == {"MaxCapacity": 1}
    put = scaling.put_scheduled_action
    for changed, text in (
        ({"Schedule": "at(2001-01-01T00:00:00)"}, "has no time to come"),
        ({"Schedule": "sometimes"}, "is none of at"),
        ({"Timezone": "Mars/Olympus"}, "is not known"),
        ({"ScalableTargetAction": {}}, "needs a MinCapacity"),
        ({"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}}, "MaxCapacity 1 is below"),
        ({"ScalableTargetAction": {"MinCapacity": -1}}, "is below 0"),
        ({"StartTime": start, "EndTime": start}, "EndTime is not after StartTime"),
    ):
        refused(put, "ValidationException", text, **{**named, "ScheduledActionName": "wrong", **every_day, **changed})
    refused(put, "ValidationException", "Schedule must be given", **place, ScheduledActionName="x")
    scaling.delete_scheduled_action(**named)
    refused(scaling.delete_scheduled_action, "ObjectNotFoundException", "scheduled action name: morning", **named)


def test_pages(scaling: Any, place: dict[str, str]) -> None:
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)
    for number in range(5):
        scaling.put_scaling_policy(
            **place,
            PolicyName=f"p{number}",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    pages = list(scaling.get_paginator("describe_scaling_policies").paginate(**place, PaginationConfig={"PageSize": 2}))
    assert [len(page["ScalingPolicies"]) for page in pages] == [2, 2, 1]
    names = [policy["PolicyName"] for page in pages for policy in page["ScalingPolicies"]]
    assert names == [f"p{number}" for number in range(5)]
    token = pages[0]["NextToken"]
    refused(scaling.describe_scheduled_actions, "InvalidNextTokenException", "NextToken", **place, NextToken=token)
    refused(scaling.describe_scaling_policies, "InvalidNextTokenException", "NextToken", **place, NextToken="mine")
    refused(scaling.describe_scaling_policies, "ValidationException", "MaxResults 51", **place, MaxResults=51)
    for name in ("describe_scalable_targets", "describe_scaling_activities", "describe_scheduled_actions"):
        assert list(scaling.get_paginator(name).paginate(**WHERE))
        assert not any(scaling.get_paginator(name).paginate(ServiceNamespace="ecs").search("[*][]"))


def test_tags(scaling: Any, scaling_server: Server, place: dict[str, str]) -> None:
    arn = scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=1, Tags={"a": "1"})["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2", "c": "3"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a", "none"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2", "c": "3"}
    refused(scaling.register_scalable_target, "ValidationException", "TagResource", **place, Tags={"d": "4"})
    many = {f"k{number}": "" for number in range(49)}
    refused(scaling.tag_resource, "TooManyTagsException", "51 tags", ResourceARN=arn, Tags=many)
    elsewhere = scaling_server.client("application-autoscaling", "eu-west-1")
    refused(elsewhere.list_tags_for_resource, "ResourceNotFoundException", "is not registered here", ResourceARN=arn)

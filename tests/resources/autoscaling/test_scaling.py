"""Variants that are scaled: by their load, by a metric of one's own, by the clock, to zero and back. Periods of 0.2 s."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.resources.autoscaling.conftest import resource
from tests.support.named import BUCKET, asker, load, make_endpoint, make_named_model, named_variant, settled
from tests.support.processes import until
from tests.support.unique import unique


def instances(server: Server, endpoint: str) -> int:
    """DesiredInstanceCount of an endpoint that is not being changed; -1 while it is."""
    described = server.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    [variant] = described["ProductionVariants"]
    return int(variant["DesiredInstanceCount"]) if described["EndpointStatus"] == "InService" else -1


def track(scaling: Any, endpoint: str, target: float, metric: dict[str, Any] | None = None, **more: Any) -> None:
    """A target tracking policy without cooldowns."""
    specification: dict[str, Any] = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    }
    if metric is not None:
        specification = {"CustomizedMetricSpecification": metric}
    scaling.put_scaling_policy(
        **resource(endpoint),
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target,
            **specification,
            "ScaleOutCooldown": 0,
            "ScaleInCooldown": 0,
            **more,
        },
    )


def activities(scaling: Any, endpoint: str) -> list[dict[str, Any]]:
    """The oldest first."""
    found = scaling.describe_scaling_activities(**resource(endpoint))["ScalingActivities"]
    return list(reversed(found))


def test_load_scales_out_and_rest_scales_in(scaling_server: Server, scaling: Any, endpoint: Callable[..., str]) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=2)
    track(scaling, name, target=60.0)
    with load(scaling_server, name, clients=2) as seen:
        until(lambda: instances(scaling_server, name) == 2, 30)
    assert set(seen) == {name}
    until(lambda: instances(scaling_server, name) == 1, 40)
    until(lambda: [a["StatusCode"] for a in activities(scaling, name)] == ["Successful"] * 2, 10)
    out, fewer = activities(scaling, name)
    assert out["Description"] == "Setting desired instance count to 2."
    assert out["Cause"].startswith("policy track: SageMakerVariantInvocationsPerInstance was ")
    assert out["StatusMessage"].startswith("Successfully set desired instance count to 2.")
    assert out["EndTime"] >= out["StartTime"] and fewer["Description"] == "Setting desired instance count to 1."
    assert fewer["Cause"].endswith("below 54")


def test_a_metric_of_ones_own_and_the_cooldown(
    scaling_server: Server, scaling: Any, endpoint: Callable[..., str]
) -> None:
    name = endpoint()
    cloudwatch = scaling_server.client("cloudwatch")
    dimensions = [{"Name": "Queue", "Value": name}]

    def put(value: float) -> None:
        now = datetime.now(UTC)
        data = [
            {
                "MetricName": "Depth",
                "Dimensions": dimensions,
                "Value": value,
                "Timestamp": now - timedelta(seconds=back / 4),
            }
            for back in range(12)
        ]
        cloudwatch.put_metric_data(Namespace="Mine", MetricData=data)

    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=4)
    metric = {"Namespace": "Mine", "MetricName": "Depth", "Dimensions": dimensions, "Statistic": "Average"}
    track(scaling, name, 10.0, metric, ScaleOutCooldown=3600, DisableScaleIn=True)

    def scaled_out() -> bool:
        put(15.0)
        return instances(scaling_server, name) == 2

    until(scaled_out, 30)
    for _ in range(6):  # the cooldown holds a step as large as the last one
        put(15.0)
        time.sleep(0.5)
    assert instances(scaling_server, name) == 2
    assert len(activities(scaling, name)) == 1

    def scaled_further() -> bool:
        put(40.0)
        return instances(scaling_server, name) == 4

    until(scaled_further, 30)  # a larger one goes through


def test_a_scheduled_action_comes_at_its_time(
    scaling_server: Server, scaling: Any, endpoint: Callable[..., str]
) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=1)
    at = datetime.now(UTC) + timedelta(seconds=2)
    scaling.put_scheduled_action(
        **resource(name),
        ScheduledActionName="soon",
        Schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
    )
    until(lambda: instances(scaling_server, name) == 2, 30)
    [target] = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[resource(name)["ResourceId"]]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)
    until(lambda: [a["StatusCode"] for a in activities(scaling, name)] == ["Successful"] * 2, 10)
    bounds, count = activities(scaling, name)
    assert bounds["Cause"] == "scheduled action name soon was triggered"
    assert bounds["Description"] == "Setting min capacity to 2 and max capacity to 3"
    assert count["Cause"] == "minimum capacity was set to 2"


def test_what_is_suspended_does_not_happen(scaling_server: Server, scaling: Any, endpoint: Callable[..., str]) -> None:
    name = endpoint(2)
    suspended = {"ScheduledScalingSuspended": True, "DynamicScalingInSuspended": True}
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=2, SuspendedState=suspended)
    track(scaling, name, target=60.0)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    scaling.put_scheduled_action(
        **resource(name),
        ScheduledActionName="soon",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        StartTime=soon,
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0},
    )
    time.sleep(6)  # longer than the 15 periods of no load that would scale in
    assert instances(scaling_server, name) == 2 and activities(scaling, name) == []
    scaling.register_scalable_target(**resource(name), SuspendedState={"DynamicScalingInSuspended": False})
    until(lambda: instances(scaling_server, name) == 1, 10)


def test_to_zero_and_awake_by_the_first_requests(
    scaling_server: Server, scaling: Any, endpoint: Callable[..., str]
) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=0, MaxCapacity=2)
    track(scaling, name, target=60.0)
    until(lambda: instances(scaling_server, name) == 0, 40)
    scaling.delete_scaling_policy(**resource(name), PolicyName="track")  # nor does it fall asleep again
    ask = asker(scaling_server, name)
    with ThreadPoolExecutor(5) as clients:
        assert set(clients.map(ask, [f"call {number}" for number in range(5)])) == {name}
    assert instances(scaling_server, name) == 1
    assert activities(scaling, name)[-1]["Cause"] == "requests wait and there is no instance"


def test_a_backlog_wakes_an_asynchronous_endpoint(scaling_server: Server, scaling: Any) -> None:
    name = unique("scaled-async")
    make_named_model(scaling_server, name)
    output = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}}
    make_endpoint(scaling_server, name, named_variant(name), AsyncInferenceConfig=output)
    sagemaker, s3 = scaling_server.client("sagemaker"), scaling_server.client("s3")
    scaling.register_scalable_target(**resource(name), MinCapacity=0, MaxCapacity=1)
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    )
    until(lambda: instances(scaling_server, name) == 0, 20)
    s3.put_object(Bucket=BUCKET, Key="in", Body=b"wake up")
    asked = scaling_server.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=name, InputLocation=f"s3://{BUCKET}/in"
    )
    key = asked["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
    until(lambda: bool(s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents")), 40)
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == f"{name}: wake up".encode()
    assert activities(scaling, name)[-1]["Cause"] == "requests wait and there is no instance"
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_variant_at_rest_that_nothing_scales_says_so(
    scaling_server: Server, scaling: Any, endpoint: Callable[..., str]
) -> None:
    name = endpoint()
    scaling_server.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    )
    until(lambda: instances(scaling_server, name) == 0, 20)
    with pytest.raises(ClientError, match="is paused"):
        asker(scaling_server, name)("anybody there")
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=1)
    until(lambda: instances(scaling_server, name) == 1, 20)
    assert asker(scaling_server, name)("anybody there") == name


def test_a_change_that_fails_is_told(scaling_server: Server, scaling: Any, endpoint: Callable[..., str]) -> None:
    name = endpoint()
    files = (scaling_server.state / "endpoints").glob("*/*/AllTraffic/model/name.txt")
    [file] = [file for file in files if file.read_text() == name]
    file.write_text("broken")
    scaling.register_scalable_target(**resource(name), MinCapacity=2, MaxCapacity=2)
    until(lambda: [a["StatusCode"] for a in activities(scaling, name)][:1] == ["Failed"], 30)
    failed = activities(scaling, name)[0]
    assert failed["StatusMessage"].startswith("Failed to set desired instance count to 2. The model of variant")
    time.sleep(2)
    assert len(activities(scaling, name)) == 1  # it is not tried again and again
    assert asker(scaling_server, name)("still there") == name
    file.write_text(name)
    scaling.register_scalable_target(**resource(name), MinCapacity=2)
    until(lambda: instances(scaling_server, name) == 2, 30)


def test_a_target_that_is_deregistered_while_it_scales(scaling_server: Server, scaling: Any) -> None:
    slow_start = unique("slow-start")
    make_named_model(scaling_server, slow_start, LOADING="1.5")
    make_endpoint(scaling_server, slow_start, named_variant(slow_start))
    where = resource(slow_start)
    scaling.register_scalable_target(**where, MinCapacity=2, MaxCapacity=2)
    until(lambda: len(activities(scaling, slow_start)) == 1, 20)
    scaling.deregister_scalable_target(**where)
    [activity] = activities(scaling, slow_start)
    assert (activity["StatusCode"], activity["StatusMessage"]) == (
        "Failed",
        "The scalable target was deregistered meanwhile.",
    )
    scaling_server.client("sagemaker").delete_endpoint(EndpointName=slow_start)


def test_a_target_goes_with_its_endpoint(scaling_server: Server, scaling: Any) -> None:
    short_lived = unique("short-lived")
    make_named_model(scaling_server, short_lived)
    make_endpoint(scaling_server, short_lived, named_variant(short_lived))
    scaling.register_scalable_target(**resource(short_lived), MinCapacity=1, MaxCapacity=2)
    track(scaling, short_lived, target=60.0)
    scaling_server.client("sagemaker").delete_endpoint(EndpointName=short_lived)
    wanted = {"ServiceNamespace": "sagemaker", "ResourceIds": [resource(short_lived)["ResourceId"]]}
    until(lambda: not scaling.describe_scalable_targets(**wanted)["ScalableTargets"], 20)
    assert scaling.describe_scaling_policies(**resource(short_lived))["ScalingPolicies"] == []


def test_a_server_killed_while_it_scales_goes_on(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_SCALING_PERIOD_SECONDS="0.2")
    make_named_model(server, "killed")
    make_endpoint(server, "killed", named_variant("killed"))
    scaling = server.client("application-autoscaling")
    scaling.register_scalable_target(**resource("killed"), MinCapacity=2, MaxCapacity=2)
    until(lambda: len(activities(scaling, "killed")) == 1, 20)
    server.kill()
    server.start()
    scaling = server.client("application-autoscaling")
    until(lambda: [a["StatusCode"] for a in activities(scaling, "killed")] == ["Successful"], 30)
    assert settled(server, "killed")["ProductionVariants"][0]["CurrentInstanceCount"] == 2


def test_the_metrics_that_scaling_goes_by_are_written(scaling_server: Server, endpoint: Callable[..., str]) -> None:
    name = endpoint()
    with load(scaling_server, name, clients=1):
        time.sleep(3)
    cloudwatch = scaling_server.client("cloudwatch")
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}]

    def seen(namespace: str, metric: str, statistic: str) -> float:
        now = datetime.now(UTC)
        found = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=now - timedelta(minutes=2),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return max((point[statistic] for point in found), default=-1.0)

    until(lambda: seen("AWS/SageMaker", "Invocations", "Sum") > 10, 10)
    assert seen("AWS/SageMaker", "InvocationsPerInstance", "Sum") > 10
    assert 0 < seen("/aws/sagemaker/Endpoints", "CPUUtilization", "Maximum") <= 100 * 64
    assert 0 < seen("/aws/sagemaker/Endpoints", "MemoryUtilization", "Average") < 100


def give(server: Server, endpoint: str, count: int) -> None:
    """By hand, as the console's Pause and Start again do."""
    server.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
    )


def pause(server: Server, endpoint: str) -> None:
    give(server, endpoint, 0)
    until(lambda: instances(server, endpoint) == 0, 20)


def test_a_pause_holds_against_bounds_and_clock_until_it_is_started_again(
    scaling_server: Server, scaling: Any, endpoint: Callable[..., str]
) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=2)
    track(scaling, name, target=60.0)
    pause(scaling_server, name)
    in_a_moment = (datetime.now(UTC) + timedelta(seconds=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.put_scheduled_action(
        **resource(name),
        ScheduledActionName="wake",
        Schedule=in_a_moment,
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 2},
    )
    until(lambda: len(activities(scaling, name)) == 1, 20)  # the bounds are others now
    time.sleep(2)  # ten looks
    assert instances(scaling_server, name) == 0
    with pytest.raises(ClientError, match="is paused"):
        asker(scaling_server, name)("anybody there")
    give(scaling_server, name, 1)
    until(lambda: instances(scaling_server, name) == 2, 20)  # it is scaled again
    pause(scaling_server, name)
    time.sleep(1)
    assert instances(scaling_server, name) == 0
    scaling.register_scalable_target(**resource(name), MinCapacity=1)  # who says so wants an instance
    until(lambda: instances(scaling_server, name) == 1, 20)


def test_what_sleeps_is_not_paused(scaling_server: Server, scaling: Any, endpoint: Callable[..., str]) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=0, MaxCapacity=1)
    pause(scaling_server, name)
    time.sleep(1)
    in_a_moment = (datetime.now(UTC) + timedelta(seconds=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.put_scheduled_action(
        **resource(name), ScheduledActionName="wake", Schedule=in_a_moment, ScalableTargetAction={"MinCapacity": 1}
    )
    until(lambda: instances(scaling_server, name) == 1, 20)

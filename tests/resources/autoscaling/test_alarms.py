"""Alarms that scale variants by steps: a metric of one's own, put once a second, periods of a second."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from tests.conftest import Server
from tests.resources.autoscaling.conftest import resource
from tests.resources.autoscaling.test_scaling import activities, instances
from tests.support.named import load, make_endpoint, make_named_model, named_variant
from tests.support.processes import until
from tests.support.unique import unique

Endpoint = Callable[..., str]


@pytest.fixture
def cloudwatch(scaling_server: Server) -> Any:
    return scaling_server.client("cloudwatch")


@pytest.fixture
def alarm(cloudwatch: Any) -> Iterator[Callable[..., str]]:
    """`alarm(queue, 5.0, AlarmActions=[arn])`: above the threshold in one second; deleted after the test."""
    made: list[str] = []

    def put(queue: str, threshold: float, **more: Any) -> str:
        name = unique("busy")
        cloudwatch.put_metric_alarm(
            **{
                "AlarmName": name,
                "Namespace": "Mine",
                "MetricName": "Depth",
                "Dimensions": [{"Name": "Queue", "Value": queue}],
                "Statistic": "Average",
                "Period": 1,
                "EvaluationPeriods": 1,
                "Threshold": threshold,
                "ComparisonOperator": "GreaterThanThreshold",
                **more,
            }
        )
        made.append(name)
        return name

    yield put
    cloudwatch.delete_alarms(AlarmNames=made)


@contextmanager
def depth(cloudwatch: Any, queue: str, value: float) -> Iterator[None]:
    """A queue that is so deep meanwhile."""
    over = Event()

    def put() -> None:
        while not over.wait(0.2):
            datum = {"MetricName": "Depth", "Dimensions": [{"Name": "Queue", "Value": queue}], "Value": value}
            times = [datetime.now(UTC) - timedelta(seconds=back) for back in range(3)]
            cloudwatch.put_metric_data(Namespace="Mine", MetricData=[{**datum, "Timestamp": at} for at in times])

    thread = Thread(target=put)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def put_steps(scaling: Any, endpoint: str, *steps: tuple[float | None, float | None, int], **more: Any) -> str:
    """A step scaling policy of (lower bound, upper bound, change), without a cooldown; its ARN."""
    found = []
    for low, high, change in steps:
        bounds = {"MetricIntervalLowerBound": low, "MetricIntervalUpperBound": high}
        found.append({"ScalingAdjustment": change, **{name: at for name, at in bounds.items() if at is not None}})
    put = scaling.put_scaling_policy(
        **resource(endpoint),
        PolicyName=unique("steps"),
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": found,
            "Cooldown": 0,
            **more,
        },
    )
    return str(put["PolicyARN"])


def test_an_alarm_adds_instances_by_its_steps_and_its_end_takes_them_away(
    scaling_server: Server, scaling: Any, cloudwatch: Any, endpoint: Endpoint, alarm: Callable[..., str]
) -> None:
    name, queue = endpoint(), unique("queue")
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=3)
    more = put_steps(scaling, name, (0.0, 10.0, 1), (10.0, None, 2), Cooldown=3600)
    fewer = put_steps(scaling, name, (None, 0.0, 1), AdjustmentType="ExactCapacity")
    busy = alarm(queue, 5.0, AlarmActions=[more], OKActions=[fewer])
    with depth(cloudwatch, queue, 7.0):
        until(lambda: instances(scaling_server, name) == 2)
        time.sleep(2.5)  # it stays in ALARM, and the cooldown holds a step as large as the last one
        assert instances(scaling_server, name) == 2
    with depth(cloudwatch, queue, 20.0):  # a larger step goes through, less what was added already
        until(lambda: instances(scaling_server, name) == 3)
    with depth(cloudwatch, queue, 1.0):
        until(lambda: instances(scaling_server, name) == 1)
    until(lambda: [activity["StatusCode"] for activity in activities(scaling, name)] == ["Successful"] * 3)
    told = [activity["Cause"] for activity in activities(scaling, name)]
    assert [cause.partition(" triggered policy steps-")[0] for cause in told] == [
        f"monitor alarm {busy} in state ALARM",
        f"monitor alarm {busy} in state ALARM",
        f"monitor alarm {busy} in state OK",
    ]
    actions = cloudwatch.describe_alarm_history(AlarmName=busy, HistoryItemType="Action")["AlarmHistoryItems"]
    assert {action["HistorySummary"] for action in actions} == {
        f"Successfully executed action {more}",
        f"Successfully executed action {fewer}",
    }


def test_an_alarm_that_stays_goes_on_up_to_the_bound(
    scaling_server: Server, scaling: Any, cloudwatch: Any, endpoint: Endpoint, alarm: Callable[..., str]
) -> None:
    name, queue = endpoint(), unique("queue")
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=3)
    alarm(queue, 5.0, AlarmActions=[put_steps(scaling, name, (0.0, None, 1))])
    with depth(cloudwatch, queue, 7.0):
        until(lambda: instances(scaling_server, name) == 3)
        time.sleep(1.5)
    assert instances(scaling_server, name) == 3
    assert [activity["Description"] for activity in activities(scaling, name)] == [
        "Setting desired instance count to 2.",
        "Setting desired instance count to 3.",
    ]


def test_what_is_suspended_or_switched_off_is_not_scaled(
    scaling_server: Server, scaling: Any, cloudwatch: Any, endpoint: Endpoint, alarm: Callable[..., str]
) -> None:
    name, queue = endpoint(), unique("queue")
    suspended = {"DynamicScalingOutSuspended": True}
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=2, SuspendedState=suspended)
    busy = alarm(queue, 5.0, AlarmActions=[put_steps(scaling, name, (0.0, None, 1))])
    with depth(cloudwatch, queue, 7.0):
        until(lambda: cloudwatch.describe_alarms(AlarmNames=[busy])["MetricAlarms"][0]["StateValue"] == "ALARM")
        time.sleep(2)
        assert activities(scaling, name) == []
        cloudwatch.disable_alarm_actions(AlarmNames=[busy])
        time.sleep(0.5)
        scaling.register_scalable_target(**resource(name), SuspendedState={"DynamicScalingOutSuspended": False})
        time.sleep(2)
        assert activities(scaling, name) == []
        cloudwatch.enable_alarm_actions(AlarmNames=[busy])
        until(lambda: instances(scaling_server, name) == 2)


def test_a_backlog_alarm_wakes_a_variant_without_instances(
    scaling_server: Server, scaling: Any, cloudwatch: Any, endpoint: Endpoint, alarm: Callable[..., str]
) -> None:
    """What AWS's guide does for asynchronous endpoints: the alarm, not the metric, is what wakes it."""
    name, queue = endpoint(), unique("queue")
    scaling_server.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    )
    until(lambda: instances(scaling_server, name) == 0)
    scaling.register_scalable_target(**resource(name), MinCapacity=0, MaxCapacity=2)
    alarm(queue, 0.0, AlarmActions=[put_steps(scaling, name, (0.0, None, 1), Cooldown=300)])
    with depth(cloudwatch, queue, 1.0):
        until(lambda: instances(scaling_server, name) == 1)


def test_an_alarm_that_is_set_by_hand_calls_once_and_a_policy_that_is_gone_is_told(
    scaling_server: Server, scaling: Any, cloudwatch: Any, endpoint: Endpoint, alarm: Callable[..., str]
) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=5)
    policy = put_steps(scaling, name, (0.0, None, 1))
    busy = alarm(unique("queue"), 5.0, Period=60, TreatMissingData="ignore", AlarmActions=[policy])
    drill = {"AlarmName": busy, "StateValue": "ALARM", "StateReason": "a drill"}
    cloudwatch.set_alarm_state(**drill)
    until(lambda: instances(scaling_server, name) == 2)
    time.sleep(1)
    assert instances(scaling_server, name) == 2
    scaling.delete_scaling_policy(**resource(name), PolicyName=policy.rpartition("/")[2])
    cloudwatch.set_alarm_state(**{**drill, "StateValue": "OK"})
    cloudwatch.set_alarm_state(**drill)

    def actions() -> list[str]:
        found = cloudwatch.describe_alarm_history(AlarmName=busy, HistoryItemType="Action")["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in found]

    until(lambda: len(actions()) == 2)
    assert actions() == [f"Failed to execute action {policy}", f"Successfully executed action {policy}"]


def test_requests_to_an_endpoint_raise_its_own_alarm(
    scaling_server: Server, scaling: Any, endpoint: Endpoint, alarm: Callable[..., str]
) -> None:
    name = endpoint()
    scaling.register_scalable_target(**resource(name), MinCapacity=1, MaxCapacity=2)
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}]
    alarm(
        "",
        2.0,
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Statistic="Sum",
        Dimensions=dimensions,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        AlarmActions=[put_steps(scaling, name, (0.0, None, 1))],
    )
    with load(scaling_server, name, clients=2) as seen:
        until(lambda: instances(scaling_server, name) == 2)
    assert set(seen) == {name}


def test_a_server_killed_after_an_alarm_scales_once(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server(TOBO_SCALING_PERIOD_SECONDS="0.2")
    make_named_model(server, "killed")
    make_endpoint(server, "killed", named_variant("killed"))
    scaling, cloudwatch = server.client("application-autoscaling"), server.client("cloudwatch")
    scaling.register_scalable_target(**resource("killed"), MinCapacity=1, MaxCapacity=5)
    cloudwatch.put_metric_alarm(
        AlarmName="killed",
        Namespace="Mine",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
        AlarmActions=[put_steps(scaling, "killed", (0.0, None, 1))],
    )
    cloudwatch.set_alarm_state(AlarmName="killed", StateValue="ALARM", StateReason="a drill")
    server.kill()
    server.start()
    scaling = server.client("application-autoscaling")
    until(lambda: [activity["StatusCode"] for activity in activities(scaling, "killed")] == ["Successful"])
    time.sleep(1)
    assert instances(server, "killed") == 2 and len(activities(scaling, "killed")) == 1

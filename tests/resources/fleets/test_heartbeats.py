"""Heartbeats: what they leave behind, once, and what they must not do."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.fleets import Fleet, client, metric

NAMESPACE = "/aws/sagemaker/Devices"


def total(fleet: Fleet, name: str, **more: str) -> tuple[float, float]:
    """(sum, count) of a metric of cam-1 over the last hours."""
    where = {"DeviceFleetName": fleet.name, "DeviceName": "cam-1", **more}
    answer = client(fleet.server, "cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in where.items()],
        StartTime=datetime.now(UTC) - timedelta(hours=3),
        EndTime=datetime.now(UTC) + timedelta(hours=3),
        Period=86_400,
        Statistics=["Sum", "SampleCount"],
    )
    points = answer["Datapoints"]
    return sum(one["Sum"] for one in points), sum(one["SampleCount"] for one in points)


@pytest.fixture
def beating(fleet: Fleet) -> Fleet:
    fleet.register("cam-1", "cam-2")
    return fleet


def test_metrics_and_models_are_kept(beating: Fleet) -> None:
    model = {"ModelName": "marbles", "ModelVersion": "1.0", "ModelMetrics": [metric("Decisions", 7.0)]}
    beating.beat(
        "cam-1",
        AgentMetrics=[
            metric("Decisions", 40.0),
            metric("Latency", 9.0, Dimension="p50"),
            metric("Latency", 14.0, Dimension="p99"),
        ],
        Models=[model],
    )
    assert total(beating, "Decisions") == (40.0, 1.0)
    assert total(beating, "Latency", Dimension="p99") == (14.0, 1.0)
    assert total(beating, "Decisions", ModelName="marbles") == (7.0, 1.0)
    device = beating.sagemaker.describe_device(DeviceName="cam-1", DeviceFleetName=beating.name)
    assert device["AgentVersion"] == "1.0" and device["LatestHeartbeat"] > device["RegistrationTime"]
    assert device["Models"] == [{"ModelName": "marbles", "ModelVersion": "1.0"}]


def test_when_a_model_last_inferred_stays_known_while_it_is_idle(beating: Fleet) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    model = {"ModelName": "marbles", "ModelVersion": "1.0"}
    for told in (
        {**model, "LatestInference": now - timedelta(minutes=2), "LatestSampleTime": now - timedelta(minutes=2)},
        {**model, "LatestInference": now},
        model,
    ):
        beating.beat("cam-1", Models=[told])
    device = beating.sagemaker.describe_device(DeviceName="cam-1", DeviceFleetName=beating.name)
    assert device["Models"] == [{**model, "LatestInference": now, "LatestSampleTime": now - timedelta(minutes=2)}]
    beating.beat("cam-1", Models=[{**model, "ModelVersion": "2.0"}])
    device = beating.sagemaker.describe_device(DeviceName="cam-1", DeviceFleetName=beating.name)
    assert device["Models"] == [{**model, "ModelVersion": "2.0"}]


def test_what_is_sent_twice_counts_once(beating: Fleet) -> None:
    now = time.time()
    for at in (now - 60, now, now, now - 60):
        beating.beat("cam-1", AgentMetrics=[metric("Decisions", 10.0, at)])
    assert total(beating, "Decisions") == (20.0, 2.0)


def test_an_older_heartbeat_does_not_set_back_what_a_device_runs(beating: Fleet) -> None:
    now = time.time()
    for at, version in ((now, "2.0"), (now - 60, "1.0")):
        model = {"ModelName": "marbles", "ModelVersion": version}
        beating.beat("cam-1", AgentMetrics=[metric("Decisions", 1.0, at)], Models=[model])
    device = beating.sagemaker.describe_device(DeviceName="cam-1", DeviceFleetName=beating.name)
    assert [model["ModelVersion"] for model in device["Models"]] == ["2.0"]
    assert total(beating, "Decisions") == (2.0, 2.0)


@pytest.mark.parametrize("days", [-20, 20])
def test_a_wrong_clocks_metrics_are_left_out(beating: Fleet, days: int) -> None:
    beating.beat("cam-1", AgentMetrics=[metric("Decisions", 5.0, time.time() + days * 86_400), metric("Rejects", 1.0)])
    names = client(beating.server, "cloudwatch").list_metrics(
        Namespace=NAMESPACE, Dimensions=[{"Name": "DeviceFleetName", "Value": beating.name}]
    )
    assert [one["MetricName"] for one in names["Metrics"]] == ["Rejects"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"DeviceName": "nothing"}, "ResourceNotFound"),
        ({"DeviceFleetName": "nothing"}, "ResourceNotFound"),
        ({"AgentMetrics": [{"MetricName": "Decisions"}]}, "ValidationException"),
        ({"DeploymentResult": {"DeploymentName": "a", "DeploymentStatus": "Maybe"}}, "ValidationException"),
        ({"DeploymentResult": {"DeploymentStatus": "SUCCESS"}}, "ValidationException"),
    ],
)
def test_heartbeats_that_are_refused(beating: Fleet, members: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as refused:
        beating.edge.send_heartbeat(
            **{"AgentVersion": "1.0", "DeviceName": "cam-1", "DeviceFleetName": beating.name, **members}
        )
    assert refused.value.response["Error"]["Code"] == expected


def test_drift_is_an_event_each_time_that_scores_leave_their_band(beating: Fleet) -> None:
    now = time.time()
    for second, value in enumerate((0.05, 0.3, 0.4, 0.1, 0.25)):
        beating.beat("cam-1", AgentMetrics=[metric("ScoreDrift", value, now - 100 + second)])
    beating.beat("cam-1", AgentMetrics=[metric("ScoreDrift", 0.0, now - 1000)])  # replayed: changes nothing
    logs = client(beating.server, "logs")
    group = f"/aws/sagemaker/EdgeFleets/{beating.name}"
    events = logs.get_log_events(logGroupName=group, logStreamName="cam-1", startFromHead=True)["events"]
    told = [json.loads(event["message"]) for event in events]
    assert [(one["event"].split()[1], one["ScoreDrift"]) for one in told] == [
        ("left", 0.3),
        ("is", 0.1),
        ("left", 0.25),
    ]


def test_the_registration_says_where_and_which_keys(beating: Fleet) -> None:
    answer = beating.edge.get_device_registration(DeviceName="cam-1", DeviceFleetName=beating.name)
    told = json.loads(answer["DeviceRegistration"])
    assert told["outputS3Uri"] == f"s3://{beating.bucket}/home/{beating.name}/cam-1/"
    assert [key.startswith("-----BEGIN PUBLIC KEY-----\n") for key in told["signingKeys"]] == [True]

"""UpdateEndpoint through boto3 on a real server: blue/green, what it keeps, what it refuses, and what becomes of a failure."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import (
    asker,
    load,
    make_config,
    make_endpoint,
    make_named_model,
    named_variant,
    sagemaker_of,
    serverless_variant,
    settled,
)
from tests.support.processes import running, until
from tests.support.unique import unique


def update(server: Server, name: str, config: str, **asked: Any) -> dict[str, Any]:
    """UpdateEndpoint and what is described when it is through."""
    sagemaker_of(server).update_endpoint(EndpointName=name, EndpointConfigName=config, **asked)
    return settled(server, name)


def policy(kind: str, wait: int = 1, termination: int = 0, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}}


@pytest.fixture(scope="module")
def pair(server: Server) -> tuple[str, str]:
    """Two configurations with one model each, called as the model."""
    one, two = unique("u-one"), unique("u-two")
    for name in (one, two):
        make_config(server, make_named_model(server, name), named_variant(name))
    return one, two


def test_twenty_updates_under_load_lose_no_request(server: Server, pair: tuple[str, str]) -> None:
    restless = unique("restless")
    sagemaker = sagemaker_of(server)
    sagemaker.create_endpoint(EndpointName=restless, EndpointConfigName=pair[0])
    settled(server, restless)
    with load(server, restless, clients=2) as seen:
        for number in range(1, 21):
            described = update(server, restless, pair[number % 2])
            assert described["EndpointConfigName"] == pair[number % 2] and "FailureReason" not in described
            assert asker(server, restless)("settled") == pair[number % 2]
    assert set(seen) == set(pair)
    [replica] = running(server.state, f"/{restless}/")
    row_id, _, deployment = replica.split("/")[3].partition("-")
    assert [folder.name for folder in (server.state / "endpoints" / row_id).iterdir()] == [deployment]


def test_the_old_fleet_finishes_what_it_has_begun(server: Server, pair: tuple[str, str], tmp_path: Path) -> None:
    patient = unique("patient")
    make_endpoint(server, patient, named_variant(pair[0]))
    sagemaker, ask = sagemaker_of(server), asker(server, patient)
    with ThreadPoolExecutor(1) as threads:
        long = threads.submit(ask, f"hold {tmp_path / 'answer'}")
        try:
            time.sleep(0.3)  # it has arrived
            sagemaker.update_endpoint(EndpointName=patient, EndpointConfigName=pair[1])
            until(lambda: sagemaker.describe_endpoint(EndpointName=patient)["EndpointConfigName"] == pair[1])
            assert ask("short") == pair[1]
            assert sagemaker.describe_endpoint(EndpointName=patient)["EndpointStatus"] == "Updating"
        finally:
            (tmp_path / "answer").touch()
        assert long.result() == pair[0], "it was given to another one"
    assert settled(server, patient)["EndpointConfigName"] == pair[1]


def test_the_old_fleet_answers_until_the_new_one_can(server: Server, pair: tuple[str, str]) -> None:
    watched, u_slow = (unique(name) for name in ("watched", "u-slow"))
    make_endpoint(server, watched, named_variant(pair[0]))
    slow = make_config(server, u_slow, named_variant(make_named_model(server, u_slow, LOADING="1")))
    sagemaker, ask = sagemaker_of(server), asker(server, watched)
    deployment = policy("CANARY", 1, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50})
    sagemaker.update_endpoint(EndpointName=watched, EndpointConfigName=slow, DeploymentConfig=deployment)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint(EndpointName=watched, EndpointConfigName=pair[0])
    stages: list[str] = []
    answer = ""
    while (described := sagemaker.describe_endpoint(EndpointName=watched))["EndpointStatus"] == "Updating":
        if pending := described.get("PendingDeploymentSummary"):
            [summary] = pending["ProductionVariants"]
            assert pending["EndpointConfigName"] == slow and summary["VariantName"] == "AllTraffic"
            assert described["EndpointConfigName"] == watched
            stages.append(summary["VariantStatus"][0]["Status"])
            if stages[-2:] == ["Creating", "Creating"]:
                assert answer == pair[0], "it was asked between the two"
        answer = ask("x")
    assert stages.count("Creating") > 5 and stages[-1] == "ActivatingTraffic"
    assert described["EndpointConfigName"] == slow and described["LastDeploymentConfig"] == deployment
    assert "PendingDeploymentSummary" not in described
    assert ask("x") == slow


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("CANARY", {"CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30}}),
        ("LINEAR", {"LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 1}}),
    ],
)
def test_traffic_moves_in_steps(server: Server, pair: tuple[str, str], name: str, size: dict[str, Any]) -> None:
    endpoint = unique(f"stepping-{name}")
    make_endpoint(server, endpoint, named_variant(pair[0]))
    config = make_config(server, endpoint + "-2", named_variant(pair[1], count=2))
    with load(server, endpoint, clients=1) as seen:
        update(server, endpoint, config, DeploymentConfig=policy(name, 1, **size))
    changes = [after for before, after in pairwise(seen) if before != after]
    assert seen[0] == pair[0] and seen[-1] == pair[1] and len(changes) > 2, "both answered beside each other"
    assert asker(server, endpoint)("x") == pair[1]


def test_properties_that_are_retained(server: Server, pair: tuple[str, str]) -> None:
    keeping, u_serverless = (unique(name) for name in ("keeping", "u-serverless"))
    make_endpoint(server, keeping, named_variant(pair[0], count=2, weight=5))
    for asked, expected in [
        ({"RetainAllVariantProperties": True}, (5, 2)),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            (5, 1),
        ),
        ({}, (1, 1)),
    ]:
        [variant] = update(server, keeping, pair[1], **asked)["ProductionVariants"]
        assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == expected, asked
    make_config(server, u_serverless, serverless_variant(pair[0]))
    for config in (u_serverless, pair[1]):
        [variant] = update(server, keeping, config, RetainAllVariantProperties=True)["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == 1 and variant.get("DesiredInstanceCount", 1) == 1


def test_a_broken_model_leaves_the_old_one_serving(server: Server, pair: tuple[str, str]) -> None:
    robust, u_broken = (unique(name) for name in ("robust", "u-broken"))
    make_endpoint(server, robust, named_variant(pair[0]))
    broken = make_config(server, u_broken, named_variant(make_named_model(server, u_broken, "broken"), count=2))
    with load(server, robust, clients=2) as seen:
        described = update(server, robust, broken)
    assert set(seen) == {pair[0]}
    assert described["EndpointStatus"] == "InService" and described["EndpointConfigName"] == robust
    assert "this model is broken on purpose" in described["FailureReason"]
    assert "PendingDeploymentSummary" not in described
    until(lambda: len(running(server.state, f"/{robust}/")) == 1)
    described = update(server, robust, pair[1])
    assert described["EndpointConfigName"] == pair[1] and "FailureReason" not in described
    assert asker(server, robust)("x") == pair[1]


def test_a_model_that_dies_while_traffic_moves_is_rolled_back(server: Server, pair: tuple[str, str]) -> None:
    wary = unique("wary")
    make_endpoint(server, wary, named_variant(pair[0]))
    sagemaker, ask = sagemaker_of(server), asker(server, wary)
    deployment = policy("ALL_AT_ONCE", 0, termination=60)
    sagemaker.update_endpoint(EndpointName=wary, EndpointConfigName=pair[1], DeploymentConfig=deployment)
    until(lambda: ask("x") == pair[1])
    [pid] = [pid for name, pid in running(server.state, f"/{wary}/").items() if "-2/" in name]
    os.kill(pid, signal.SIGKILL)
    described = settled(server, wary)
    assert described["EndpointConfigName"] == wary and "SIGKILL" in described["FailureReason"]
    assert {ask(str(number)) for number in range(10)} == {pair[0]}


def test_an_alarm_that_goes_off_while_traffic_moves_rolls_back(server: Server, pair: tuple[str, str]) -> None:
    alarmed, alarm = unique("alarmed"), unique("errors")
    make_endpoint(server, alarmed, named_variant(pair[0]))
    sagemaker, ask, cloudwatch = sagemaker_of(server), asker(server, alarmed), server.client("cloudwatch")
    metric = {"Namespace": alarm, "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    threshold = {"Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore"}
    cloudwatch.put_metric_alarm(AlarmName=alarm, **metric, **threshold)
    deployment = policy("ALL_AT_ONCE", 0, termination=60)
    deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm}]}
    sagemaker.update_endpoint(EndpointName=alarmed, EndpointConfigName=pair[1], DeploymentConfig=deployment)
    until(lambda: ask("x") == pair[1])
    time.sleep(1.5)
    assert ask("x") == pair[1], "it was rolled back before the alarm went off"
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="too many errors")
    described = settled(server, alarmed)
    assert described["EndpointStatus"] == "InService" and described["EndpointConfigName"] == alarmed
    assert described["FailureReason"].endswith(f"The alarm '{alarm}' went off: too many errors")
    assert {ask(str(number)) for number in range(10)} == {pair[0]}
    cloudwatch.delete_alarms(AlarmNames=[alarm])


def test_an_endpoint_deleted_while_it_is_updated_leaves_nothing(server: Server, pair: tuple[str, str]) -> None:
    sagemaker = sagemaker_of(server)
    names = [unique(f"cut-{number}") for number in range(4)]
    for number, name in enumerate(names):
        make_endpoint(server, name, named_variant(pair[0]))
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=pair[1])
        time.sleep(0.1 * number)
        sagemaker.delete_endpoint(EndpointName=name)
        with pytest.raises(ClientError, match=r"Cannot update in-progress|Could not find endpoint"):
            sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=pair[1])
    until(lambda: not any(running(server.state, f"/{name}/") for name in names))
    with pytest.raises(ClientError, match="Could not find endpoint"):
        settled(server, names[0])


def test_what_an_update_refuses(server: Server, pair: tuple[str, str]) -> None:
    refusing, u_stillborn, stillborn = (unique(name) for name in ("refusing", "u-stillborn", "stillborn"))
    make_endpoint(server, refusing, named_variant(pair[0], count=2))
    sagemaker = sagemaker_of(server)
    percent = {"Type": "CAPACITY_PERCENT", "Value": 60}
    rolling = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
    too_long = policy("ALL_AT_ONCE", 400, termination=400)
    too_long["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    cases: list[tuple[dict[str, Any], str]] = [
        ({"EndpointName": "nobody"}, "Could not find endpoint"),
        ({"EndpointConfigName": "nothing"}, "Could not find endpoint configuration"),
        ({"DeploymentConfig": {"RollingUpdatePolicy": rolling}}, "RollingUpdatePolicy is not supported"),
        (
            {"DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "none such"}]}}},
            "the alarm 'none such', which does not exist",
        ),
        ({"DeploymentConfig": policy("CANARY")}, "needs a CanarySize"),
        ({"DeploymentConfig": policy("CANARY", CanarySize=percent)}, "CanarySize is 60"),
        ({"DeploymentConfig": policy("LINEAR", LinearStepSize={**percent, "Value": 5})}, "10 to 50 %"),
        ({"DeploymentConfig": too_long}, "take 800 s together"),
    ]
    for asked, says in cases:
        with pytest.raises(ClientError, match=says) as refused:
            sagemaker.update_endpoint(**{"EndpointName": refusing, "EndpointConfigName": pair[1], **asked})
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    broken = make_named_model(server, u_stillborn, "broken")
    failed = make_endpoint(server, stillborn, named_variant(broken))
    assert failed["EndpointStatus"] == "Failed" and "broken on purpose" in failed["FailureReason"]
    with pytest.raises(ClientError, match=r"Cannot update failed endpoint .*broken on purpose"):
        sagemaker.update_endpoint(EndpointName=stillborn, EndpointConfigName=pair[1])


def test_a_server_killed_in_mid_update_resumes_it(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    for name in ("one", "two"):
        make_named_model(server, name)
    make_config(server, "two", named_variant("two", count=2))
    make_endpoint(server, "kept", named_variant("one"))
    for pause, config in [(0.0, "two"), (0.4, "kept")]:
        sagemaker_of(server).update_endpoint(EndpointName="kept", EndpointConfigName=config)
        time.sleep(pause)
        server.kill()
        server.start()
        assert asker(server, "kept")("x") in ("one", "two")
        described = settled(server, "kept")
        assert described["EndpointConfigName"] == config and "FailureReason" not in described
        count = 2 if config == "two" else 1
        assert asker(server, "kept")("x") == ("two" if config == "two" else "one")
        until(lambda count=count: len(running(server.state, "/kept/")) == count)  # type: ignore[misc]
    sagemaker_of(server).update_endpoint_weights_and_capacities(
        EndpointName="kept", DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}]
    )
    server.kill()
    server.start()
    [variant] = settled(server, "kept")["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (3, 3)

"""Each default alarm goes off by its own fault: a broken endpoint, errors, slowness, a failed job, devices, a full disk."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.fleets import Fleet, insert_row
from tests.support.jobs import training_job, wait
from tests.support.named import asker, make_endpoint, make_named_model, named_variant
from tests.support.processes import until


@pytest.fixture
def watched(fresh_server: Callable[..., Server]) -> Server:
    return fresh_server(TOBO_DEFAULT_ALARMS="1")


def states(server: Server) -> dict[str, str]:
    alarms = server.client("cloudwatch").describe_alarms(AlarmNamePrefix="tobo-", MaxRecords=100)["MetricAlarms"]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}


def goes_off(server: Server, *names: str, seconds: float = 150) -> None:
    until(lambda: all(states(server).get(name) == "ALARM" for name in names), seconds)


def test_an_endpoint_that_nobody_can_reach(watched: Server, tmp_path: Path) -> None:
    """Its replica dies and cannot start again, until it can; the topic's subscribers could be told of both."""
    broken = tmp_path / "broken"
    make_named_model(watched, "sorter", BROKEN_WHILE=str(broken))
    make_endpoint(watched, "sorter", named_variant("sorter"))
    name = "tobo-unreachable-sorter"
    until(lambda: states(watched).get(name) == "OK", 60)
    broken.touch()
    with pytest.raises(ClientError):
        asker(watched, "sorter")("die")
    goes_off(watched, name)
    broken.unlink()
    until(lambda: states(watched)[name] == "OK", 90)
    history = watched.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    done = [json.loads(item["HistoryData"]) for item in history["AlarmHistoryItems"]]
    topic = f"arn:aws:sns:us-east-1:{watched.account}:tobo-alerts"
    assert {each["notificationResource"] for each in done} == {topic}
    assert [each["TopicArn"] for each in watched.client("sns").list_topics()["Topics"]] == [topic]


def test_errors_and_slowness(watched: Server) -> None:
    make_named_model(watched, "sorter")
    make_endpoint(watched, "erring", named_variant("sorter"))
    make_endpoint(watched, "slow", named_variant("sorter"))
    until(lambda: "tobo-slow-slow-AllTraffic" in states(watched), 60)
    ask = asker(watched, "erring")
    for _ in range(10):
        ask("fine")
    with pytest.raises(ClientError):
        ask("die")
    asker(watched, "slow")("sleep 1.2")
    goes_off(watched, "tobo-errors-erring-AllTraffic", "tobo-slow-slow-AllTraffic")
    assert states(watched)["tobo-errors-slow-AllTraffic"] != "ALARM"


def test_a_job_that_failed_and_devices(watched: Server) -> None:
    fleet = Fleet(watched)
    fleet.register("fine", "drifting")
    fleet.beat("fine")
    metric = {"MetricName": "ScoreDrift", "Value": 0.9, "Timestamp": datetime.now(UTC), "Dimension": "scores"}
    fleet.beat("drifting", AgentMetrics=[metric])
    ago = time.time() - 400
    found = {"LatestHeartbeat": ago}
    asked = {"DeviceFleetName": fleet.name, "DeviceName": "silent"}
    insert_row(watched, "us-east-1", "device", f"{fleet.name}/silent", asked, found, "")
    sagemaker = watched.client("sagemaker")
    sagemaker.create_training_job(**training_job("doomed", "no-such-bucket"))
    assert wait(sagemaker, "doomed")["TrainingJobStatus"] == "Failed"
    goes_off(watched, "tobo-job-failed")
    goes_off(watched, f"tobo-silent-{fleet.name}", f"tobo-drift-{fleet.name}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root alone")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_is_nearly_full(small_disk: Path) -> None:
    server = Server(small_disk / "state", {"TOBO_DEFAULT_ALARMS": "1"}).start()
    try:
        until(lambda: states(server).get("tobo-disk-full") == "OK", 90)
        told = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(bytes(int(0.93 * told.f_bavail * told.f_frsize)))
        goes_off(server, "tobo-disk-full")
    finally:
        server.end()


def test_alarms_go_with_what_they_are_about_and_stay_deleted(watched: Server) -> None:
    make_named_model(watched, "sorter")
    make_endpoint(watched, "short", named_variant("sorter"))
    make_endpoint(watched, "long", named_variant("sorter"))
    until(lambda: {"tobo-unreachable-short", "tobo-unreachable-long"} <= states(watched).keys(), 60)
    watched.client("cloudwatch").delete_alarms(AlarmNames=["tobo-unreachable-long"])
    watched.client("sagemaker").delete_endpoint(EndpointName="short")
    until(lambda: not [name for name in states(watched) if "short" in name], 90)
    watched.kill()
    watched.start()
    time.sleep(5)  # two looks
    assert "tobo-unreachable-long" not in states(watched) and "tobo-errors-long-AllTraffic" in states(watched)


def test_nobody_is_alarmed_where_it_is_switched_off(server: Server) -> None:
    make_named_model(server, "unwatched")
    make_endpoint(server, "unwatched", named_variant("unwatched"))
    metric: dict[str, Any] = {"Namespace": "tobo", "MetricName": "Unreachable"}
    cloudwatch = server.client("cloudwatch")
    until(lambda: cloudwatch.list_metrics(**metric)["Metrics"], 60)
    assert not states(server)

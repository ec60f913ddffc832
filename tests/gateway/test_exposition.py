"""GET /metrics of a real server, read by prometheus_client's own parser."""

import resource
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import Server
from tests.support.unique import unique

from tobo.gateway.exposition import refusal_of, running, told
from tobo.kit.arn import Namespace
from tobo.store.base import Key, Row
from tobo.store.sql import SqlStore
from tobo.telemetry.base import Point
from tobo.telemetry.series import SqlMetrics

BEGAN = time.time()
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(server: Server, token: str | None = None) -> Samples:
    request = urllib.request.Request(f"{server.endpoint}/metrics")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=")
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def test_devices_requests_and_the_process(server: Server) -> None:
    fleet, device = unique("fleet"), unique("device")
    sagemaker, edge = server.client("sagemaker"), server.client("sagemaker-edge")
    sagemaker.create_device_fleet(DeviceFleetName=fleet, OutputConfig={"S3OutputLocation": "s3://fleet/out"})
    sagemaker.register_devices(DeviceFleetName=fleet, Devices=[{"DeviceName": device}])
    metrics = [
        {"MetricName": name, "Value": value, "Timestamp": 0.0} | extra
        for name, value, extra in (
            ("Decisions", 40.0, {}),
            ("Rejects", 3.0, {}),
            ("Latency", 12.0, {"Dimension": "p50"}),
            ("Latency", 30.0, {"Dimension": "p99"}),
        )
    ]
    for number in (0, 1, 1):  # the last one twice, as a device does that did not hear the answer
        for metric in metrics:
            metric["Timestamp"] = BEGAN + number
        edge.send_heartbeat(
            DeviceFleetName=fleet,
            DeviceName=device,
            AgentVersion="1",
            AgentMetrics=metrics,
            Models=[{"ModelName": "marbles", "ModelVersion": "1.7"}],
        )
    found = read(server)
    labels = {"account": server.account, "region": "us-east-1", "fleet": fleet, "device": device}

    def at(name: str, /, **more: str) -> float:
        return found[name, frozenset((labels | more).items())]

    assert at("tobo_device_decisions_total") == 80 and at("tobo_device_rejects_total") == 6
    assert at("tobo_device_latency_seconds", quantile="0.5") == 0.012
    assert at("tobo_device_latency_seconds", quantile="0.99") == 0.03
    assert at("tobo_device_model_info", name="marbles", version="1.7") == 1
    assert at("tobo_device_heartbeat_age_seconds") >= 0
    assert found["tobo_requests_total", frozenset({("service", "sagemaker-edge"), ("status", "200")})] >= 3
    assert found["process_cpu_seconds_total", frozenset()] > 0 < found["process_resident_memory_bytes", frozenset()]


def test_a_bucket_may_be_called_metrics(server: Server) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="metrics")
    s3.put_object(Bucket="metrics", Key="a", Body=b"b")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="metrics")["Contents"]] == ["a"]
    s3.delete_object(Bucket="metrics", Key="a")
    s3.delete_bucket(Bucket="metrics")


def test_with_a_token_nobody_sees_names_without_it(fresh_server: Callable[..., Server]) -> None:
    served = fresh_server(TOBO_METRICS_TOKEN="t0ken")
    for token in (None, "", "other"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            read(served, token)
        assert refused.value.code == 403
        assert refused.value.read() == b"The token is not that of TOBO_METRICS_TOKEN.\n"
    assert read(served, "t0ken")["process_cpu_seconds_total", frozenset()] > 0


@pytest.mark.parametrize(
    ("token", "authorization", "peer", "seen"),
    [
        (None, "", "127.0.0.1", True),
        (None, "", "::1", True),
        (None, "", "192.168.1.7", False),
        (None, "Bearer x", "192.168.1.7", False),
        (None, "", "", False),
        ("x", "Bearer x", "192.168.1.7", True),
        ("x", "", "127.0.0.1", False),
        ("x", "Bearer \xff", "127.0.0.1", False),
    ],
)
def test_who_may_see_them(token: str | None, authorization: str, peer: str, seen: bool) -> None:
    assert (refusal_of(token, authorization, peer) is None) == seen


def test_endpoints_and_ten_thousand_series(tmp_path: Path) -> None:
    metrics, space = SqlMetrics(tmp_path / "metrics.db"), Namespace("111122223333", "eu-central-1")
    metrics.put(
        space,
        [
            Point("AWS/SageMaker", name, {"EndpointName": f"e{number}", "VariantName": "v"}, 1.0, value, "None", 4)
            for number in range(2500)
            for name, value in (
                ("Invocations", 4.0),
                ("Invocation5XXErrors", 1.0),
                ("ModelLatency", 2e6),
                ("InvocationsPerInstance", 4.0),
            )
        ],
    )
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_utime
    families = {family.name: family for family in told(metrics.totals(("AWS/SageMaker",)))}
    spent = resource.getrusage(resource.RUSAGE_THREAD).ru_utime - before
    assert spent < 2  # CPU, a tenth of it on a machine of today
    assert families["tobo_endpoint_invocations"].samples[7].value == 4
    assert families["tobo_endpoint_invocations"].samples[7].labels["endpoint"] == "e7"
    assert sum(one.value for one in families["tobo_endpoint_5xx_errors"].samples) == 2500
    latency = families["tobo_endpoint_model_latency_seconds"].samples
    assert {(one.name.rsplit("_", 1)[1], one.value) for one in latency} == {("count", 4.0), ("sum", 2.0)}
    metrics.close()


def test_jobs_under_way_are_counted_by_kind(tmp_path: Path) -> None:
    store, space = SqlStore(f"sqlite:///{tmp_path / 'tobo.db'}"), Namespace("111122223333", "eu-central-1")
    for number, (kind, status) in enumerate(
        [
            ("training-job", "InProgress"),
            ("training-job", "InProgress"),
            ("training-job", "Completed"),
            ("compilation-job", "INPROGRESS"),
            ("compilation-job", "STARTING"),
            ("edge-packaging-job", "COMPLETED"),
        ]
    ):
        store.insert(Row(Key(space, kind, f"j{number}"), f"arn:{number}", {}, {}, status, "", 1.0, 1.0))
    found = {one.labels["kind"]: one.value for one in running(store).samples}
    assert found == {"training-job": 2, "compilation-job": 2, "edge-packaging-job": 0}
    store.close()

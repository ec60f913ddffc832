"""Data capture through boto3 on a real server: what was asked and answered, on S3 as AWS lays it out."""

import base64
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.clients import client
from tests.support.endpoints import await_endpoint, variant
from tests.support.handlers import archive, model_request
from tests.support.unique import unique

from tobo.app import build
from tobo.hosting.base import Answer, Invocation
from tobo.kit.arn import Namespace
from tobo.resources.endpoints import capture as capturing
from tobo.settings import Settings

KEY = re.compile(r"kept/(?P<endpoint>[^/]+)/AllTraffic/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl")
BOTH = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
TYPES = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def capture(bucket: str, percentage: int = 100, **changed: Any) -> dict[str, Any]:
    config = {"EnableCapture": True, "InitialSamplingPercentage": percentage, "CaptureOptions": BOTH}
    return {**config, "DestinationS3Uri": f"s3://{bucket}/kept", "CaptureContentTypeHeader": TYPES, **changed}


def serve(server: Server, name: str, config: dict[str, Any]) -> None:
    """An endpoint of that name with a bucket of that name."""
    s3, sagemaker = client(server, "s3"), client(server, "sagemaker")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=archive())
    sagemaker.create_model(**model_request(name, "words-model", f"s3://{name}/model.tar.gz"))
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant(name)], DataCaptureConfig=config
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert await_endpoint(server, name)["EndpointStatus"] == "InService"


def ask(server: Server, name: str, body: bytes, **more: Any) -> bytes:
    answer: bytes = (
        client(server, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=body, **more)["Body"].read()
    )
    return answer


def captured(server: Server, name: str) -> list[dict[str, Any]]:
    s3 = client(server, "s3")
    found = []
    for entry in s3.list_objects_v2(Bucket=name, Prefix="kept/").get("Contents", []):
        match = KEY.fullmatch(entry["Key"])
        assert match and match["endpoint"] == name, entry["Key"]
        lines = s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read().splitlines()
        found += [json.loads(line) for line in lines]
    return found


def awaited(server: Server, name: str, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while len(found := captured(server, name)) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} lines"
        time.sleep(0.1)
    return found


def test_what_was_asked_and_answered(server: Server) -> None:
    name = unique("captured")
    serve(server, name, capture(name))
    described = client(server, "sagemaker").describe_endpoint(EndpointName=name)
    assert described["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{name}/kept",
        "KmsKeyId": "",
    }
    ask(server, name, b"a,1", ContentType="text/csv; charset=utf-8", InferenceId="mine", CustomAttributes="c=1")
    ask(server, name, b'"b"', ContentType="application/json")
    ask(server, name, b"\x00\xff", ContentType="application/x-thing")
    ask(server, name, b"\xff,", ContentType="text/csv")
    with pytest.raises(ClientError):
        ask(server, name, b"refuse 400", ContentType="text/csv")
    lines = {line["captureData"]["endpointInput"]["data"]: line for line in awaited(server, name, 4)}
    assert set(lines) == {"a,1", '"b"', base64.b64encode(b"\x00\xff").decode(), base64.b64encode(b"\xff,").decode()}
    line = lines["a,1"]
    assert line["eventVersion"] == "0"
    assert line["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv; charset=utf-8", "mode": "INPUT", "data": "a,1", "encoding": "CSV",
    }  # fmt: skip
    assert line["captureData"]["endpointOutput"] == {
        "observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT", "data": "A,1", "encoding": "CSV",
    }  # fmt: skip
    metadata = line["eventMetadata"]
    assert metadata["inferenceId"] == "mine" and metadata["customAttributes"] == ["c=1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["inferenceTime"])
    assert len({line["eventMetadata"]["eventId"] for line in lines.values()}) == 4
    encodings = [line["captureData"]["endpointInput"]["encoding"] for line in lines.values()]
    assert sorted(encodings) == ["BASE64", "BASE64", "CSV", "JSON"]


def test_sampling_sides_and_default_encoding(server: Server) -> None:
    sampled = unique("sampled")
    config = capture(sampled, 30, CaptureOptions=[{"CaptureMode": "Output"}])
    del config["CaptureContentTypeHeader"]
    serve(server, sampled, config)
    runtime = client(server, "sagemaker-runtime")
    for number in range(200):
        runtime.invoke_endpoint(EndpointName=sampled, Body=f"n{number}".encode(), ContentType="text/csv")
    client(server, "sagemaker").delete_endpoint(EndpointName=sampled)  # which writes what is held
    found = awaited(server, sampled, 1)
    assert 20 < len(found) < 110  # 60 expected; 6 standard deviations
    for line in found:
        assert list(line["captureData"]) == ["endpointOutput"]
        side = line["captureData"]["endpointOutput"]
        assert side["encoding"] == "BASE64" and base64.b64decode(side["data"]).startswith(b"N")


def test_a_clean_stop_loses_nothing_and_large_bodies_are_written_early(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    serve(server, "stopped", capture("stopped"))
    bodies = [os.urandom(700_000) for _ in range(8)]
    for body in bodies:
        ask(server, "stopped", body)
    awaited(server, "stopped", 6)  # 4 MiB of samples are a file
    ask(server, "stopped", b"the last word")
    assert server.stop() == 0
    server.start()
    found = [base64.b64decode(line["captureData"]["endpointInput"]["data"]) for line in captured(server, "stopped")]
    assert sorted(found) == sorted([*bodies, b"the last word"])


def test_a_bucket_that_is_missing_costs_the_caller_nothing(server: Server) -> None:
    bucketless = unique("bucketless")
    serve(server, bucketless, capture("no-such-bucket"))
    assert ask(server, bucketless, b"yes") == b"YES"
    client(server, "sagemaker").delete_endpoint(EndpointName=bucketless)
    logs = client(server, "logs")
    deadline = time.monotonic() + 30
    while True:
        try:
            asked = {"logGroupName": f"/aws/sagemaker/Endpoints/{bucketless}", "logStreamName": "data-capture"}
            [event] = logs.get_log_events(**asked)["events"]
            break
        except logs.exceptions.ResourceNotFoundException:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert event["message"].startswith("1 samples could not be written to s3://no-such-bucket/kept: The bucket")


def test_capture_that_is_off(server: Server) -> None:
    uncaptured = unique("uncaptured")
    serve(server, uncaptured, capture(uncaptured, EnableCapture=False))
    summary = client(server, "sagemaker").describe_endpoint(EndpointName=uncaptured)["DataCaptureConfig"]
    assert (summary["EnableCapture"], summary["CaptureStatus"]) == (False, "Stopped")
    assert ask(server, uncaptured, b"yes") == b"YES"
    client(server, "sagemaker").delete_endpoint(EndpointName=uncaptured)
    assert captured(server, uncaptured) == []


def test_updates_switch_it(server: Server) -> None:
    switched = unique("switched")
    serve(server, switched, capture(switched))
    ask(server, switched, b"before")
    sagemaker = client(server, "sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName=f"{switched}-off", ProductionVariants=[variant(switched)])
    sagemaker.update_endpoint(EndpointName=switched, EndpointConfigName=f"{switched}-off")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=switched, WaiterConfig={"Delay": 1})
    assert "DataCaptureConfig" not in sagemaker.describe_endpoint(EndpointName=switched)
    ask(server, switched, b"after")
    sagemaker.delete_endpoint(EndpointName=switched)
    [line] = awaited(server, switched, 1)
    assert base64.b64decode(line["captureData"]["endpointInput"]["data"]) == b"before"


@pytest.mark.parametrize("there", [True, False], ids=["bucket", "no bucket"])
def test_memory_is_bounded_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(capturing, "MOST_BYTES", 10_000)
    context, _ = build(Settings(state=tmp_path, account_id="1" * 12, warm=False))
    space = Namespace("1" * 12, "us-east-1")
    if there:
        context.objects.create_bucket(space, "bounded", {})
    kept = capturing.Capture(context, space, "e", capture("bounded"))

    def offer(count: int) -> None:
        for number in range(count):
            kept.add("AllTraffic", Invocation(b"x" * 1000), Answer(200, f"{number}".encode()), "")

    try:
        offer(100)
        kept.flush()
        offer(3)
        kept.flush()
        events = context.logs.read(space, "/aws/sagemaker/Endpoints/e", "data-capture")
        told = [event.message for event in events]
        assert told[0] == "94 samples were dropped: they came faster than they could be written."
        if not there:
            assert [message.split(" could")[0] for message in told[1:]] == ["6 samples", "3 samples"]
            return
        infos = context.objects.list(space, "bounded", "kept/e/AllTraffic/").objects
        lines = [len(context.objects.path(space, info).read_bytes().splitlines()) for info in infos]
        assert sorted(lines) == [3, 6]
    finally:
        for port in (context.hosting, context.compute, context.metrics, context.objects, context.store):
            port.close()

"""Asynchronous inference through boto3 on a real server: accepted on the disk, answered into S3, told to topics."""

import base64
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from bench.listener import listener
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.clients import client
from tests.support.endpoints import await_endpoint, variant
from tests.support.handlers import archive, model_request
from tests.support.processes import running, until
from tests.support.unique import unique

from tobo.resources.endpoints.accepted import MARK

TOPIC = "arn:aws:sns:us-east-1:111122223333:{}"


def serve(
    server: Server,
    name: str,
    *,
    output: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    **changed: Any,
) -> None:
    """An asynchronous endpoint with a bucket of its name; `config` are further members of its configuration."""
    s3, sagemaker = client(server, "s3"), client(server, "sagemaker")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=archive())
    sagemaker.create_model(**model_request(name, "words-model", f"s3://{name}/model.tar.gz"))
    places = {"S3OutputPath": f"s3://{name}/out", "S3FailurePath": f"s3://{name}/failed", **(output or {})}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant(name)],
        AsyncInferenceConfig={"OutputConfig": places, **changed},
        **(config or {}),
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert await_endpoint(server, name)["EndpointStatus"] == "InService"


def put(server: Server, bucket: str, key: str, body: bytes, **headers: str) -> str:
    client(server, "s3").put_object(Bucket=bucket, Key=key, Body=body, **headers)
    return f"s3://{bucket}/{key}"


def ask(server: Server, name: str, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client(server, "sagemaker-runtime").invoke_endpoint_async(EndpointName=name, **asked)
    return answer


def awaited(server: Server, location: str, seconds: float = 30) -> dict[str, Any]:
    """GetObject of an s3:// address once it is there; `Body` read."""
    s3 = client(server, "s3")
    bucket, _, key = location.removeprefix("s3://").partition("/")
    deadline = time.monotonic() + seconds
    while True:
        try:
            found: dict[str, Any] = s3.get_object(Bucket=bucket, Key=key)
            return {**found, "Body": found["Body"].read()}
        except s3.exceptions.NoSuchKey:
            assert time.monotonic() < deadline, f"nothing at {location}"
            time.sleep(0.05)


def keys(server: Server, bucket: str, prefix: str) -> list[str]:
    page = client(server, "s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for entry in page.get("Contents", [])]


def told(server: Server, topic: str, count: int) -> list[dict[str, Any]]:
    """The messages to a topic, once there are so many."""
    file = server.state / "notifications" / "111122223333" / "us-east-1" / f"{topic}.jsonl"
    until(lambda: file.exists() and len(file.read_bytes().splitlines()) >= count)
    return [json.loads(line) for line in file.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def endpoint(server: Server) -> Iterator[str]:
    topics = {"SuccessTopic": TOPIC.format("good"), "ErrorTopic": TOPIC.format("bad")}
    topics["IncludeInferenceResponseIn"] = ["SUCCESS_NOTIFICATION_TOPIC"]  # type: ignore[assignment]
    serve(server, "asynchronous", output={"NotificationConfig": topics})
    yield "asynchronous"
    client(server, "sagemaker").delete_endpoint(EndpointName="asynchronous")


def test_an_answer_is_written_and_told(server: Server, endpoint: str) -> None:
    place = put(server, endpoint, "in/one.txt", b"quiet", ContentType="text/plain")
    answer = ask(server, endpoint, InputLocation=place, InferenceId="mine", Accept="text/plain", CustomAttributes="c")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "mine"
    assert answer["OutputLocation"].startswith("s3://asynchronous/out/") and answer["OutputLocation"].endswith(".out")
    assert answer["FailureLocation"].startswith("s3://asynchronous/failed/")
    output = awaited(server, answer["OutputLocation"])
    assert (output["Body"], output["ContentType"]) == (b"QUIET", "text/plain")  # the type that S3 has stored
    [message] = [each for each in told(server, "good", 1) if each["inferenceId"] == "mine"]
    times = message.pop("eventTime"), message.pop("receivedTime")
    assert all(len(text) == len("2026-01-01T00:00:00.000Z") for text in times) and times[1] <= times[0]
    assert base64.b64decode(message.pop("responseBody")["content"]) == b"QUIET"
    assert message == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {"accept": "text/plain", "endpointName": endpoint, "inputLocation": place},
        "responseParameters": {"contentType": "text/plain", "outputLocation": answer["OutputLocation"]},
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"refuse 400", 'client error (400) from model with message "I would rather not."'),
        (b"refuse 503", "server error (503)"),
        (None, "The input cannot be read: There is no object 'in/none'"),
        (b"sleep 2", "The model did not answer within InvocationTimeoutSeconds of 1."),
    ],
    ids=["refused", "unavailable", "no input", "too late"],
)
def test_a_failure_is_written_and_told(server: Server, endpoint: str, body: bytes | None, says: str) -> None:
    place = put(server, endpoint, f"in/{says[:8]}", body) if body is not None else f"s3://{endpoint}/in/none"
    answer = ask(server, endpoint, InputLocation=place, InvocationTimeoutSeconds=1)
    text = awaited(server, answer["FailureLocation"])["Body"].decode()
    assert says in text
    until(lambda: any(each["inferenceId"] == answer["InferenceId"] for each in told(server, "bad", 1)))
    [message] = [each for each in told(server, "bad", 1) if each["inferenceId"] == answer["InferenceId"]]
    assert message["invocationStatus"] == "Failed" and says in message["failureReason"]
    assert "responseBody" not in message
    with pytest.raises(ClientError, match="NoSuchKey"):
        bucket, _, key = answer["OutputLocation"].removeprefix("s3://").partition("/")
        client(server, "s3").get_object(Bucket=bucket, Key=key)


def test_a_payload_in_the_request_and_names_of_ones_own(server: Server, endpoint: str) -> None:
    asked = {"Body": b"small", "ContentType": "text/x", "S3OutputPathExtension": "a/b", "Filename": "own.txt"}
    answer = ask(server, endpoint, **asked)
    assert answer["OutputLocation"] == f"s3://{endpoint}/out/a/b/own.txt"
    assert awaited(server, answer["OutputLocation"])["ContentType"] == "text/x"


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("asynchronous", {}, "this one has neither"),
        ("asynchronous", {"Body": b"x", "InputLocation": "s3://b/k"}, "this one has both"),
        ("asynchronous", {"InputLocation": "https:///k"}, "inputLocation"),
        ("asynchronous", {"Body": b"x", "S3OutputPathExtension": "a/../b"}, "may not hold"),
        ("asynchronous", {"Body": b"x" * 128_001}, "body"),
        ("nobody", {"Body": b"x"}, "Endpoint nobody of account"),
    ],
)
def test_requests_that_are_refused(server: Server, endpoint: str, name: str, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError) as refused:
        ask(server, name, **asked)
    assert refused.value.response["Error"]["Code"] in ("ValidationError", "ValidationException")
    assert says in refused.value.response["Error"]["Message"]


def test_each_kind_of_endpoint_takes_its_own_requests(server: Server, endpoint: str) -> None:
    at_once = unique("at-once")
    runtime, sagemaker = client(server, "sagemaker-runtime"), client(server, "sagemaker")
    with pytest.raises(ClientError, match="is asynchronous; use InvokeEndpointAsync"):
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")
    sagemaker.create_endpoint_config(EndpointConfigName=at_once, ProductionVariants=[variant(endpoint)])
    sagemaker.create_endpoint(EndpointName=at_once, EndpointConfigName=at_once)
    await_endpoint(server, at_once)
    with pytest.raises(ClientError, match="answers at once; use InvokeEndpoint"):
        ask(server, at_once, Body=b"x")
    sagemaker.delete_endpoint(EndpointName=at_once)


@pytest.mark.parametrize(
    ("output", "changed", "says"),
    [
        ({}, {}, "has no S3OutputPath"),
        (
            {"S3OutputPath": "s3://b/o"},
            {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
            "is serverless",
        ),
    ],
)
def test_configurations_that_are_refused(
    server: Server, endpoint: str, output: dict[str, Any], changed: dict[str, Any], says: str
) -> None:
    variants = {"VariantName": "a", "ModelName": endpoint, **(changed or {"InstanceType": "ml.m5.large"})}
    if not changed:
        variants["InitialInstanceCount"] = 1
    with pytest.raises(ClientError, match=says):
        client(server, "sagemaker").create_endpoint_config(
            EndpointConfigName="refused",
            ProductionVariants=[variants],
            AsyncInferenceConfig={"OutputConfig": output},
        )


def test_its_models_are_not_stuck_before_the_longest_answer(server: Server, endpoint: str) -> None:
    files = (server.state / "compute" / "processes").glob("*/spec.json")
    specs = [json.loads(file.read_text()) for file in files]
    told = {spec["environment"].get("TOBO_ANSWER_SECONDS") for spec in specs if f"/{endpoint}/" in spec["name"]}
    assert told == {"3600"}


def test_a_request_that_kills_is_given_up(server: Server, endpoint: str) -> None:
    answer = ask(server, endpoint, Body=b"die")
    text = awaited(server, answer["FailureLocation"], seconds=60)["Body"].decode()
    assert "The model's process died while it worked on the request." in text
    answer = ask(server, endpoint, Body=b"fine")
    assert awaited(server, answer["OutputLocation"])["Body"] == b"FINE"


def test_what_was_accepted_is_answered_after_a_kill_or_a_stop_and_once(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    serve(server, "killed", ClientConfig={"MaxConcurrentInvocationsPerInstance": 1})
    answers = [ask(server, "killed", Body=f"sleep 0.2 {number}".encode()) for number in range(12)]
    awaited(server, answers[1]["OutputLocation"])
    server.kill()
    server.start()
    outputs = [awaited(server, answer["OutputLocation"])["Body"] for answer in answers]
    assert outputs == [f"SLEEP 0.2 {number}".encode() for number in range(12)]
    assert len(keys(server, "killed", "out/")) == 12 and keys(server, "killed", "failed/") == []
    [file] = (server.state / "endpoints").rglob("asked")
    asked = file.read_text().split("\n")[:-1]
    twice = [line for line in set(asked) if asked.count(line) > 1]
    assert set(asked) == {f"sleep 0.2 {number}" for number in range(12)} and len(twice) <= 1
    answers = [ask(server, "killed", Body=f"sleep 0.3 {number}".encode()) for number in range(4)]
    assert server.stop() == 0
    server.start()
    for answer in answers:
        assert awaited(server, answer["OutputLocation"])["Body"].startswith(b"SLEEP 0.3")


def test_paused_endpoints_keep_their_backlog_metrics_tell_and_nothing_is_scored_twice(server: Server) -> None:
    backlogged, once = (unique(name) for name in ("backlogged", "once"))
    serve(server, backlogged, output={"NotificationConfig": {"SuccessTopic": TOPIC.format(once)}})
    sagemaker = client(server, "sagemaker")
    wish = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=backlogged, DesiredWeightsAndCapacities=wish)
    until(lambda: not running(server.state, f"/{backlogged}/"))
    until(lambda: sagemaker.describe_endpoint(EndpointName=backlogged)["EndpointStatus"] == "InService")
    answers = [ask(server, backlogged, Body=f"{number}".encode()) for number in range(3)]
    cloudwatch = client(server, "cloudwatch")

    def last(name: str) -> float | None:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=[{"Name": "EndpointName", "Value": backlogged}],
            StartTime=time.time() - 600,
            EndTime=time.time() + 60,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return max((point["Maximum"] for point in points), default=None)

    until(lambda: last("ApproximateBacklogSize") == 3.0)
    assert last("ApproximateBacklogSizePerInstance") == 3.0 and last("HasBacklogWithoutCapacity") == 1.0
    # As if a server had been killed when it had written the third output, and not yet removed its row.
    key = answers[2]["OutputLocation"].removeprefix(f"s3://{backlogged}/")
    mark = {MARK: key.removeprefix("out/").removesuffix(".out")}
    client(server, "s3").put_object(Bucket=backlogged, Key=key, Body=b"by the killed one", Metadata=mark)
    wish = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=backlogged, DesiredWeightsAndCapacities=wish)
    written = [awaited(server, answer["OutputLocation"])["Body"] for answer in answers]
    assert written == [b"0", b"1", b"by the killed one"]
    assert sorted(each["inferenceId"] for each in told(server, once, 3)) == sorted(a["InferenceId"] for a in answers)
    asked = [file.read_text().split() for file in (server.state / "endpoints").rglob("asked")]
    assert ["0", "1"] in [sorted(lines) for lines in asked]
    sagemaker.delete_endpoint(EndpointName=backlogged)


def test_a_request_that_waits_for_too_long_fails(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    serve(server, "slow")
    pause = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    sagemaker = client(server, "sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="slow", DesiredWeightsAndCapacities=pause)
    until(lambda: sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == "InService")
    old, young = (ask(server, "slow", Body=b"x", RequestTTLSeconds=seconds) for seconds in (60, 3600))
    server.stop()
    with sqlite3.connect(server.state / "tobo.db") as database:  # a minute passes
        database.execute("UPDATE resources SET created = created - 61 WHERE kind LIKE 'async-invocation-%'")
    server.start()
    assert "RequestTTLSeconds of 60" in awaited(server, old["FailureLocation"])["Body"].decode()
    assert keys(server, "slow", "out/") == [] and young["FailureLocation"].split("/", 3)[3] not in keys(
        server, "slow", "failed/"
    )


def test_an_update_to_answers_at_once_leaves_nothing_behind(server: Server) -> None:
    converted, plain = (unique(name) for name in ("converted", "plain"))
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{converted}/kept",
        "CaptureOptions": [{"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    serve(server, converted, config={"DataCaptureConfig": capture})
    first = ask(server, converted, Body=b"kept", ContentType="text/csv", InferenceId="captured")
    awaited(server, first["OutputLocation"])
    answers = [ask(server, converted, Body=f"sleep 0.5 {number}".encode()) for number in range(4)]
    sagemaker, runtime = client(server, "sagemaker"), client(server, "sagemaker-runtime")
    sagemaker.create_endpoint_config(EndpointConfigName=plain, ProductionVariants=[variant(converted)])
    sagemaker.update_endpoint(EndpointName=converted, EndpointConfigName=plain)
    assert [awaited(server, answer["OutputLocation"])["Body"] for answer in answers] == [
        f"SLEEP 0.5 {number}".encode() for number in range(4)
    ]

    def answers_at_once() -> bool:
        try:
            return bool(runtime.invoke_endpoint(EndpointName=converted, Body=b"x")["Body"].read() == b"X")
        except ClientError as error:
            assert "is asynchronous" in str(error)
            return False

    until(answers_at_once)
    lines = [
        json.loads(line)
        for key in keys(server, converted, f"kept/{converted}/AllTraffic/")
        for line in awaited(server, f"s3://{converted}/{key}")["Body"].splitlines()
    ]
    [side] = [line["captureData"]["endpointOutput"] for line in lines if "inferenceId" in line["eventMetadata"]
              and line["eventMetadata"]["inferenceId"] == "captured"]  # fmt: skip
    assert (side["data"], side["encoding"]) == ("KEPT", "CSV")
    sagemaker.delete_endpoint(EndpointName=converted)


def test_an_output_that_cannot_be_written(server: Server) -> None:
    unwritable = unique("unwritable")
    serve(server, unwritable, output={"S3OutputPath": "s3://no-such-bucket-at-all/out"})
    answer = ask(server, unwritable, Body=b"x")
    text = awaited(server, answer["FailureLocation"])["Body"].decode()
    assert text.startswith(f"The output cannot be written to {answer['OutputLocation']}: The bucket")
    client(server, "sagemaker").delete_endpoint(EndpointName=unwritable)


def test_a_webhook_is_told_and_requests_of_a_deleted_endpoint_are_dropped(fresh_server: Callable[..., Server]) -> None:
    posted: list[tuple[str, dict[str, Any]]] = []

    def take(headers: Mapping[str, str], body: bytes) -> int:
        posted.append((headers["x-amz-sns-topic-arn"], json.loads(body)))
        return 204

    with listener(take) as address:
        server = fresh_server(TOBO_NOTIFICATION_WEBHOOK=f"{address}/told")
        topics = {"SuccessTopic": TOPIC.format("hooked")}
        serve(server, "hooked", output={"NotificationConfig": topics})
        answer = ask(server, "hooked", Body=b"x")
        until(lambda: bool(posted))
    [(topic, message)] = posted
    assert (
        topic == TOPIC.format("hooked") and message["responseParameters"]["outputLocation"] == answer["OutputLocation"]
    )
    assert ask(server, "hooked", Body=b"nobody listens any more")["OutputLocation"]
    until(lambda: "the webhook" in server.log())
    last = ask(server, "hooked", Body=b"sleep 3")
    sagemaker = client(server, "sagemaker")
    sagemaker.delete_endpoint(EndpointName="hooked")
    until(lambda: not running(server.state, "/hooked/"))
    sagemaker.create_endpoint(EndpointName="hooked", EndpointConfigName="hooked")
    await_endpoint(server, "hooked")
    again = ask(server, "hooked", Body=b"again")
    assert awaited(server, again["OutputLocation"])["Body"] == b"AGAIN"
    assert last["OutputLocation"].removeprefix("s3://hooked/") not in keys(server, "hooked", "out/")

"""InvokeEndpointWithResponseStream through boto3 on a real server."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from tests.conftest import Server
from tests.support.clients import client
from tests.support.endpoints import await_endpoint, variant
from tests.support.handlers import archive, model_request
from tests.support.processes import until


def stream(server: Server, name: str, body: bytes, **more: Any) -> dict[str, Any]:
    runtime = client(server, "sagemaker-runtime")
    answer: dict[str, Any] = runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=body, **more)
    return answer


def parts(answer: dict[str, Any]) -> Iterator[bytes]:
    for event in answer["Body"]:
        yield event["PayloadPart"]["Bytes"]


def told(server: Server) -> Path:
    [file] = (server.state / "endpoints").rglob("pieces")
    return file


@pytest.fixture(scope="module")
def endpoint(server: Server) -> Iterator[str]:
    name, s3, sagemaker = "streaming", client(server, "s3"), client(server, "sagemaker")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=archive())
    sagemaker.create_model(**model_request(name, "words-model", f"s3://{name}/model.tar.gz"))
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert await_endpoint(server, name)["EndpointStatus"] == "InService"
    yield name
    sagemaker.delete_endpoint(EndpointName=name)


def test_parts_as_they_are_made(server: Server, endpoint: str) -> None:
    answer = stream(server, endpoint, b"pieces one two three", ContentType="text/x", Accept="text/plain")
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "AllTraffic")
    assert answer["CustomAttributes"] == "in pieces"
    assert list(parts(answer)) == [b"one", b"two", b"three"]


def test_a_whole_answer_is_one_part(server: Server, endpoint: str) -> None:
    answer = stream(server, endpoint, b"whole", ContentType="text/x", CustomAttributes="c")
    assert (list(parts(answer)), answer["ContentType"], answer["CustomAttributes"]) == ([b"WHOLE"], "text/x", "c")


def test_large_parts_arrive_whole(server: Server, endpoint: str) -> None:
    body = b"a" * 3_000_000
    found = list(parts(stream(server, endpoint, b"pieces " + body)))
    assert b"".join(found) == body and max(map(len, found)) == 1 << 20


def test_who_asks_for_no_stream_gets_it_whole(server: Server, endpoint: str) -> None:
    answer = client(server, "sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"pieces one two")
    assert answer["Body"].read() == b"onetwo"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"pieces one raise", "ModelInvocationError", "no more pieces"),
        (b"pieces one die", "StreamBroken", "The model's process died while it answered."),
    ],
)
def test_an_error_in_mid_stream(server: Server, endpoint: str, body: bytes, code: str, says: str) -> None:
    answer, found = stream(server, endpoint, body), []
    with pytest.raises(EventStreamError) as broken:
        found.extend(parts(answer))
    assert broken.value.response["Error"] == {"Code": "ModelStreamError", "Message": says}


@pytest.mark.parametrize(
    ("name", "body", "code", "says"),
    [
        ("streaming", b"refuse 418", "ModelError", "I would rather not."),
        ("streaming", b"pieces raise", "ModelError", "no more pieces"),
        ("nobody", b"x", "ValidationError", "Endpoint nobody of account"),
    ],
)
def test_an_error_before_the_first_part(
    server: Server, endpoint: str, name: str, body: bytes, code: str, says: str
) -> None:
    with pytest.raises(ClientError) as refused:
        stream(server, name, body)
    assert refused.value.response["Error"]["Code"] == code and says in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("InferenceComponentName", "component"),
        ("TargetContainerHostname", "host"),
        ("EnableExplanations", "`true`"),
        ("SessionId", "NEW_SESSION"),
    ],
)
def test_what_is_not_built_is_refused(server: Server, endpoint: str, member: str, value: str) -> None:
    with pytest.raises(ClientError, match=f"ValidationError.*{member} is given, but .* are not supported"):
        client(server, "sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"x", **{member: value})


def test_the_callers_leave_ends_the_model_and_others_are_answered_meanwhile(server: Server, endpoint: str) -> None:
    answer = stream(server, endpoint, b"pieces forever")
    assert next(parts(answer)) == b"on and "
    assert list(parts(stream(server, endpoint, b"other"))) == [b"OTHER"]
    assert told(server).read_text() == "going on"
    answer["Body"].close()
    until(lambda: told(server).read_text() == "closed")


def test_a_caller_that_does_not_read_holds_the_model_back(server: Server, endpoint: str) -> None:
    piece = b"b" * 100_000
    answer = stream(server, endpoint, b"pieces " + b" ".join([piece] * 150))
    time.sleep(0.5)
    assert list(parts(stream(server, endpoint, b"other"))) == [b"OTHER"]
    assert b"".join(parts(answer)) == piece * 150

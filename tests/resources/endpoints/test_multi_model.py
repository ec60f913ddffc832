"""Multi-model endpoints through boto3 on a real server."""

import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.clients import client
from tests.support.endpoints import await_endpoint, variant
from tests.support.handlers import archive, model_request
from tests.support.unique import unique

NAME = "several"


def put(server: Server, key: str, data: bytes) -> None:
    client(server, "s3").put_object(Bucket=NAME, Key=f"models/{key}", Body=data)


def ask(server: Server, target: str | None, body: bytes = b"x", name: str = NAME) -> str:
    more = {"TargetModel": target} if target is not None else {}
    answer = client(server, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=body, **more)
    text: str = answer["Body"].read().decode()
    return text


def refusal(server: Server, target: str | None, name: str = NAME) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        ask(server, target, name=name)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def log_lines(server: Server, name: str) -> list[str]:
    logs, group = client(server, "logs"), f"/aws/sagemaker/Endpoints/{name}"
    lines: list[str] = []
    for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
        asked = {"logGroupName": group, "logStreamName": stream["logStreamName"]}
        lines += [event["message"] for event in logs.get_log_events(**asked, startFromHead=True)["events"]]
    return lines


def hostile() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../evil"))
    return packed.getvalue()


def serve(server: Server, name: str, count: int = 1, **container: Any) -> None:
    sagemaker = client(server, "sagemaker")
    made = model_request(name, "several-models", f"s3://{NAME}/models/", Mode="MultiModel", **container)
    sagemaker.create_model(**made)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name, count)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert await_endpoint(server, name)["EndpointStatus"] == "InService"


@pytest.fixture(scope="module")
def endpoint(server: Server) -> Iterator[str]:
    client(server, "s3").create_bucket(Bucket=NAME)
    serve(server, NAME)  # while there is no model at all
    put(server, "a.tar.gz", archive(name="a"))
    put(server, "deep/b.tar.gz", archive(name="b"))
    put(server, "nameless.tar.gz", archive())
    put(server, "torn.tar.gz", archive(name="torn")[:40])
    put(server, "hostile.tar.gz", hostile())
    client(server, "s3").put_object(Bucket=NAME, Key="outside.tar.gz", Body=archive(name="outside"))
    yield NAME
    client(server, "sagemaker").delete_endpoint(EndpointName=NAME)


def test_the_request_names_its_model(server: Server, endpoint: str) -> None:
    assert ask(server, "a.tar.gz") == "a 0 a.tar.gz"
    assert ask(server, "deep/b.tar.gz") == "b 0 deep/b.tar.gz"
    assert ask(server, "/a.tar.gz") == "a 0 /a.tar.gz"
    described = client(server, "sagemaker").describe_model(ModelName=NAME)
    assert described["PrimaryContainer"]["Mode"] == "MultiModel"


@pytest.mark.parametrize(
    ("target", "code", "says"),
    [
        (None, "ValidationError", "has several models; name one as TargetModel"),
        ("none.tar.gz", "ValidationError", f"There is no model at s3://{NAME}/models/none.tar.gz"),
        ("../outside.tar.gz", "ValidationError", "is no path of an archive below"),
        ("deep/../../outside.tar.gz", "ValidationError", "is no path of an archive below"),
        ("deep//b.tar.gz", "ValidationError", "is no path of an archive below"),
        ("torn.tar.gz", "ModelError", "The archive of model 'torn.tar.gz' is refused"),
        ("hostile.tar.gz", "ModelError", "leads out of its folder"),
        ("nameless.tar.gz", "ModelError", "No such file or directory"),
    ],
)
def test_models_that_cannot_answer_leave_the_others_serving(
    server: Server, endpoint: str, target: str | None, code: str, says: str
) -> None:
    found, text = refusal(server, target)
    assert found == code and says in text
    assert ask(server, "a.tar.gz") == "a 0 a.tar.gz"


def test_a_model_comes_later_and_is_not_read_again(server: Server, endpoint: str) -> None:
    assert refusal(server, "later.tar.gz")[0] == "ValidationError"
    put(server, "later.tar.gz", archive(name="first"))
    assert ask(server, "later.tar.gz") == "first 0 later.tar.gz"
    put(server, "later.tar.gz", archive(name="second"))
    assert ask(server, "later.tar.gz") == "first 0 later.tar.gz"
    client(server, "s3").delete_object(Bucket=NAME, Key="models/later.tar.gz")
    assert ask(server, "later.tar.gz") == "first 0 later.tar.gz"


def test_models_are_unloaded_by_memory_and_asked_for_at_once(server: Server, endpoint: str) -> None:
    small = unique("small")
    for number in range(4):
        put(server, f"large-{number}.tar.gz", archive(name=f"large-{number}", megabytes="40"))
    serve(server, small, Environment={"TOBO_MODEL_CACHE_BYTES": str(100 << 20)})
    targets = [f"large-{number}.tar.gz" for number in range(4)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda target: ask(server, target, name=small), targets * 3))
    assert answers == [f"large-{number} 40 large-{number}.tar.gz" for number in range(4)] * 3
    loads = [line for line in log_lines(server, small) if "oaded model" in line]
    balance = 0
    for line in loads:
        balance += 1 if line.startswith("Loaded") else -1
        assert balance <= 2, loads
    assert sum(line.startswith("Unloaded") for line in loads) >= 2
    client(server, "sagemaker").delete_endpoint(EndpointName=small)


def test_a_request_that_kills_and_the_models_after_it(server: Server, endpoint: str) -> None:
    with pytest.raises(ClientError):
        ask(server, "a.tar.gz", b"die")
    assert ask(server, "a.tar.gz") == "a 0 a.tar.gz"


def test_endpoints_of_one_model_take_no_target(server: Server, endpoint: str) -> None:
    alone = unique("alone")
    sagemaker = client(server, "sagemaker")
    sagemaker.create_model(**model_request(alone, "several-models", f"s3://{NAME}/models/a.tar.gz"))
    sagemaker.create_endpoint_config(EndpointConfigName=alone, ProductionVariants=[variant(alone)])
    sagemaker.create_endpoint(EndpointName=alone, EndpointConfigName=alone)
    await_endpoint(server, alone)
    assert refusal(server, "a.tar.gz", alone)[1].startswith(
        f"Variant AllTraffic of endpoint {alone} has one model only"
    )
    assert ask(server, None, name=alone) == "a 0 "
    sagemaker.delete_endpoint(EndpointName=alone)


def test_models_that_are_refused(server: Server, endpoint: str) -> None:
    unmade = unique("unmade")
    sagemaker = client(server, "sagemaker")
    made = model_request(unmade, "several-models", "s3://no-such-bucket-here/models/", Mode="MultiModel")
    with pytest.raises(ClientError, match="no-such-bucket-here"):
        sagemaker.create_model(**made)
    del made["PrimaryContainer"]["ModelDataUrl"]
    with pytest.raises(ClientError, match="needs a ModelDataUrl: the prefix"):
        sagemaker.create_model(**made)
    with pytest.raises(ClientError, match="a transform job takes a model of one"):
        sagemaker.create_transform_job(
            TransformJobName="several",
            ModelName=NAME,
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{NAME}/in/"}}},
            TransformOutput={"S3OutputPath": f"s3://{NAME}/out/"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )

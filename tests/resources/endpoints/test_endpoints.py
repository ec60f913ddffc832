"""Models, endpoint configurations and endpoints through boto3 on a real server, with a model that was really trained."""

import io
import os
import signal
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, classify, deploy, make_model, variant
from tests.support.jobs import ROLE, photo, training_job, upload_photos, wait
from tests.support.processes import running, until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")
BUCKET = "endpoint-photos"


@pytest.fixture(scope="module")
def artifact(warm_server: Server) -> str:
    """The s3:// address of a trained model."""
    upload_photos(warm_server, BUCKET)
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**training_job("for-endpoints", BUCKET))
    address: str = wait(sagemaker, "for-endpoints")["ModelArtifacts"]["S3ModelArtifacts"]
    return address


@pytest.fixture(scope="module")
def endpoint(warm_server: Server, artifact: str) -> Iterator[str]:
    assert deploy(warm_server, "served", artifact, count=2)["EndpointStatus"] == "InService"
    yield "served"
    warm_server.client("sagemaker").delete_endpoint(EndpointName="served")


def test_it_tells_ok_from_ko(warm_server: Server, endpoint: str) -> None:
    for number in range(100, 120):
        scores = classify(warm_server, endpoint, photo(number))
        assert len(scores) == 2 and abs(sum(scores) - 1) < 1e-4
        assert scores.index(max(scores)) == number % 2


def test_description(warm_server: Server, endpoint: str) -> None:
    described = warm_server.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    [served] = described["ProductionVariants"]
    assert (served["CurrentInstanceCount"], served["DesiredInstanceCount"], served["CurrentWeight"]) == (2, 2, 1.0)
    assert described["EndpointConfigName"] == endpoint and described["EndpointArn"].endswith(":endpoint/served")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "says"),
    [
        (b"", "image/jpeg", 400, "icture"),
        (b"GIF?", "image/jpeg", 400, "icture"),
        (photo(1)[:300], "image/jpeg", 400, "icture"),
        (b"1,2,3", "text/csv", 415, "text/csv"),
    ],
    ids=["empty", "no picture", "truncated", "csv"],
)
def test_a_models_error_reaches_the_caller(
    warm_server: Server, endpoint: str, body: bytes, content_type: str, status: int, says: str
) -> None:
    with pytest.raises(ClientError) as refused:
        classify(warm_server, endpoint, body, content_type)
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert response["OriginalStatusCode"] == status and says in response["OriginalMessage"]


def test_bodies_up_to_25_megabytes(warm_server: Server, endpoint: str) -> None:
    padded = photo(1) + bytes(24 * 2**20)
    assert classify(warm_server, endpoint, padded).index(max(classify(warm_server, endpoint, padded))) == 1
    with pytest.raises(ClientError) as refused:
        classify(warm_server, endpoint, photo(1) + bytes(26 * 2**20))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)


@pytest.mark.parametrize("name", ["unknown", "still-creating"])
def test_only_an_endpoint_in_service_answers(warm_server: Server, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        classify(warm_server, name, photo(1))
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert name in refused.value.response["Error"]["Message"]


def test_a_killed_replica_is_replaced_and_no_answer_is_lost(warm_server: Server, artifact: str) -> None:
    mortal = unique("mortal")
    deploy(warm_server, mortal, artifact, count=2)

    def replicas() -> dict[str, int]:
        return running(warm_server.state, f"/{mortal}/")

    before = replicas()
    assert len(before) == 2
    first = next(iter(before))
    os.kill(before[first], signal.SIGKILL)
    for number in range(40):
        scores = classify(warm_server, mortal, photo(number))
        assert scores.index(max(scores)) == number % 2
    until(lambda: len(replicas()) == 2)
    assert first not in replicas() and len(replicas().keys() & before.keys()) == 1
    warm_server.client("sagemaker").delete_endpoint(EndpointName=mortal)
    until(lambda: not replicas())
    with pytest.raises(ClientError, match="Could not find endpoint"):
        await_endpoint(warm_server, mortal)


def test_an_endpoint_deleted_while_it_starts_leaves_no_process(warm_server: Server, artifact: str) -> None:
    brief = unique("brief")
    sagemaker = warm_server.client("sagemaker")
    make_model(warm_server, brief, artifact)
    sagemaker.create_endpoint_config(EndpointConfigName=brief, ProductionVariants=[variant(brief)])
    for number in range(8):
        name = f"{brief}-{number}"
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=brief)
        time.sleep(0.02 * number)
        sagemaker.delete_endpoint(EndpointName=name)
        with pytest.raises(ClientError, match="Could not find endpoint"):
            for _ in range(500):
                sagemaker.describe_endpoint(EndpointName=name)
                time.sleep(0.02)
    until(lambda: not running(warm_server.state, f"/{brief}-"))


@pytest.mark.parametrize(
    ("member", "says"),
    [("../evil", "leads out"), ("link", "is a link"), ("bomb", "unpacks to more")],
)
def test_a_hostile_archive_fails_the_endpoint(warm_server: Server, artifact: str, member: str, says: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        if member == "link":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        info.size = 80 * 2**20 if member == "bomb" else 0
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    key = f"hostile/{member.strip('./')}.tar.gz"
    warm_server.client("s3").put_object(Bucket=BUCKET, Key=key, Body=file.getvalue())
    described = deploy(warm_server, unique(f"hostile-{member.strip('./')}"), f"s3://{BUCKET}/{key}")
    assert described["EndpointStatus"] == "Failed" and says in described["FailureReason"]


def test_a_model_that_does_not_load_fails_the_endpoint_with_its_reason(warm_server: Server) -> None:
    modelless = unique("modelless")
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo("readme.txt")
        archive.addfile(info)
    warm_server.client("s3").put_object(Bucket=BUCKET, Key="empty.tar.gz", Body=file.getvalue())
    described = deploy(warm_server, modelless, f"s3://{BUCKET}/empty.tar.gz")
    assert described["EndpointStatus"] == "Failed"
    assert "variant 'AllTraffic' did not start" in described["FailureReason"]
    warm_server.client("sagemaker").delete_endpoint(EndpointName=modelless)


def test_refusals_in_aws_words(warm_server: Server, artifact: str) -> None:
    known = unique("known")
    sagemaker = warm_server.client("sagemaker")
    make_model(warm_server, known, artifact)
    sagemaker.create_endpoint_config(EndpointConfigName=known, ProductionVariants=[variant(known)])
    cases: list[tuple[Any, str]] = [
        (lambda: make_model(warm_server, known, artifact), "Cannot create already existing model"),
        (lambda: make_model(warm_server, "m", "s3://nowhere/model.tar.gz"), "Could not find model data"),
        (lambda: make_model(warm_server, "m", artifact, Image="x/unknown:1"), "x/unknown:1"),
        (lambda: sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE), "PrimaryContainer"),
        (lambda: sagemaker.describe_model(ModelName="m"), "Could not find model"),
        (lambda: sagemaker.delete_model(ModelName="m"), "Could not find model"),
        (
            lambda: sagemaker.create_endpoint_config(EndpointConfigName=known, ProductionVariants=[variant(known)]),
            "Cannot create already existing endpoint configuration",
        ),
        (
            lambda: sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant("m")]),
            "Could not find model",
        ),
        (
            lambda: sagemaker.create_endpoint_config(
                EndpointConfigName="c", ProductionVariants=[variant(known, InstanceType="ml.t2.nano")]
            ),
            "ml.t2.nano",
        ),
        (lambda: sagemaker.describe_endpoint_config(EndpointConfigName="c"), "Could not find endpoint configuration"),
        (
            lambda: sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c"),
            "Could not find endpoint configuration",
        ),
        (lambda: sagemaker.describe_endpoint(EndpointName="e"), "Could not find endpoint"),
        (lambda: sagemaker.delete_endpoint(EndpointName="e"), "Could not find endpoint"),
    ]
    for call, says in cases:
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert says in refused.value.response["Error"]["Message"]
    sagemaker.delete_endpoint_config(EndpointConfigName=known)
    sagemaker.delete_model(ModelName=known)


def test_lists(warm_server: Server, artifact: str) -> None:
    sagemaker = warm_server.client("sagemaker")
    listed = unique("listed")
    names = [f"{listed}-{number}" for number in range(5)]
    for config in names:
        make_model(warm_server, config, artifact)
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant(config)])
    for operation, member, name in (
        ("list_models", "Models", "ModelName"),
        ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ):
        pages = sagemaker.get_paginator(operation).paginate(
            NameContains=listed, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
        )
        assert [item[name] for page in pages for item in page[member]] == names


def test_invocations_are_counted(warm_server: Server, endpoint: str) -> None:
    classify(warm_server, endpoint, photo(1))
    now = datetime.now(UTC)
    asked = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        "StartTime": now - timedelta(hours=1),
        "EndTime": now + timedelta(hours=1),
        "Period": 3600 * 3,
        "Statistics": ["Sum"],
    }
    deadline = time.monotonic() + 25
    while not (points := warm_server.client("cloudwatch").get_metric_statistics(**asked)["Datapoints"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert sum(point["Sum"] for point in points) >= 1

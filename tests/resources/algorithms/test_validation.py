"""Validation of algorithms with boto3: its jobs really run, and what goes wrong with them is told."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.algorithms import (
    DEFAULTS,
    REQUIRED,
    algorithm,
    await_algorithm,
    named_job,
    training_specification,
    transform_definition,
    validation,
)
from tests.support.jobs import QUICK, ROLE, upload_photos, wait_for_line
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")

BUCKET = "validation-photos"
GIVEN = {name: QUICK[name] for name in REQUIRED}


@pytest.fixture(scope="module")
def sagemaker(warm_server: Server) -> Any:
    upload_photos(warm_server, BUCKET)
    warm_server.client("s3").put_object(Bucket=BUCKET, Key="broken/1.jpg", Body=b"no picture")
    return warm_server.client("sagemaker")


def jobs_of(sagemaker: Any, name: str) -> tuple[list[str], list[str], list[str]]:
    """Names of the training jobs, transform jobs and models of an algorithm's validation."""
    training = sagemaker.list_training_jobs(NameContains=f"{name}-validation")["TrainingJobSummaries"]
    transform = sagemaker.list_transform_jobs(NameContains=f"{name}-validation")["TransformJobSummaries"]
    models = sagemaker.list_models(NameContains=f"{name}-validation")["Models"]
    return (
        [job["TrainingJobName"] for job in training],
        [job["TransformJobName"] for job in transform],
        [model["ModelName"] for model in models],
    )


def statuses(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["Name"], one["Status"]) for one in told["AlgorithmStatusDetails"]["ValidationStatuses"]]


def reason(told: dict[str, Any]) -> str:
    [why] = [
        one["FailureReason"]
        for one in told["AlgorithmStatusDetails"]["ValidationStatuses"]
        if one["Status"] == "Failed"
    ]
    return str(why)


def test_a_validation_runs_both_jobs(warm_server: Server, sagemaker: Any) -> None:
    name = unique("both")
    tags = [{"Key": "line", "Value": "7"}]
    sagemaker.create_algorithm(**algorithm(name, ValidationSpecification=validation(BUCKET), Tags=tags))
    told = sagemaker.describe_algorithm(AlgorithmName=name)
    assert told["AlgorithmStatus"] in ("Pending", "InProgress")
    assert told["ValidationSpecification"] == validation(BUCKET)
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**named_job(unique("early"), BUCKET, name))
    assert "wait for its validation" in refused.value.response["Error"]["Message"]
    told = await_algorithm(sagemaker, name)
    assert told["AlgorithmStatus"] == "Completed", told
    [training], [transform], _ = jobs_of(sagemaker, name)
    assert statuses(told) == [(training, "Completed"), (transform, "Completed")]
    job = sagemaker.describe_training_job(TrainingJobName=training)
    assert job["TrainingJobStatus"] == "Completed" and job["RoleArn"] == ROLE
    assert job["HyperParameters"] == {**DEFAULTS, **GIVEN}
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags
    scores = warm_server.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="scores/")["KeyCount"]
    assert scores == 10  # of the ten photos that were to be scored
    until(lambda: jobs_of(sagemaker, name)[2] == [])
    sagemaker.create_training_job(**named_job(unique("late"), BUCKET, name))
    sagemaker.delete_algorithm(AlgorithmName=name)
    assert jobs_of(sagemaker, name)[0] == [training]  # the proof stays


def test_a_profile_without_a_transform_job(sagemaker: Any) -> None:
    name = unique("trains")
    specification = validation(BUCKET, transform=False)
    sagemaker.create_algorithm(
        AlgorithmName=name, TrainingSpecification=training_specification(), ValidationSpecification=specification
    )
    told = await_algorithm(sagemaker, name)
    [training], no_transform, no_model = jobs_of(sagemaker, name)
    assert statuses(told) == [(training, "Completed")] and not no_transform and not no_model


def test_a_training_job_that_fails(sagemaker: Any) -> None:
    """Nine classes, and the photos have two."""
    name = unique("nine")
    specification = validation(BUCKET, HyperParameters={**GIVEN, "num_classes": "9"})
    sagemaker.create_algorithm(**algorithm(name, ValidationSpecification=specification))
    told = await_algorithm(sagemaker, name)
    assert told["AlgorithmStatus"] == "Failed"
    assert [status for _, status in statuses(told)] == ["Failed", "NotStarted"]
    assert "is Failed: " in reason(told) and "num_classes=9" in reason(told)
    assert jobs_of(sagemaker, name)[1:] == ([], [])
    for use in (
        lambda: sagemaker.create_training_job(**named_job(unique("no"), BUCKET, name)),
        lambda: sagemaker.create_model_package(
            ModelPackageName=unique("no"),
            SourceAlgorithmSpecification={"SourceAlgorithms": [{"AlgorithmName": name, "ModelDataUrl": "s3://a/b"}]},
        ),
    ):
        with pytest.raises(ClientError) as refused:
            use()
        message = refused.value.response["Error"]["Message"]
        assert f"'{name}' at " in message and "is Failed: " in message and "num_classes=9" in message
    sagemaker.delete_algorithm(AlgorithmName=name)


def test_a_request_that_is_refused_when_its_time_comes(sagemaker: Any) -> None:
    """The training job is refused, for there is no such machine here; nothing is started."""
    name = unique("huge")
    specification = validation(
        BUCKET, ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    )
    asked = algorithm(name, ValidationSpecification=specification)
    asked["TrainingSpecification"]["SupportsDistributedTraining"] = True
    sagemaker.create_algorithm(**asked)
    told = await_algorithm(sagemaker, name)
    assert told["AlgorithmStatus"] == "Failed" and "InstanceCount 2 is not supported" in reason(told)
    assert jobs_of(sagemaker, name) == ([], [], [])


def test_a_transform_job_that_fails(sagemaker: Any) -> None:
    name = unique("broken")
    specification = validation(BUCKET)
    source = specification["ValidationProfiles"][0]["TransformJobDefinition"]["TransformInput"]["DataSource"]
    source["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/broken/"
    sagemaker.create_algorithm(**algorithm(name, ValidationSpecification=specification))
    told = await_algorithm(sagemaker, name)
    assert told["AlgorithmStatus"] == "Failed"
    assert [status for _, status in statuses(told)] == ["Completed", "Failed"]
    assert "could not be scored" in reason(told) and "1.jpg" in reason(told)
    until(lambda: jobs_of(sagemaker, name)[2] == [])


def test_while_it_runs_it_is_not_deleted_and_a_stopped_job_fails_it(warm_server: Server, sagemaker: Any) -> None:
    name = unique("endless")
    specification = validation(BUCKET, HyperParameters={**GIVEN, "epochs": "100000"})
    sagemaker.create_algorithm(**algorithm(name, ValidationSpecification=specification))
    until(lambda: bool(jobs_of(sagemaker, name)[0]))
    [training], _, _ = jobs_of(sagemaker, name)
    wait_for_line(warm_server, training, "Epoch[0]")
    assert statuses(sagemaker.describe_algorithm(AlgorithmName=name))[0] == (training, "InProgress")
    with pytest.raises(ClientError) as refused:
        sagemaker.delete_algorithm(AlgorithmName=name)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert "Cannot delete Algorithm in InProgress status" in error["Message"] and training in error["Message"]
    sagemaker.stop_training_job(TrainingJobName=training)
    told = await_algorithm(sagemaker, name)
    assert told["AlgorithmStatus"] == "Failed" and f"'{training}' is Stopped" in reason(told)
    until(lambda: "Cannot" not in _deleted(sagemaker, name))


def _deleted(sagemaker: Any, name: str) -> str:
    try:
        sagemaker.delete_algorithm(AlgorithmName=name)
    except ClientError as refused:
        return str(refused)
    return ""


def recording(tmp_path: Path, name: str) -> dict[str, Any]:
    """An algorithm whose models write down what they are asked, half a second each: to be killed in the middle."""
    environment = {"SEEN": str(tmp_path / "seen"), "SLEEP": "0.5"}
    container = {"Image": "tobo/recording-model", "Environment": environment}
    specification = validation(BUCKET)
    definition = transform_definition(BUCKET)
    definition["TransformInput"]["ContentType"] = "text/plain"
    definition["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/words/"
    specification["ValidationProfiles"][0]["TransformJobDefinition"] = definition
    inference = {"Containers": [container]}
    return algorithm(name, InferenceSpecification=inference, ValidationSpecification=specification)


@pytest.mark.parametrize("moment", ["at once", "training", "transforming"])
def test_a_server_killed_in_mid_validation_goes_on(
    fresh_server: Callable[..., Server], tmp_path: Path, moment: str
) -> None:
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    for number in range(6):
        server.client("s3").put_object(Bucket=BUCKET, Key=f"words/{number}.txt", Body=f"word {number}".encode())
    server.client("sagemaker").create_algorithm(**recording(tmp_path, "killed"))
    reached = {
        "at once": lambda: True,
        "training": lambda: bool(jobs_of(server.client("sagemaker"), "killed")[0]),
        "transforming": lambda: (tmp_path / "seen").exists(),
    }
    until(reached[moment], 60)
    server.kill()
    time.sleep(0.3)
    server.start()
    sagemaker = server.client("sagemaker")
    told = await_algorithm(sagemaker, "killed")
    assert told["AlgorithmStatus"] == "Completed", told
    [training], [transform], _ = jobs_of(sagemaker, "killed")
    assert statuses(told) == [(training, "Completed"), (transform, "Completed")]
    asked = (tmp_path / "seen").read_text().splitlines()
    assert set(asked) == {f"word {number}" for number in range(6)}
    until(lambda: jobs_of(sagemaker, "killed")[2] == [])

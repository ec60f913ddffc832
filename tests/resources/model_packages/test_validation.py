"""Model packages that are made from an algorithm, and those that a transform job proves, with boto3."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.algorithms import algorithm, await_package, transform_definition
from tests.support.browser import limited_user
from tests.support.jobs import IMAGE, ROLE
from tests.support.own_code import packed
from tests.support.processes import until
from tests.support.unique import unique

BUCKET = "package-words"
RECORDING = "tobo/recording-model"


def upload_words(server: Server) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=_empty_archive())
    for number in range(4):
        s3.put_object(Bucket=BUCKET, Key=f"words/{number}.txt", Body=f"word {number}".encode())
    s3.put_object(Bucket=BUCKET, Key="bad/1.txt", Body=b"bad word")


def _empty_archive() -> bytes:
    return packed({"name.txt": "words"})


@pytest.fixture(scope="module")
def sagemaker(server: Server) -> Any:
    upload_words(server)
    return server.client("sagemaker")


MODEL = f"s3://{BUCKET}/model.tar.gz"


def package(tmp_path: Path, words: str = "words", sleep: str = "0", **changed: Any) -> dict[str, Any]:
    """A CreateModelPackage request whose transform job asks a model that writes down what it is asked."""
    environment = {"SEEN": str(tmp_path / "seen"), "SLEEP": sleep}
    container = {"Image": RECORDING, "ModelDataUrl": MODEL, "Environment": environment}
    definition = transform_definition(BUCKET)
    definition["TransformInput"]["ContentType"] = "text/plain"
    definition["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/{words}/"
    profile = {"ProfileName": "words", "TransformJobDefinition": definition}
    return {
        "InferenceSpecification": {"Containers": [container], "SupportedTransformInstanceTypes": ["ml.m5.large"]},
        "ValidationSpecification": {"ValidationRole": ROLE, "ValidationProfiles": [profile]},
        **changed,
    }


def statuses(told: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = told["ModelPackageStatusDetails"]["ValidationStatuses"]
    return found


def make_model(sagemaker: Any, package_name: str) -> str:
    name = unique("from-package")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package_name})
    return name


def jobs_of(sagemaker: Any, name: str) -> tuple[list[str], list[str]]:
    """Names of the transform jobs and of the models of a package's validation."""
    stem = f"{name}-validation"
    jobs = sagemaker.list_transform_jobs(NameContains=stem)["TransformJobSummaries"]
    models = sagemaker.list_models(NameContains=stem)["Models"]
    return [job["TransformJobName"] for job in jobs], [model["ModelName"] for model in models]


def test_a_package_that_passes(sagemaker: Any, tmp_path: Path) -> None:
    name = unique("passes")
    sagemaker.create_model_package(ModelPackageName=name, **package(tmp_path, sleep="0.5"))
    until(lambda: bool(jobs_of(sagemaker, name)[0]))
    with pytest.raises(ClientError, match="wait until its validation is over"):
        make_model(sagemaker, name)
    with pytest.raises(ClientError, match="Cannot delete ModelPackage in InProgress status"):
        sagemaker.delete_model_package(ModelPackageName=name)
    arn = sagemaker.describe_model_package(ModelPackageName=name)["ModelPackageArn"]
    with pytest.raises(ClientError, match="change InferenceSpecification then"):
        sagemaker.update_model_package(
            ModelPackageArn=arn, InferenceSpecification={"Containers": [{"Image": RECORDING, "ModelDataUrl": MODEL}]}
        )
    told = await_package(sagemaker, name)
    assert told["ModelPackageStatus"] == "Completed", told
    [job], _ = jobs_of(sagemaker, name)
    assert statuses(told) == [{"Name": job, "Status": "Completed"}]
    assert sorted((tmp_path / "seen").read_text().splitlines()) == [f"word {number}" for number in range(4)]
    until(lambda: jobs_of(sagemaker, name)[1] == [])
    assert sagemaker.describe_model(ModelName=make_model(sagemaker, name))["PrimaryContainer"]["Image"] == RECORDING
    sagemaker.delete_model_package(ModelPackageName=name)


def test_a_version_that_fails_is_never_a_model_although_approved(sagemaker: Any, tmp_path: Path) -> None:
    group = unique("Words")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    asked = package(tmp_path, "bad", ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    arn = sagemaker.create_model_package(**asked)["ModelPackageArn"]
    told = await_package(sagemaker, arn)
    assert told["ModelPackageStatus"] == "Failed"
    [status] = statuses(told)
    assert status["Name"].startswith(f"{group}-1-validation-transform-") and status["Status"] == "Failed"
    assert "I do not like it" in status["FailureReason"]
    with pytest.raises(ClientError) as refused:
        make_model(sagemaker, arn)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert "has failed its validation" in error["Message"] and "I do not like it" in error["Message"]
    summaries = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [one["ModelPackageStatus"] for one in summaries] == ["Failed"]


def test_a_job_that_is_stopped_or_not_there(sagemaker: Any, tmp_path: Path) -> None:
    stopped, missing = unique("stopped"), unique("missing")
    sagemaker.create_model_package(ModelPackageName=stopped, **package(tmp_path, sleep="5"))
    until(lambda: bool(jobs_of(sagemaker, stopped)[0]))
    [job], _ = jobs_of(sagemaker, stopped)
    sagemaker.stop_transform_job(TransformJobName=job)
    sagemaker.create_model_package(ModelPackageName=missing, **package(tmp_path, "nothing"))
    told = await_package(sagemaker, stopped)
    assert told["ModelPackageStatus"] == "Failed" and f"'{job}' is Stopped" in statuses(told)[0]["FailureReason"]
    assert "There is no object" in statuses(await_package(sagemaker, missing))[0]["FailureReason"]


def test_what_is_not_validated_is_completed_at_once(sagemaker: Any, tmp_path: Path) -> None:
    for changed in (
        {"SkipModelValidation": "All"},
        {"ValidationSpecification": {"ValidationRole": ROLE, "ValidationProfiles": []}},
    ):
        name = unique("at-once")
        sagemaker.create_model_package(ModelPackageName=name, **package(tmp_path, "bad", **changed))
        told = sagemaker.describe_model_package(ModelPackageName=name)
        assert told["ModelPackageStatus"] == "Completed" and statuses(told) == []
        assert jobs_of(sagemaker, name) == ([], [])


@pytest.fixture(scope="module")
def made(sagemaker: Any) -> str:
    """An algorithm whose models are served by the recording model."""
    container = {"Image": RECORDING, "ModelDataUrl": MODEL, "Environment": {"SEEN": "/dev/null"}}
    inference = {"Containers": [container], "SupportedContentTypes": ["text/plain"]}
    asked = algorithm(unique("source"), InferenceSpecification=inference)
    return str(sagemaker.create_algorithm(**asked)["AlgorithmArn"])


def test_a_package_of_an_algorithm(server: Server, sagemaker: Any, made: str, tmp_path: Path) -> None:
    """The algorithm's specification with the model in it; it is proved, and stays when the algorithm goes."""
    server.client("s3").put_object(Bucket=BUCKET, Key="trained.tar.gz", Body=_empty_archive())
    name, trained = unique("of-algorithm"), f"s3://{BUCKET}/trained.tar.gz"
    source = {"SourceAlgorithms": [{"AlgorithmName": made, "ModelDataUrl": trained}]}
    asked = {member: value for member, value in package(tmp_path).items() if member != "InferenceSpecification"}
    sagemaker.create_model_package(ModelPackageName=name, SourceAlgorithmSpecification=source, **asked)
    told = await_package(sagemaker, name)
    assert told["ModelPackageStatus"] == "Completed", told
    assert told["SourceAlgorithmSpecification"] == source
    environment = {"SEEN": "/dev/null"}
    [container] = told["InferenceSpecification"]["Containers"]
    assert container == {"Image": RECORDING, "ModelDataUrl": trained, "Environment": environment}
    assert told["InferenceSpecification"]["SupportedContentTypes"] == ["text/plain"]
    sagemaker.delete_algorithm(AlgorithmName=made.rsplit("/", 1)[1])
    container = sagemaker.describe_model(ModelName=make_model(sagemaker, name))["PrimaryContainer"]
    assert (container["Image"], container["ModelDataUrl"]) == (RECORDING, trained)
    with pytest.raises(ClientError, match="ModelPackage already exists"):
        sagemaker.create_model_package(ModelPackageName=name, **package(tmp_path))


@pytest.mark.parametrize(
    ("inference", "source", "said"),
    [
        (None, {"ModelDataUrl": MODEL}, "has no InferenceSpecification"),
        ({"Containers": [{"Image": IMAGE}] * 2}, {"ModelDataUrl": MODEL}, "serves with 2 containers"),
        ({"Containers": [{"Image": IMAGE}]}, {}, "give either ModelDataUrl or ModelDataSource"),
        ({"Containers": [{"Image": IMAGE}]}, {"ModelDataUrl": f"s3://{BUCKET}/nothing"}, "upload it first"),
        ({"Containers": [{"Image": IMAGE}]}, {"AlgorithmName": "nobody", "ModelDataUrl": MODEL}, "algorithm/nobody does not exist"),
    ],
)  # fmt: skip
def test_sources_that_are_refused(
    sagemaker: Any, inference: dict[str, Any] | None, source: dict[str, Any], said: str
) -> None:
    its = algorithm(unique("no-source"), InferenceSpecification=inference)
    sagemaker.create_algorithm(**{member: value for member, value in its.items() if value is not None})
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model_package(
            ModelPackageName=unique("refused"),
            SourceAlgorithmSpecification={"SourceAlgorithms": [{"AlgorithmName": its["AlgorithmName"], **source}]},
        )
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException" and said in error["Message"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"InferenceSpecification": None, "SourceUri": "s3://somewhere"}, "give InferenceSpecification"),
        ({"InferenceSpecification": {"Containers": [{"Image": RECORDING}] * 2}}, "has 2 containers"),
        ({"InferenceSpecification": {"Containers": [{"Image": RECORDING}], "SupportedTransformInstanceTypes": ["ml.m5.xlarge"]}}, "those are ml.m5.xlarge"),
    ],
)  # fmt: skip
def test_profiles_that_are_refused(sagemaker: Any, tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    asked = {member: value for member, value in package(tmp_path, **changed).items() if value is not None}
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model_package(ModelPackageName=unique("refused"), **asked)
    assert said in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("moment", ["at once", "transforming"])
def test_a_server_killed_in_mid_validation_goes_on(
    fresh_server: Callable[..., Server], tmp_path: Path, moment: str
) -> None:
    server = fresh_server()
    upload_words(server)
    server.client("sagemaker").create_model_package(ModelPackageName="killed", **package(tmp_path, sleep="1"))
    if moment == "transforming":
        until((tmp_path / "seen").exists)
    server.kill()
    time.sleep(0.2)
    server.start()
    sagemaker = server.client("sagemaker")
    told = await_package(sagemaker, "killed")
    assert told["ModelPackageStatus"] == "Completed", told
    [job], _ = jobs_of(sagemaker, "killed")
    assert statuses(told) == [{"Name": job, "Status": "Completed"}]
    assert {f"word {number}" for number in range(4)} == set((tmp_path / "seen").read_text().splitlines())
    until(lambda: jobs_of(sagemaker, "killed")[1] == [])


def test_the_bill_names_who_made_the_package(server: Server, sagemaker: Any, tmp_path: Path) -> None:
    """A validation's jobs are started by the house, for somebody."""
    name, user = unique("billed"), unique("anna")
    key, secret = limited_user(server, user, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    anna = server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret)
    anna.create_model_package(ModelPackageName=name, **package(tmp_path))
    await_package(sagemaker, name)
    [job], _ = jobs_of(sagemaker, name)
    arn = sagemaker.describe_transform_job(TransformJobName=job)["TransformJobArn"]
    today = datetime.now(UTC).date()
    found = server.client("ce", region="us-east-1").get_cost_and_usage(
        TimePeriod={"Start": str(today - timedelta(1)), "End": str(today + timedelta(2))},
        Granularity="MONTHLY",
        Metrics=["UsageQuantity"],
        Filter={"Dimensions": {"Key": "RESOURCE_ID", "Values": [arn]}},
        GroupBy=[{"Type": "TAG", "Key": "aws:createdBy"}],
    )
    groups = [group["Keys"] for result in found["ResultsByTime"] for group in result["Groups"]]
    assert groups == [[f"aws:createdBy$arn:aws:iam::{server.account}:user/{user}"]]

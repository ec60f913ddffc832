"""What CreateCompilationJob takes and refuses, and the lists, through boto3 on a real server."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support import graphs
from tests.support.compilation import compilation_job, ended, put_archive
from tests.support.processes import until

from tobo.compilers.targets import BUILT
from tobo.kit.states import states_of
from tobo.resources.compilation_jobs import states
from tobo.wire.models import service_model

RUN = uuid.uuid4().hex[:8]
NOWHERE = f"s3://nowhere-{RUN}/model.tar.gz"


def enum(name: str) -> list[str]:
    found: list[str] = service_model("sagemaker").shape_for(name).enum
    return found


def refused(server: Server, **changed: Any) -> tuple[str, str]:
    asked = compilation_job(f"refused-{uuid.uuid4().hex[:8]}", NOWHERE, **changed)
    with pytest.raises(ClientError) as caught:
        server.client("sagemaker").create_compilation_job(**asked)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


PLATFORMS = [
    {"Os": os, "Arch": arch, **({"Accelerator": accelerator} if accelerator else {})}
    for os in enum("TargetPlatformOs")
    for arch in enum("TargetPlatformArch")
    for accelerator in (None, *enum("TargetPlatformAccelerator"))
]


def test_every_target_is_accepted_or_refused_with_the_list_of_those_that_are_built(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    accepted = set()
    for target in (*enum("TargetDevice"), *PLATFORMS):
        name = f"target-{uuid.uuid4().hex[:8]}"
        try:
            sagemaker.create_compilation_job(**compilation_job(name, NOWHERE, target))
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            assert (
                code == "ValidationException"
                and "is not built here; those that are: the devices rasp3b, rasp4b" in message
            )
        else:
            accepted.add(target if isinstance(target, str) else "_".join(target.values()).lower())
    assert accepted == BUILT.keys()
    assert {"rasp3b", "rasp4b", "aisage", "ml_c5", "ml_m5", "deeplens", "jetson_tx2", "linux_x86_64"} <= accepted


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"framework": "TENSORFLOW"}, "export the model to ONNX (tf2onnx) and give Framework ONNX"),
        ({"framework": "SKLEARN"}, "export the model to ONNX (skl2onnx)"),
        ({"framework": "CAFFE"}, "inputConfig.framework"),
        ({"shapes": {"input": [1, 3, -1, 8]}}, "has a shape [1, 3, -1, 8], which is no list of whole numbers above 0"),
        ({"shapes": 3}, "DataInputConfig is neither an object nor a list"),
        ({"shapes": {}}, "DataInputConfig names no input"),
        ({"options": [1]}, "CompilerOptions is no JSON object"),
        ({"options": {"speed": 1}}, "CompilerOptions has no option 'speed'; there are precision, calibration"),
        ({"options": {"precision": "int4"}}, 'precision is "int4"; rasp4b is built in int8 and fp32'),
        ({"options": {"tolerance": 2}}, "tolerance is 2; give a share from 0 to 1"),
        ({"options": {"calibration": "pictures/"}}, "give the s3:// prefix of some pictures"),
        ({"options": {"thresholds": {"ok": "high"}}}, "thresholds['ok'] is \"high\""),
        (
            {"ModelPackageVersionArn": "arn:aws:sagemaker:us-east-1:111122223333:model-package/m/1"},
            "is not supported yet",
        ),
        ({"InputConfig": {"S3Uri": "s3://b/model.onnx", "Framework": "ONNX"}}, "has to name one .tar.gz archive"),
        ({"OutputConfig": {"S3OutputLocation": "s3://b/out"}}, "needs either a TargetDevice or a TargetPlatform"),
    ],
)
def test_what_is_refused_before_anything_starts(server: Server, changed: dict[str, Any], sentence: str) -> None:
    code, message = refused(server, **changed)
    assert code == "ValidationException" and sentence in message, message


def test_options_and_shapes_that_are_no_json(server: Server) -> None:
    asked = compilation_job(f"json-{RUN}", NOWHERE)
    for part, member in (("OutputConfig", "CompilerOptions"), ("InputConfig", "DataInputConfig")):
        broken = {**asked, part: {**asked[part], member: "{'precision': 'int8'}"}}
        with pytest.raises(ClientError, match=f"{member} is not JSON"):
            server.client("sagemaker").create_compilation_job(**broken)


def test_an_int8_that_a_target_does_not_have(server: Server) -> None:
    asked = compilation_job(f"gpu-{RUN}", NOWHERE, "jetson_nano", options={"precision": "int8"})
    with pytest.raises(ClientError, match="jetson_nano is built in fp32"):
        server.client("sagemaker").create_compilation_job(**asked)


def test_a_name_is_taken_once_and_bears_tags(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    asked = compilation_job(f"once-{RUN}", NOWHERE, Tags=[{"Key": "team", "Value": "marbles"}])
    arn = sagemaker.create_compilation_job(**asked)["CompilationJobArn"]
    assert arn.endswith(f":compilation-job/once-{RUN}")
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.create_compilation_job(**asked)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "marbles"}]
    told = ended(sagemaker, f"once-{RUN}")
    assert told["InputConfig"] == asked["InputConfig"] and told["OutputConfig"] == asked["OutputConfig"]
    assert told["StoppingCondition"] == {"MaxRuntimeInSeconds": 900}
    for operation in (
        sagemaker.describe_compilation_job,
        sagemaker.stop_compilation_job,
        sagemaker.delete_compilation_job,
    ):
        with pytest.raises(ClientError, match="ResourceNotFound"):
            operation(CompilationJobName=f"never-{RUN}")


def test_lists_are_filtered_sorted_and_paged(server: Server) -> None:
    sagemaker, s3 = server.client("sagemaker", region="eu-west-3"), server.client("s3", region="eu-west-3")
    begin = datetime.now(UTC) - timedelta(minutes=1)
    s3.create_bucket(Bucket=f"lists-{RUN}", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    for name in ("b-failing", "a-failing", "c-failing"):
        sagemaker.create_compilation_job(**compilation_job(name, f"s3://lists-{RUN}/none.tar.gz"))
        ended(sagemaker, name)
    platform = {"Os": "LINUX", "Arch": "ARM64"}
    sagemaker.create_compilation_job(**compilation_job("d-on-arm", f"s3://lists-{RUN}/none.tar.gz", platform))
    ended(sagemaker, "d-on-arm")

    def names(**asked: Any) -> list[str]:
        found = sagemaker.list_compilation_jobs(**asked)["CompilationJobSummaries"]
        return [job["CompilationJobName"][0] for job in found]

    assert names() == ["d", "c", "a", "b"]
    assert names(SortOrder="Ascending") == ["b", "a", "c", "d"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a", "b", "c", "d"]
    assert names(NameContains="failing", SortBy="Name") == ["c", "b", "a"]
    assert names(StatusEquals="COMPLETED") == [] and len(names(StatusEquals="FAILED", SortBy="Status")) == 4
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert names(CreationTimeAfter=later) == names(LastModifiedTimeBefore=begin) == []
    assert len(names(CreationTimeAfter=begin, LastModifiedTimeBefore=later)) == 4
    pages = sagemaker.get_paginator("list_compilation_jobs").paginate(PaginationConfig={"PageSize": 3})
    assert [len(page["CompilationJobSummaries"]) for page in pages] == [3, 1]
    on_arm, on_pi = sagemaker.list_compilation_jobs(MaxResults=2)["CompilationJobSummaries"]
    assert (on_arm["CompilationTargetPlatformOs"], on_arm["CompilationTargetPlatformArch"]) == ("LINUX", "ARM64")
    assert on_pi["CompilationTargetDevice"] == "rasp4b" and on_pi["CompilationJobStatus"] == "FAILED"
    assert on_pi["CompilationEndTime"] >= on_pi["CreationTime"]


def test_the_record_of_a_job_leads_from_model_to_compiled_model(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    bucket, name = f"records-{RUN}", f"recorded-{RUN}"
    server.client("s3").create_bucket(Bucket=bucket)
    archive = put_archive(server, bucket, "model", graphs.archive(graphs.classifier()))
    sagemaker.create_compilation_job(**compilation_job(name, archive))
    compiled = ended(sagemaker, name)["ModelArtifacts"]["S3ModelArtifacts"]

    def component() -> dict[str, Any]:
        found: dict[str, Any] = sagemaker.describe_trial_component(TrialComponentName=f"{name}-aws-compilation-job")
        return found

    until(lambda: component()["Status"]["PrimaryStatus"] == "Completed")  # it is written after the job's end
    recorded = component()
    assert recorded["InputArtifacts"]["SageMaker.ModelArtifact"]["Value"] == archive
    assert recorded["OutputArtifacts"]["SageMaker.CompiledModel"]["Value"] == compiled
    assert recorded["Parameters"]["SageMaker.Target"] == {"StringValue": "rasp4b"}


def test_statuses_are_aws_s() -> None:
    assert set(states.STATUS.values()) == set(enum("CompilationJobStatus"))
    assert set(states.STATUS) == states_of(states.TABLE)
    assert json.dumps(sorted(states.TERMINAL)) == '["Completed", "Failed", "Stopped"]'

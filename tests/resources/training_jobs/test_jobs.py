"""Training jobs through boto3 on a real server: from CreateTrainingJob to model.tar.gz, and every way that ends elsewhere."""

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import (
    ENDLESS,
    IMAGE,
    QUICK,
    channel,
    log_lines,
    training_job,
    upload_photos,
    wait,
    wait_for_line,
)
from tests.support.processes import until

pytestmark = pytest.mark.xdist_group("training")
BUCKET = "training-photos"


@pytest.fixture(scope="module")
def sagemaker(warm_server: Server) -> Any:
    upload_photos(warm_server, BUCKET)
    return warm_server.client("sagemaker")


def artifact(server: Server, described: dict[str, Any]) -> dict[str, bytes]:
    bucket, _, key = described["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    data = server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}  # type: ignore[union-attr]


def test_a_job_from_create_to_artefact(warm_server: Server, sagemaker: Any) -> None:
    tags = [{"Key": "line", "Value": "marbles"}]
    arn = sagemaker.create_training_job(**training_job("whole", BUCKET, Tags=tags))["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{warm_server.account}:training-job/whole"
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="whole", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    job = sagemaker.describe_training_job(TrainingJobName="whole")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert job["HyperParameters"] == QUICK and job["OutputDataConfig"]["KmsKeyId"] == ""
    assert job["TrainingStartTime"] < job["TrainingEndTime"] and job["BillableTimeInSeconds"] >= 1
    final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert final["validation:accuracy"] >= 0.9
    files = artifact(warm_server, job)
    assert {"model.onnx", "model.safetensors", "labels.json", "metrics.json", "history.json"} <= files.keys()
    assert json.loads(files["labels.json"]) == ["ko", "ok"]
    assert any("Validation-accuracy=" in line for line in log_lines(warm_server, "whole"))
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_metric_lines_become_cloudwatch_metrics(warm_server: Server, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training_job("measured", BUCKET))
    job = wait(sagemaker, "measured")
    now = datetime.now(UTC)
    asked = {
        "Namespace": "/aws/sagemaker/TrainingJobs",
        "MetricName": "validation:accuracy",
        "Dimensions": [{"Name": "TrainingJobName", "Value": "measured"}],
        "StartTime": now - timedelta(hours=1),
        "EndTime": now + timedelta(hours=1),
        "Period": 3600 * 3,
        "Statistics": ["SampleCount", "Maximum"],
    }
    points = warm_server.client("cloudwatch").get_metric_statistics(**asked)["Datapoints"]
    assert sum(point["SampleCount"] for point in points) == 2
    best = next(m["Value"] for m in job["FinalMetricDataList"] if m["MetricName"] == "validation:accuracy")
    assert max(point["Maximum"] for point in points) >= best


def test_a_validation_of_the_same_keys_by_manifests(warm_server: Server, sagemaker: Any) -> None:
    """Manifest and augmented manifest as input, in one job."""
    s3 = warm_server.client("s3")
    train = [f"ko/{n}.jpg" if n % 2 == 0 else f"ok/{n}.jpg" for n in range(40)]
    s3.put_object(Bucket=BUCKET, Key="m/train.json", Body=json.dumps([{"prefix": f"s3://{BUCKET}/train/"}, *train]))
    lines = [
        json.dumps({"source-ref": f"s3://{BUCKET}/validation/{('ko', 'ok')[n % 2]}/{n}.jpg", "label": n % 2})
        for n in range(40, 50)
    ]
    s3.put_object(Bucket=BUCKET, Key="m/output.manifest", Body="\n".join(lines))
    augmented = {
        "source": {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"]},
        "RecordWrapperType": "RecordIO",
        "InputMode": "Pipe",
        "ContentType": "application/x-recordio",
    }
    channels = [
        channel("train", f"s3://{BUCKET}/m/train.json", source={"S3DataType": "ManifestFile"}),
        channel("validation", f"s3://{BUCKET}/m/output.manifest", **augmented),
    ]
    sagemaker.create_training_job(**training_job("manifests", BUCKET, InputDataConfig=channels))
    job = wait(sagemaker, "manifests")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"HyperParameters": {**QUICK, "leaning_rate": "0.1"}}, "leaning_rate"),
        (
            {"HyperParameters": {**QUICK, "epochs": "many"}},
            "'epochs' has the value 'many', which must be a whole number",
        ),
        (
            {"HyperParameters": {**QUICK, "learning_rate": "1.5"}},
            "'learning_rate' has the value '1.5', which must be from 0 to 1",
        ),
        ({"HyperParameters": {**QUICK, "learning_rate": "nan"}}, "learning_rate"),
        ({"HyperParameters": {**QUICK, "optimizer": "sdg"}}, "must be one of sgd"),
        ({"HyperParameters": {**QUICK, "image_shape": "224"}}, "image_shape"),
        ({"HyperParameters": {"num_classes": "2"}}, "'num_training_samples' of image-classification is required"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
            "InstanceCount 2",
        ),
        ({"ResourceConfig": {"InstanceType": "ml.m5.tiny", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "ml.m5.tiny"),
        ({"AlgorithmSpecification": {"TrainingImage": "x/unknown:1", "TrainingInputMode": "File"}}, "x/unknown:1"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingImage"),
        ({"InputDataConfig": [channel("validation", "s3://b/v")]}, "needs the channel 'train'"),
        ({"InputDataConfig": [channel("train", "s3://b/t"), channel("train", "s3://b/t")]}, "stands twice"),
        ({"InputDataConfig": [channel("trian", "s3://b/t")]}, "no channel 'trian'"),
        ({"InputDataConfig": [channel("train", "s3://b/t", ContentType="text/csv")]}, "text/csv"),
        ({"InputDataConfig": [channel("train", "file:///tmp")]}, "file:///tmp"),
        ({"OutputDataConfig": {"S3OutputPath": "https://"}}, "https://"),
        ({"TrainingJobName": "-bad-"}, "trainingJobName"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(sagemaker: Any, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**{**training_job("refused", BUCKET), **changed})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert says in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match=r"Requested resource not found\."):
        sagemaker.describe_training_job(TrainingJobName="refused")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"InputDataConfig": [channel("train", "s3://no-such-bucket/t")]}, "no-such-bucket"),
        ({"InputDataConfig": [channel("train", f"s3://{BUCKET}/nothing/")]}, f"no object at 's3://{BUCKET}/nothing/'"),
        ({"HyperParameters": {**QUICK, "num_classes": "3"}}, "num_classes=3"),
        (
            {"HyperParameters": {**QUICK, "use_pretrained_model": "1", "pretrained_weights": "/no/such/file"}},
            "/no/such/file",
        ),
    ],
    ids=["bucket", "prefix", "classes", "weights"],
)
def test_what_only_the_job_can_see_fails_it_with_its_reason(
    sagemaker: Any, changed: dict[str, Any], says: str, request: Any
) -> None:
    name = f"failing-{request.node.callspec.id}"
    sagemaker.create_training_job(**training_job(name, BUCKET, **changed))
    job = wait(sagemaker, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError") and says in job["FailureReason"]
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "Failed"


def test_a_name_is_taken_once(sagemaker: Any) -> None:
    asked = training_job("twice", BUCKET, InputDataConfig=[channel("train", f"s3://{BUCKET}/nothing/")])
    sagemaker.create_training_job(**asked)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        sagemaker.create_training_job(**asked)


def test_stop_keeps_the_model_so_far(warm_server: Server, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training_job("halted", BUCKET, HyperParameters=ENDLESS))
    wait_for_line(warm_server, "halted", "Storing the best model")
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="stop it"):
        sagemaker.delete_training_job(TrainingJobName="halted")
    sagemaker.stop_training_job(TrainingJobName="halted")
    sagemaker.stop_training_job(TrainingJobName="halted")
    job = wait(sagemaker, "halted")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "model.onnx" in artifact(warm_server, job)
    with pytest.raises(ClientError, match="in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName="halted")
    sagemaker.delete_training_job(TrainingJobName="halted")
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_training_job(TrainingJobName="halted")


def test_the_time_limit_stops_a_job_and_keeps_its_model(warm_server: Server, sagemaker: Any) -> None:
    limit = {"MaxRuntimeInSeconds": 4}
    sagemaker.create_training_job(**training_job("overtime", BUCKET, HyperParameters=ENDLESS, StoppingCondition=limit))
    job = wait(sagemaker, "overtime")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "model.onnx" in artifact(warm_server, job)


def test_checkpoints_and_uncompressed_output_go_to_s3(warm_server: Server, sagemaker: Any) -> None:
    asked = training_job(
        "checkpoints",
        BUCKET,
        HyperParameters={**QUICK, "checkpoint_frequency": "1"},
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints"},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/plain", "CompressionType": "NONE"},
    )
    sagemaker.create_training_job(**asked)
    job = wait(sagemaker, "checkpoints")
    s3 = warm_server.client("s3")
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/")["KeyCount"] >= 1
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/plain/checkpoints/output/model/"
    s3.head_object(Bucket=BUCKET, Key="plain/checkpoints/output/model/model.onnx")


def test_jobs_wait_for_their_place_on_the_machine(warm_server: Server, sagemaker: Any) -> None:
    large = {"InstanceType": "ml.m5.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
    for name in ("first", "second"):
        sagemaker.create_training_job(**training_job(name, BUCKET, HyperParameters=ENDLESS, ResourceConfig=large))
    wait(sagemaker, "first", until="Training")

    def waits() -> bool:
        second = sagemaker.describe_training_job(TrainingJobName="second")
        said = second["SecondaryStatusTransitions"][-1].get("StatusMessage", "")
        return second["SecondaryStatus"] == "Starting" and "waiting for capacity" in said

    until(waits)
    sagemaker.stop_training_job(TrainingJobName="first")
    assert wait(sagemaker, "second", until="Training")["SecondaryStatus"] == "Training"
    sagemaker.stop_training_job(TrainingJobName="second")
    wait(sagemaker, "second")


def test_lists_page_filter_and_sort(warm_server: Server) -> None:
    sagemaker = warm_server.client("sagemaker", region="eu-central-1")
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    for number in range(12):
        # Without a bucket they fail at once, which is all that a list needs.
        sagemaker.create_training_job(**training_job(f"job-{number:02}", "nowhere"))
    for number in range(12):
        wait(sagemaker, f"job-{number:02}")
    pages = list(sagemaker.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["TrainingJobSummaries"]) for page in pages] == [5, 5, 2]
    names = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    assert names == [f"job-{number:02}" for number in reversed(range(12))]

    def listed(**asked: Any) -> list[str]:
        return [job["TrainingJobName"] for job in sagemaker.list_training_jobs(**asked)["TrainingJobSummaries"]]

    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=2) == ["job-00", "job-01"]
    assert listed(NameContains="JOB-0", MaxResults=100) == [f"job-{number:02}" for number in reversed(range(10))]
    assert listed(StatusEquals="Completed") == []
    assert len(listed(StatusEquals="Failed", MaxResults=100)) == 12
    middle = sagemaker.describe_training_job(TrainingJobName="job-06")["CreationTime"]
    assert "job-05" not in listed(CreationTimeAfter=middle, MaxResults=100)
    assert listed(CreationTimeBefore=middle - timedelta(days=1)) == []
    token = sagemaker.list_training_jobs(MaxResults=1)["NextToken"]
    for wrong in ({"NextToken": token, "SortBy": "Name"}, {"NextToken": "nonsense"}):
        with pytest.raises(ClientError, match="NextToken"):
            sagemaker.list_training_jobs(**wrong)
    assert warm_server.client("sagemaker", region="ap-south-1").list_training_jobs()["TrainingJobSummaries"] == []


def test_update_is_described(warm_server: Server, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training_job("updated", BUCKET, HyperParameters=ENDLESS))
    sagemaker.update_training_job(TrainingJobName="updated", ProfilerConfig={"DisableProfiler": True})
    assert sagemaker.describe_training_job(TrainingJobName="updated")["ProfilerConfig"] == {"DisableProfiler": True}
    sagemaker.stop_training_job(TrainingJobName="updated")
    wait(sagemaker, "updated")
    with pytest.raises(ClientError, match="only one that is in progress"):
        sagemaker.update_training_job(TrainingJobName="updated", ProfilerConfig={"DisableProfiler": False})


def test_images_of_every_region_mean_the_same_algorithm(sagemaker: Any) -> None:
    image = IMAGE.replace("433757028032", "813361260812").replace("us-west-2", "eu-central-1")
    specification = {"TrainingImage": image, "TrainingInputMode": "FastFile"}
    sagemaker.create_training_job(**training_job("fastfile", BUCKET, AlgorithmSpecification=specification))
    assert wait(sagemaker, "fastfile")["TrainingJobStatus"] == "Completed"


def test_a_job_without_network_trains(warm_server: Server, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training_job("isolated", BUCKET, EnableNetworkIsolation=True))
    job = wait(sagemaker, "isolated")
    assert job["TrainingJobStatus"] == "Completed" and job["EnableNetworkIsolation"] is True

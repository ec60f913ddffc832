"""Labelling jobs for tests: pictures in a bucket, a manifest, and workers who speak boto3."""

import io
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.own_services import own_client
from tests.support.unique import unique
from tests.support.workforces import team_of

FUNCTIONS = "arn:aws:lambda:us-east-1:432418664414:function"
WORKER = {
    "Effect": "Allow",
    "Action": [
        f"tobo-labeling:{name}"
        for name in (
            "ListWork", "DescribeWork", "ClaimTasks", "KeepTask", "ReleaseTasks", "AnswerTask", "SkipTask", "ReopenTask",
        )
    ],
    "Resource": "*",
}  # fmt: skip
"""A statement of a user who labels."""

ALGORITHM = "arn:aws:sagemaker:us-east-1:027400017018:labeling-job-algorithm-specification/image-classification"
"""By which a machine labels pictures of one class."""

LEARNING = {"LabelingJobAlgorithmSpecificationArn": ALGORITHM}
"""LabelingJobAlgorithmsConfig of a job that learns."""

REVIEWER = {"Effect": "Allow", "Action": "tobo-labeling:*", "Resource": "*"}


def labeler(server: Server, keys: tuple[str, str] | None = None, region: str = "us-east-1") -> Any:
    """A client of tobo-labeling, as the root or with these keys."""
    return own_client(server, "tobo-labeling", keys, region)


def worker(
    server: Server, name: str = "worker", statement: Mapping[str, Any] = WORKER, region: str = "us-east-1"
) -> Any:
    """A client of a new user who may do this."""
    return labeler(server, limited_user(server, unique(name), dict(statement)), region)


def picture(color: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def bucket_of(server: Server, pictures: Mapping[str, bytes] | int = 0) -> str:
    """A new bucket with these pictures, or so many."""
    s3, bucket = server.client("s3"), unique("labels")
    s3.create_bucket(Bucket=bucket)
    if isinstance(pictures, int):
        pictures = {f"photos/{n:03}.png": picture((n * 7 % 256, 80, 90)) for n in range(pictures)}
    for key, body in pictures.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return bucket


def put_lines(server: Server, bucket: str, lines: Sequence[Mapping[str, Any] | str], key: str = "in.manifest") -> str:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    server.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    return f"s3://{bucket}/{key}"


def labeling_job(
    server: Server, bucket: str, kind: str = "ImageMultiClass", labels: Sequence[str] = ("ok", "ko"), **changes: Any
) -> dict[str, Any]:
    """A request for CreateLabelingJob over the bucket's folder photos/; its label categories are put there.

    `workers`, `seconds`, `most` (at a time), `source`, `review` (below), `consolidation`, `machine` (accuracy), `audits`, `team` are
    short for what lies deeper.
    """
    categories: dict[str, Any] = {"labels": [{"label": label} for label in labels]}
    if "consolidation" in changes:
        categories["consolidation"] = changes.pop("consolidation")
    if "audits" in changes:
        categories["auditLabelAttributeName"] = changes.pop("audits")
    if "review" in changes:
        categories["review"] = {"below": changes.pop("review")}
    if "machine" in changes:
        categories["machine"] = {"accuracy": changes.pop("machine")}
    key = f"{unique('categories')}.json"
    server.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(categories).encode())
    account = server.client("sts").get_caller_identity()["Account"]
    human = {
        "WorkteamArn": changes.pop("team", None) or team_of(server),
        "UiConfig": {},
        "PreHumanTaskLambdaArn": f"{FUNCTIONS}:PRE-{kind}",
        "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{FUNCTIONS}:ACS-{kind}"},
        "TaskTitle": "Marbles",
        "TaskDescription": "Is it whole?",
        "NumberOfHumanWorkersPerDataObject": changes.pop("workers", 1),
        "TaskTimeLimitInSeconds": changes.pop("seconds", 60),
    }
    if "most" in changes:
        human["MaxConcurrentTaskCount"] = changes.pop("most")
    source = changes.pop("source", f"s3://{bucket}/photos/")
    return {
        "LabelingJobName": unique("labelling"),
        "LabelAttributeName": "label-ref" if kind.endswith("Segmentation") else "label",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": source}}},
        "OutputConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "RoleArn": f"arn:aws:iam::{account}:role/service-role/labels",
        "LabelCategoryConfigS3Uri": f"s3://{bucket}/{key}",
        "HumanTaskConfig": human,
        **changes,
    }


def create(server: Server, request: Mapping[str, Any]) -> str:
    """The ARN of a new job that people can work at."""
    sagemaker = server.client("sagemaker")
    arn: str = sagemaker.create_labeling_job(**request)["LabelingJobArn"]
    wait(server, request["LabelingJobName"], lambda job: job["LabelingJobStatus"] != "Initializing")
    return arn


def wait(server: Server, name: str, found: Any) -> dict[str, Any]:
    """The job's description once `found` says so of it."""
    sagemaker, deadline = server.client("sagemaker"), time.monotonic() + 60
    while True:
        job: dict[str, Any] = sagemaker.describe_labeling_job(LabelingJobName=name)
        if found(job):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)


def ended(server: Server, name: str) -> dict[str, Any]:
    return wait(server, name, lambda job: job["LabelingJobStatus"] in ("Completed", "Failed", "Stopped"))


def claim(client: Any, arn: str, count: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Tasks, once there are some."""
    deadline = time.monotonic() + 30
    while not (tasks := client.claim_tasks(LabelingJobArn=arn, MaxResults=count, **more)["Tasks"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return list(tasks)


def say(client: Any, arn: str, task: Mapping[str, Any], answer: Any, **more: Any) -> str:
    state: str = client.answer_task(
        LabelingJobArn=arn, ItemNumber=task["ItemNumber"], Body=json.dumps(answer), Seconds=1.5, **more
    )["State"]
    return state


def output_of(server: Server, job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The output manifest's lines."""
    uri = job["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix("s3://")
    bucket, _, key = uri.partition("/")
    body = server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return [json.loads(line) for line in body.decode().splitlines()]

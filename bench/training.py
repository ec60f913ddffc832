"""Training jobs to be measured: pictures up to S3, a job on them, and when its log said what."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.servers import Tobo

BUCKET = "bench-training"
GROUP = "/aws/sagemaker/TrainingJobs"


def upload(server: Tobo, objects: Iterable[tuple[str, bytes]]) -> None:
    """Puts (key, bytes) pairs into the bucket, which is made first."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    with ThreadPoolExecutor(4) as pool:
        for put in [pool.submit(s3.put_object, Bucket=BUCKET, Key=key, Body=body) for key, body in objects]:
            put.result()


def train(server: Tobo, name: str, channels: Iterable[str], hyperparameters: Mapping[str, object]) -> dict[str, Any]:
    """The description of the job when it is over, with what the caller saw: `asked_at` and `seconds`."""
    sagemaker = server.client("sagemaker")
    sagemaker.list_training_jobs()  # the client's own first request is not the server's business
    begin = time.time()
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "image-classification:1", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::111122223333:role/service-role/bench",
        InputDataConfig=[channel(each) for each in channels],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={key: str(value) for key, value in hyperparameters.items()},
    )
    while True:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(0.05)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(f"{name} {job['TrainingJobStatus']}: {job.get('FailureReason')}")
    return {**job, "asked_at": begin, "seconds": time.time() - begin}


def first_line(server: Tobo, name: str, text: str) -> float:
    """Epoch seconds of the first line of a job's log that has the text."""
    logs = server.client("logs")
    found = logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"{name}/", filterPattern=f'"{text}"')
    return float(found["events"][0]["timestamp"]) / 1000


def channel(name: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"}

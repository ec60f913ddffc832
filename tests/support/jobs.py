"""Two-class photos that a small network learns in seconds, and the requests around them, as a boto3 user writes them."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image
from tests.conftest import Server

IMAGE = "433757028032.dkr.ecr.us-west-2.amazonaws.com/image-classification:1"
ROLE = "arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole"
CLASSES = ("ko", "ok")
QUICK = {
    "num_classes": "2",
    "num_training_samples": "40",
    "num_layers": "20",
    "image_shape": "3,32,32",
    "epochs": "2",
    "mini_batch_size": "8",
    "learning_rate": "0.05",
}
"""Hyperparameters that reach accuracy 1.0 on `photo` in about two seconds."""

ENDLESS = {**QUICK, "epochs": "100000"}


def photo(number: int, size: int = 40) -> bytes:
    """A JPEG: noise with a square that is red for even numbers (ko) and green for odd ones (ok)."""
    random = np.random.default_rng(number)
    pixels = random.integers(0, 60, (size, size, 3), dtype=np.uint8)
    quarter = size // 4
    pixels[quarter:-quarter, quarter:-quarter, number % 2] += 150
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def upload_photos(server: Server, bucket: str, train: int = 40, validation: int = 10) -> None:
    """train/<class>/<n>.jpg and validation/<class>/<n>.jpg in a new bucket."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)

    def put(number: int) -> None:
        part = "train" if number < train else "validation"
        s3.put_object(Bucket=bucket, Key=f"{part}/{CLASSES[number % 2]}/{number}.jpg", Body=photo(number))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(train + validation)))


def channel(name: str, uri: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, **more.pop("source", {})}
    return {"ChannelName": name, "ContentType": "application/x-image", "DataSource": {"S3DataSource": source}, **more}


def training_job(name: str, bucket: str, **changed: Any) -> dict[str, Any]:
    """A CreateTrainingJob request; `changed` replaces members."""
    asked = {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": QUICK,
        "InputDataConfig": [
            channel("train", f"s3://{bucket}/train/"),
            channel("validation", f"s3://{bucket}/validation/"),
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {**asked, **changed}


def wait(sagemaker: Any, name: str, *, until: str = "", seconds: float = 180) -> dict[str, Any]:
    """Describes until the job is over, or until its SecondaryStatus is `until`; fails when that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        described: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if (
            described["TrainingJobStatus"] in ("Completed", "Failed", "Stopped")
            or described["SecondaryStatus"] == until
        ):
            return described
        time.sleep(0.02)
    raise AssertionError(f"{name} is still {described['SecondaryStatus']} after {seconds} s")


def log_lines(server: Server, name: str) -> list[str]:
    """All lines of a training job's log."""
    logs = server.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    lines: list[str] = []
    for stream in logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]:
        events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
        lines += [event["message"] for event in events["events"]]
    return lines


def wait_for_line(server: Server, name: str, text: str, seconds: float = 60) -> None:
    """Until a line of the job's log holds `text`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if any(text in line for line in log_lines(server, name)):
                return
        except server.client("logs").exceptions.ResourceNotFoundException:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no line {text!r} in the log of {name} after {seconds} s")

"""The training part of the story: photos and lists to S3, a training job, and what it says while it runs."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from tobo.algorithms.image_classification.recipes import IMAGE
from tobo.cli.client import execution_role
from tobo.cli.logs import Streams
from tobo.cli.story.connection import CONNECTIONS, Connection
from tobo.cli.story.photos import Collection, Picture, lst
from tobo.kit.fault import Fault

INSTANCE = "ml.m5.xlarge"
"""Four virtual CPUs; a smaller machine gives what it has."""

MAX_SECONDS = 3600
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
POLL_SECONDS = 0.5
_PICTURES = "application/x-image"
_ACCURACY = re.compile(r"Epoch\[(\d+)\] (Train|Validation)-accuracy=([\d.]+)")
_TIME = re.compile(r"Epoch\[(\d+)\] Time cost=([\d.]+)")


@dataclass(frozen=True)
class Place:
    """Where the story's things lie in S3, and the role that its jobs take on."""

    bucket: str
    prefix: str
    role: str

    def uri(self, name: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}/{name}"


def find_place(connection: Connection, prefix: str) -> Place:
    """The SDKs' default bucket, made where it is missing, and the role that the account was born with."""
    account = connection.client("sts").get_caller_identity()["Account"]
    role = execution_role(connection.client("iam"))
    bucket = f"sagemaker-{connection.region}-{account}"
    s3 = connection.client("s3")
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        s3.create_bucket(Bucket=bucket)
    return Place(bucket, prefix, role)


def upload(connection: Connection, place: Place, collection: Collection) -> int:
    """Photos and .lst files to S3, several at a time; the number of bytes."""
    s3 = connection.client("s3")

    def put(channel: str, picture: Picture) -> int:
        data = picture.read()
        key = f"{place.prefix}/{channel}/{picture.name}"
        s3.put_object(Bucket=place.bucket, Key=key, Body=data, ContentType=picture.content_type)
        return len(data)

    channels = {"train": collection.train, "validation": collection.validation}
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        futures = [pool.submit(put, name, picture) for name, pictures in channels.items() for picture in pictures]
        total = sum(future.result() for future in futures)
    for name, pictures in channels.items():
        body = lst(pictures, collection.classes).encode()
        s3.put_object(Bucket=place.bucket, Key=f"{place.prefix}/{name}_lst/{name}.lst", Body=body)
        total += len(body)
    return total


def create_job(
    connection: Connection, place: Place, job: str, collection: Collection, hyperparameters: dict[str, str]
) -> None:
    """CreateTrainingJob, with what the photos say added to the hyperparameters."""
    channels = ("train", "validation", "train_lst", "validation_lst")
    connection.client("sagemaker").create_training_job(
        TrainingJobName=job,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=place.role,
        HyperParameters={
            **hyperparameters,
            "num_classes": str(len(collection.classes)),
            "num_training_samples": str(len(collection.train)),
        },
        InputDataConfig=[
            {
                "ChannelName": name,
                "ContentType": _PICTURES,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": place.uri(f"{name}/")}},
            }
            for name in channels
        ],
        OutputDataConfig={"S3OutputPath": place.uri("output")},
        ResourceConfig={"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": MAX_SECONDS},
    )


@dataclass
class Epoch:
    """What the log has told about one epoch so far."""

    number: int
    train: float | None = None
    validation: float | None = None
    seconds: float | None = None


@dataclass
class Course:
    """A job as far as it has come: its status and its epochs, read from the log."""

    status: str = "InProgress"
    secondary: str = "Starting"
    message: str = ""
    epochs: dict[int, Epoch] = field(default_factory=dict)
    last_line: str = ""

    def read(self, line: str) -> None:
        """Takes a log line in."""
        if line.strip():
            self.last_line = line.strip()
        if found := _ACCURACY.search(line):
            epoch = self._epoch(found[1])
            setattr(epoch, found[2].lower(), float(found[3]))
        elif found := _TIME.search(line):
            self._epoch(found[1]).seconds = float(found[2])

    def _epoch(self, number: str) -> Epoch:
        return self.epochs.setdefault(int(number), Epoch(int(number)))

    def finished(self) -> list[Epoch]:
        """Epochs that have been trained and validated, in order."""
        return [epoch for _, epoch in sorted(self.epochs.items()) if None not in (epoch.train, epoch.validation)]


def follow(connection: Connection, job: str) -> Iterator[Course]:
    """The job's course, again and again until the job is over.

    Raises Fault where it ends otherwise than Completed, with its reason and the last line of its log.
    """
    sagemaker = connection.client("sagemaker")
    course, tail = Course(), Streams(connection.client("logs"), LOG_GROUP, f"{job}/")
    while True:
        described = sagemaker.describe_training_job(TrainingJobName=job)
        for _, _, line in tail.news():
            course.read(line)
        course.status, course.secondary = described["TrainingJobStatus"], described["SecondaryStatus"]
        transitions = described.get("SecondaryStatusTransitions", [])
        course.message = transitions[-1].get("StatusMessage", "") if transitions else ""
        yield course
        if course.status == "Completed":
            return
        if course.status in ("Failed", "Stopped"):
            reason = described.get("FailureReason") or course.message
            raise Fault(
                "JobFailed", f"Training job '{job}' ended {course.status}: {reason} Last line: {course.last_line}"
            )
        time.sleep(POLL_SECONDS)


def stop(connection: Connection, job: str) -> None:
    """Stops the job and waits for its end: no process shall stay behind when the server stops."""
    sagemaker = connection.client("sagemaker")
    sagemaker.stop_training_job(TrainingJobName=job)
    while sagemaker.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] == "Stopping":
        time.sleep(POLL_SECONDS)

"""The serving part of the story: model, endpoint configuration, endpoint, and the unseen photos through it."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tobo.algorithms.image_classification.recipes import IMAGE
from tobo.cli.story.connection import Connection
from tobo.cli.story.photos import Picture
from tobo.kit.fault import Fault

INSTANCE = "ml.m5.large"
POLL_SECONDS = 0.1
START_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What the endpoint said of a photo: the class with the best score, and how long the call took."""

    picture: Picture
    predicted: str
    score: float
    milliseconds: float

    @property
    def right(self) -> bool:
        return self.predicted == self.picture.label


def deploy(connection: Connection, name: str, role: str) -> float:
    """Model, configuration and endpoint of the training job `name`, all of that name; seconds until it is in service.

    Raises Fault where the endpoint fails or is not in service after START_SECONDS.
    """
    sagemaker = connection.client("sagemaker")
    artifacts = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifacts}
    )
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": INSTANCE, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    started = time.monotonic()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    while True:
        described = sagemaker.describe_endpoint(EndpointName=name)
        seconds = time.monotonic() - started
        if described["EndpointStatus"] == "InService":
            return seconds
        if described["EndpointStatus"] == "Failed" or seconds > START_SECONDS:
            reason = described.get("FailureReason") or f"it is not in service after {START_SECONDS} seconds."
            raise Fault("EndpointFailed", f"Endpoint '{name}' is {described['EndpointStatus']}: {reason}")
        time.sleep(POLL_SECONDS)


def remove(connection: Connection, endpoint: str) -> None:
    """Deletes the endpoint and waits until it is gone: no replica shall stay behind when the server stops."""
    sagemaker = connection.client("sagemaker")
    try:
        sagemaker.delete_endpoint(EndpointName=endpoint)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            sagemaker.describe_endpoint(EndpointName=endpoint)
            time.sleep(POLL_SECONDS)
    except ClientError as error:
        if "Could not find" not in error.response["Error"]["Message"]:
            raise


def classify(
    connection: Connection,
    endpoint: str,
    pictures: Sequence[Picture],
    classes: tuple[str, ...],
    tell: Callable[[int], None],
) -> list[Answer]:
    """Every picture through InvokeEndpoint, one after the other; `tell` hears how many are done."""
    runtime = connection.client("sagemaker-runtime")
    answers: list[Answer] = []
    for picture in pictures:
        data = picture.read()
        started = time.perf_counter()
        response = runtime.invoke_endpoint(EndpointName=endpoint, ContentType=picture.content_type, Body=data)
        scores: list[float] = json.loads(response["Body"].read())
        milliseconds = (time.perf_counter() - started) * 1000
        best = max(range(len(scores)), key=scores.__getitem__)
        answers.append(Answer(picture, classes[best], scores[best], milliseconds))
        tell(len(answers))
    return answers

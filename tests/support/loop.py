"""A model that is to be improved: it has learned its classes the wrong way round, and people know better."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.conftest import Server
from tests.support.jobs import CLASSES, IMAGE, QUICK, ROLE, channel, photo, training_job, wait
from tests.support.labelling import claim, labeler, labeling_job, put_lines, say
from tests.support.unique import unique

WRONG, NEW, HELD_OUT = 8, 16, 20


def upload(server: Server, bucket: str, objects: Mapping[str, bytes]) -> None:
    s3 = server.client("s3")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=objects[key]), objects))


def learn_it_wrong(server: Server, listed: bool = False) -> str:
    """The name of a completed training job and of its bucket: train/ (labels swapped), frames/, held-out/.

    `listed`: the job reads its labels from .lst files.
    """
    name = unique("Wrong")
    server.client("s3").create_bucket(Bucket=name.lower())
    objects = {f"train/{CLASSES[(n + 1) % 2]}/{n}.jpg": photo(n) for n in range(WRONG)}
    objects |= {f"frames/{CLASSES[n % 2]}-{n}.jpg": photo(n) for n in range(WRONG, WRONG + NEW)}
    objects |= {f"held-out/{CLASSES[n % 2]}/{n}.jpg": photo(n) for n in range(100, 100 + HELD_OUT)}
    names = ["train", "validation"]
    channels = [channel(one, f"s3://{name.lower()}/train/") for one in names]
    if listed:
        lines = [f"{n}\t{(n + 1) % 2}\t{CLASSES[(n + 1) % 2]}/{n}.jpg\n" for n in range(WRONG)]
        objects["lists/all.lst"] = "".join(lines).encode()
        channels += [channel(f"{one}_lst", f"s3://{name.lower()}/lists/") for one in names]
    upload(server, name.lower(), objects)
    sagemaker = server.client("sagemaker")
    settings = {**QUICK, "epochs": "12", "num_training_samples": str(WRONG)}
    asked = training_job(name, name.lower(), HyperParameters=settings, InputDataConfig=channels)
    sagemaker.create_training_job(**asked)
    assert wait(sagemaker, name)["TrainingJobStatus"] == "Completed"
    return name


def ask_people(server: Server, bucket: str, classes: Sequence[str] = CLASSES) -> tuple[str, str]:
    """(name, ARN) of a labelling job over the pictures with wrong labels and the frames."""
    keys = [f"train/{CLASSES[(n + 1) % 2]}/{n}.jpg" for n in range(WRONG)]
    keys += [f"frames/{CLASSES[n % 2]}-{n}.jpg" for n in range(WRONG, WRONG + NEW)]
    lines = [{"source-ref": f"s3://{bucket}/{key}"} for key in keys]
    request = labeling_job(server, bucket, labels=classes, source=put_lines(server, bucket, lines))
    arn = server.client("sagemaker").create_labeling_job(**request)["LabelingJobArn"]
    return str(request["LabelingJobName"]), str(arn)


def answer_rightly(server: Server, arn: str, classes: Sequence[str] = CLASSES) -> None:
    """By somebody who sees what photo() has drawn: even numbers are ko."""
    people, left = labeler(server), WRONG + NEW
    while left:
        for task in claim(people, arn, 10):
            stem = json.loads(task["Source"])["source-ref"].rsplit("/", 1)[-1].removesuffix(".jpg")
            say(people, arn, task, {"label": classes[int(stem.rsplit("-", 1)[-1]) % 2]})
            left -= 1


def deploy(sagemaker: Any, endpoint: str, job: str) -> None:
    """A new endpoint with the model of a training job."""
    artefact = sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": IMAGE, "ModelDataUrl": artefact}
    sagemaker.create_model(ModelName=endpoint, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": endpoint, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1})

"""The wizard: from a folder of photos, one subfolder a class, to an endpoint that tells them apart."""

import json
import re

from starlette.responses import JSONResponse, Response

from tobo.algorithms.image_classification.recipes import IMAGE, OWN_PHOTOS, RECIPE
from tobo.console.choices import existing_bucket, own_role
from tobo.console.routing import Screen, posted, shown
from tobo.console.serving import deploy
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

INSTANCE = "ml.m5.xlarge"

FEWEST = 5
"""Photos of a class, so that one of them can be kept for validation."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,39}")


@shown("/wizard")
def _begin(visit: Visit) -> Response:
    return visit.page("wizard/begin.html", fewest=FEWEST)


@posted("/wizard/prepare")
def _prepare(visit: Visit) -> Response:
    """{"name", "classes": {class: photos}} -> {"bucket"}: where the photos go. Raises Fault for what cannot be trained."""
    try:
        asked = json.loads(visit.body)
        name, classes = str(asked["name"]), {str(label): int(count) for label, count in asked["classes"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Fault("ValidationException", 'The wizard sends {"name": ..., "classes": {class: photos}}.') from None
    _check(name, classes)
    if _exists(visit, name):
        raise Fault("ResourceInUse", f"There is a training job '{name}' already; choose another name.")
    return JSONResponse({"bucket": existing_bucket(visit)})


@posted("/wizard/train")
def _train(visit: Visit) -> Response:
    """The photos are in S3: a training job on them."""
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    try:
        classes = {str(label): int(count) for label, count in json.loads(fields.get("classes", "{}")).items()}
    except (ValueError, TypeError, AttributeError):
        raise Fault("ValidationException", "The classes are no JSON object of class and number of photos.") from None
    _check(name, classes)
    bucket = existing_bucket(visit)
    photos = sum(count - max(count // 5, 1) for count in classes.values())
    channels = [
        {
            "ChannelName": channel,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{name}/{channel}/"}},
        }
        for channel in ("train", "validation")
    ]
    visit.change(
        "sagemaker",
        "CreateTrainingJob",
        TrainingJobName=name,
        RoleArn=own_role(visit),
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={**RECIPE, **OWN_PHOTOS, "num_classes": str(len(classes)), "num_training_samples": str(photos)},
        InputDataConfig=channels,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{name}/output"},
        ResourceConfig={"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 7200},
    )
    return visit.done(url("wizard", name), f"Training job {name} was created.")


@shown("/wizard/{name}")
def _watch(visit: Visit) -> Response:
    """How far it has come; the next step is a button, or comes by itself."""
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    endpoint = visit.attempt("sagemaker", "DescribeEndpoint", EndpointName=name)
    metrics = {one["MetricName"]: one["Value"] for one in job.get("FinalMetricDataList", [])}
    return visit.page("wizard/watch.html", name=name, job=job, metrics=metrics, endpoint=endpoint)


@posted("/wizard/{name}/deploy")
def _deploy(visit: Visit) -> Response:
    """Model, configuration and endpoint of the training job's name."""
    name = visit.path["name"]
    deploy(visit, name, {"InstanceType": INSTANCE, "InitialInstanceCount": 1}, job=name)
    return visit.done(url("wizard", name), f"Endpoint {name} is starting.")


def _check(name: str, classes: dict[str, int]) -> None:
    """Raises Fault where no classifier could come of it."""
    if not _NAME.fullmatch(name):
        raise Fault(
            "ValidationException", f"'{name[:60]}' is no name: it has 1 to 40 letters, digits and hyphens between them."
        )
    if len(classes) < 2:
        raise Fault("ValidationException", "Two classes are the least: one folder with good parts, one with bad ones.")
    for label, count in classes.items():
        if count < FEWEST:
            raise Fault("ValidationException", f"Class '{label}' has {count} photos; {FEWEST} are the least.")


def _exists(visit: Visit, name: str) -> bool:
    try:
        visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    except Fault as fault:
        if fault.status == 403:
            raise
        return False
    return True


SCREENS: tuple[Screen, ...] = (_begin, _prepare, _train, _watch, _deploy)

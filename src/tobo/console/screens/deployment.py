"""Deploying: a training job or a model becomes an endpoint, in one form."""

from typing import Any

from starlette.responses import Response

from tobo.console import prices
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

INSTANCES = ("ml.m5.large", "ml.m5.xlarge", "ml.t2.medium", "ml.c5.xlarge", "ml.g4dn.xlarge", "local")


@shown("/endpoints/create")
def _form(visit: Visit) -> Response:
    """?training_job= or ?model= chooses what is deployed."""
    job, model = visit.query.get("training_job", ""), visit.query.get("model", "")
    return visit.page(
        "endpoints/create.html",
        job=job,
        model=model,
        name=job or model,
        jobs=_names(visit, "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", StatusEquals="Completed"),
        models=_names(visit, "ListModels", "Models", "ModelName"),
        instances=INSTANCES,
    )


@shown("/endpoints/price")
def _price(visit: Visit) -> Response:
    query = visit.query
    count = int(text) if (text := query.get("count", "1")).isdigit() and len(text) < 6 else 1
    hourly = prices.hourly(query.get("instance_type", ""))
    return visit.page("endpoints/price.html", hourly=hourly, count=count, source=prices.SOURCE)


@posted("/endpoints/create")
def _create(visit: Visit) -> Response:
    """Three requests: CreateModel where a training job is deployed, CreateEndpointConfig, CreateEndpoint."""
    fields = fields_of(visit.form)
    name, model = fields.get("name", ""), fields.get("model", "")
    if job := fields.get("training_job", ""):
        model = name
        _model(visit, job, model)
    if not model:
        raise Fault("ValidationException", "Choose a training job or a model; one of them is deployed.")
    variant: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": model}
    if fields.get("kind") == "serverless":
        variant["ServerlessConfig"] = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    else:
        count = fields.get("count", "1")
        if not (count.isascii() and count.isdigit()):
            raise Fault("ValidationException", f"Instances: '{count[:40]}' is not a whole number.")
        variant |= {"InstanceType": fields.get("instance_type", ""), "InitialInstanceCount": int(count)}
    visit.change("sagemaker", "CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    visit.change("sagemaker", "CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    return visit.done(url("endpoints", name), f"Endpoint {name} is starting.")


def _model(visit: Visit, job: str, name: str) -> None:
    """The model of a training job, under this name. Raises Fault where the job has none."""
    trained = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
    artefact = trained.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not artefact:
        raise Fault("ValidationException", f"Training job '{job}' is {trained['TrainingJobStatus']} and has no model.")
    container = {"Image": trained["AlgorithmSpecification"]["TrainingImage"], "ModelDataUrl": artefact}
    try:
        visit.quietly("sagemaker", "DescribeModel", ModelName=name)
    except Fault as fault:
        if fault.status == 403:
            raise
        visit.change(
            "sagemaker", "CreateModel", ModelName=name, ExecutionRoleArn=trained["RoleArn"], PrimaryContainer=container
        )


def _names(visit: Visit, operation: str, members: str, name: str, **more: Any) -> list[str]:
    try:
        return [one[name] for one in visit.quietly("sagemaker", operation, MaxResults=100, **more)[members]]
    except Fault:
        return []


SCREENS: tuple[Screen, ...] = (_form, _price, _create)

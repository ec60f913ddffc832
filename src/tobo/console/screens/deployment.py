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
    kind = query.get("kind", "instances")
    return visit.page("endpoints/price.html", hourly=hourly, count=count, kind=kind, source=prices.SOURCE)


@posted("/endpoints/create")
def _create(visit: Visit) -> Response:
    """Three requests: CreateModel where a training job is deployed, CreateEndpointConfig, CreateEndpoint."""
    fields = fields_of(visit.form)
    name, model = fields.get("name", ""), fields.get("model", "")
    if _found(visit, "DescribeEndpoint", EndpointName=name):
        raise Fault("ResourceInUse", f"There is an endpoint '{name}' already; choose another name, or change it over.")
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
    config = _config(visit, name, [variant])
    visit.change("sagemaker", "CreateEndpoint", EndpointName=name, EndpointConfigName=config)
    return visit.done(url("endpoints", name), f"Endpoint {name} is starting.")


def _model(visit: Visit, job: str, name: str) -> None:
    """The model of a training job, under this name. Raises Fault where the job has none."""
    trained = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
    artefact = trained.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not artefact:
        raise Fault("ValidationException", f"Training job '{job}' is {trained['TrainingJobStatus']} and has no model.")
    container = {"Image": trained["AlgorithmSpecification"]["TrainingImage"], "ModelDataUrl": artefact}
    known = _found(visit, "DescribeModel", ModelName=name)
    if known is None:
        visit.change(
            "sagemaker", "CreateModel", ModelName=name, ExecutionRoleArn=trained["RoleArn"], PrimaryContainer=container
        )
    elif {member: known.get("PrimaryContainer", {}).get(member) for member in container} != container:
        its = known.get("PrimaryContainer", {}).get("ModelDataUrl", "something else")
        raise Fault("ResourceInUse", f"There is a model '{name}' already, made from {its}; choose another name.")


def _config(visit: Visit, name: str, variants: list[dict[str, Any]]) -> str:
    """A configuration with these variants: the one of that name where it is so already, else a new one beside it."""
    for number in range(1, 100):
        its = name if number == 1 else f"{name[:59]}-{number}"
        known = _found(visit, "DescribeEndpointConfig", EndpointConfigName=its)
        if known is None:
            visit.change("sagemaker", "CreateEndpointConfig", EndpointConfigName=its, ProductionVariants=variants)
            return its
        there = known["ProductionVariants"]
        if len(there) == len(variants) and all(
            one.items() <= two.items() for one, two in zip(variants, there, strict=True)
        ):
            return its
    raise Fault("ResourceInUse", f"There are a hundred configurations called '{name}'; choose another name.")


def _found(visit: Visit, operation: str, **asked: Any) -> dict[str, Any] | None:
    """None where there is none. Raises Fault where the key may not look."""
    try:
        found: dict[str, Any] = visit.quietly("sagemaker", operation, **asked)
    except Fault as fault:
        if fault.status == 403:
            raise
        return None
    return found


def _names(visit: Visit, operation: str, members: str, name: str, **more: Any) -> list[str]:
    try:
        return [one[name] for one in visit.quietly("sagemaker", operation, MaxResults=100, **more)[members]]
    except Fault:
        return []


SCREENS: tuple[Screen, ...] = (_form, _price, _create)

"""Deploying: a training job or a model becomes an endpoint, in one form."""

from typing import Any

from starlette.responses import Response

from tobo.console import prices
from tobo.console.choices import names_of
from tobo.console.routing import Screen, posted, shown
from tobo.console.serving import deploy
from tobo.console.visit import Visit, fields_of, url, whole
from tobo.operations.pricing import list_price

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
        jobs=names_of(visit, "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", StatusEquals="Completed"),
        models=names_of(visit, "ListModels", "Models", "ModelName"),
        instances=INSTANCES,
    )


@shown("/endpoints/price")
def _price(visit: Visit) -> Response:
    query = visit.query
    count = int(text) if (text := query.get("count", "1")).isdigit() and len(text) < 6 else 1
    hourly = list_price(query.get("instance_type", ""))
    kind = query.get("kind", "instances")
    return visit.page("endpoints/price.html", hourly=hourly, count=count, kind=kind, source=prices.SOURCE)


@posted("/endpoints/create")
def _create(visit: Visit) -> Response:
    """Three requests: CreateModel where a training job is deployed, CreateEndpointConfig, CreateEndpoint."""
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    machine: dict[str, Any]
    if fields.get("kind") == "serverless":
        machine = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
    else:
        count = whole(fields, "count", "Instances")
        machine = {"InstanceType": fields.get("instance_type", ""), "InitialInstanceCount": count}
    deploy(visit, name, machine, fields.get("model", ""), fields.get("training_job", ""))
    return visit.done(url("endpoints", name), f"Endpoint {name} is starting.")


SCREENS: tuple[Screen, ...] = (_form, _price, _create)

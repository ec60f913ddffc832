"""Pipelines: the list, one with its executions and what starts one, and an execution step by step."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tobo.console.choices import names_of
from tobo.console.comparison import comparison_of
from tobo.console.execution_steps import parsed, told_steps
from tobo.console.learning import LABELS
from tobo.console.lists import PAGE, addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

OVER = ("Succeeded", "Failed", "Stopped")


@shown("/pipelines")
def _list(visit: Visit) -> Response:
    asked = {name: value for name, value in list_request(visit).items() if name != "NameContains"}
    found = visit.call("sagemaker", "ListPipelines", **asked)
    return visit.page(
        "pipelines/list.html",
        pipelines=found["PipelineSummaries"],
        next_token=found.get("NextToken"),
        asked=asked,
        at=addresses(visit, "pipelines"),
    )


@shown("/pipelines/{name}")
def _pipeline(visit: Visit) -> Response:
    """?labels= chooses the labelling job of a new execution."""
    name = visit.path["name"]
    pipeline = visit.call("sagemaker", "DescribePipeline", PipelineName=name)
    token = {"NextToken": visit.query["token"]} if visit.query.get("token") else {}
    found = visit.call("sagemaker", "ListPipelineExecutions", PipelineName=name, MaxResults=PAGE, **token)
    definition = parsed(pipeline["PipelineDefinition"])
    return visit.page(
        "pipelines/show.html",
        name=name,
        pipeline=pipeline,
        parameters=definition.get("Parameters", []),
        steps=told_steps(definition, [], {}, 0.0),
        executions=found["PipelineExecutionSummaries"],
        next_token=found.get("NextToken"),
        labels=names_of(visit, "ListLabelingJobs", "LabelingJobSummaryList", "LabelingJobName"),
        chosen=visit.query.get("labels", ""),
        labels_parameter=LABELS,
        at=addresses(visit, "pipelines", name),
    )


@posted("/pipelines/{name}/start")
def _start(visit: Visit) -> Response:
    """Fields are `parameter.<name>`; those that are left empty keep their defaults."""
    name, fields = visit.path["name"], fields_of(visit.form)
    given = [
        {"Name": field.partition(".")[2], "Value": value}
        for field, value in fields.items()
        if field.startswith("parameter.")
    ]
    token = secrets.token_hex(16)
    made = visit.change(
        "sagemaker", "StartPipelineExecution", PipelineName=name, PipelineParameters=given, ClientRequestToken=token
    )
    execution = made.get("PipelineExecutionArn", "").rsplit("/", 1)[-1]
    return visit.done(url("pipelines", name, execution), f"An execution of {name} was started.")


@posted("/pipelines/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeletePipeline", PipelineName=name, ClientRequestToken=secrets.token_hex(16))
    return visit.done(url("pipelines"), f"The pipeline {name} was deleted; what it made is still there.")


@shown("/pipelines/{name}/{execution}")
def _execution(visit: Visit) -> Response:
    name, arn = visit.path["name"], _arn(visit)
    execution = visit.call("sagemaker", "DescribePipelineExecution", PipelineExecutionArn=arn)
    steps = _steps(visit, arn)
    told = visit.quietly("sagemaker", "DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    definition = parsed(told["PipelineDefinition"])
    asked = {"PipelineExecutionArn": arn, "MaxResults": 100}
    parameters = visit.quietly("sagemaker", "ListPipelineParametersForExecution", **asked)["PipelineParameters"]
    names = {one["Value"].lower(): one["Value"] for one in parameters} | _groups(visit, steps)
    now = visit.context.clock.now()
    return visit.page(
        "pipelines/execution.html",
        name=name,
        id=visit.path["execution"],
        arn=arn,
        execution=execution,
        over=execution["PipelineExecutionStatus"] in OVER,
        steps=told_steps(definition, steps, names, now),
        parameters=parameters,
        definition=definition,
        comparison=comparison_of(visit, definition, steps),
    )


@posted("/pipelines/{name}/{execution}/stop")
def _stop(visit: Visit) -> Response:
    return _moved(visit, "StopPipelineExecution", "The execution will stop; its jobs are being told.")


@posted("/pipelines/{name}/{execution}/retry")
def _retry(visit: Visit) -> Response:
    return _moved(visit, "RetryPipelineExecution", "What has failed begins anew; what succeeded stays.")


def _moved(visit: Visit, operation: str, said: str) -> Response:
    token = secrets.token_hex(16)
    visit.change("sagemaker", operation, PipelineExecutionArn=_arn(visit), ClientRequestToken=token)
    return visit.done(url("pipelines", visit.path["name"], visit.path["execution"]), said)


def _arn(visit: Visit) -> str:
    pipeline = visit.quietly("sagemaker", "DescribePipeline", PipelineName=visit.path["name"])
    return f"{pipeline['PipelineArn']}/execution/{visit.path['execution']}"


def _steps(visit: Visit, arn: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        asked = {"PipelineExecutionArn": arn, "SortOrder": "Ascending", "MaxResults": 100, **token}
        page = visit.call("sagemaker", "ListPipelineExecutionSteps", **asked)
        found += page["PipelineExecutionSteps"]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def _groups(visit: Visit, steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The groups of registered versions as they are written, by their names in lower case."""
    found = {}
    for step in steps:
        if arn := step["Metadata"].get("RegisterModel", {}).get("Arn"):
            try:
                group = visit.quietly("sagemaker", "DescribeModelPackage", ModelPackageName=arn)["ModelPackageName"]
            except Fault:
                continue  # it was deleted, or the key may not look
            found[group.lower()] = group
    return found


SCREENS: tuple[Screen, ...] = (_list, _pipeline, _start, _delete, _execution, _stop, _retry)

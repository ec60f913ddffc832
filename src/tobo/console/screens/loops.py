"""Improve a model: one form makes the loop's pipeline of a training job, a held-out set and a group of the registry."""

import secrets
from typing import Any

from starlette.responses import Response

from tobo.console.choices import names_of
from tobo.console.routing import Screen, posted, shown
from tobo.console.serving import machine_of
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault, validation
from tobo.kit.guest import UserError
from tobo.loop.definition import first_version, loop_definition, loop_description, validation_data


@shown("/pipelines/improve")
def _form(visit: Visit) -> Response:
    """?training_job= is the job of the current model."""
    name = visit.query.get("training_job", "")
    job = visit.attempt("sagemaker", "DescribeTrainingJob", TrainingJobName=name) if name else None
    return visit.page(
        "pipelines/improve.html",
        job=name,
        proposed=f"improve-{name}"[:63] if name else "",
        held_out=validation_data(job) if job else "",
        jobs=names_of(visit, "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", StatusEquals="Completed"),
        groups=names_of(visit, "ListModelPackageGroups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
        endpoints=names_of(visit, "ListEndpoints", "Endpoints", "EndpointName"),
    )


@posted("/pipelines/improve")
def _create(visit: Visit) -> Response:
    """CreatePipeline; before it CreateModelPackageGroup and CreateModelPackage where the group has no approved version."""
    fields = fields_of(visit.form)
    name, group = fields.get("name", ""), fields.get("group", "") or fields.get("name", "")
    job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=fields.get("training_job", ""))
    endpoint = fields.get("endpoint", "")
    alone = "deploy" in fields
    if alone and not endpoint:
        raise validation("Choose the endpoint that an execution may update, or let people deploy.")
    work = f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/loops/{name}"
    target = {"EndpointName": endpoint, **machine_of(visit, endpoint)} if endpoint else None
    try:
        text = loop_definition(job, group, fields.get("held_out", ""), work, target, alone)
        _approved_version(visit, group, job)
    except UserError as error:
        raise validation(str(error)) from None
    visit.change(
        "sagemaker",
        "CreatePipeline",
        PipelineName=name,
        PipelineDescription=loop_description(job["TrainingJobName"]),
        PipelineDefinition=text,
        RoleArn=job["RoleArn"],
        ClientRequestToken=secrets.token_hex(16),
    )
    return visit.done(url("pipelines", name), f"The pipeline {name} was created; start it with a labelling job.")


def _approved_version(visit: Visit, group: str, job: dict[str, Any]) -> None:
    """What new models are compared with: where the group has none that is approved, the job's model. Raises UserError."""
    asked = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved"}
    try:
        if visit.quietly("sagemaker", "ListModelPackages", **asked)["ModelPackageSummaryList"]:
            return
    except Fault as fault:
        if fault.status == 403:
            raise
        visit.change("sagemaker", "CreateModelPackageGroup", ModelPackageGroupName=group)
    visit.change("sagemaker", "CreateModelPackage", **first_version(job, group))


SCREENS: tuple[Screen, ...] = (_form, _create)

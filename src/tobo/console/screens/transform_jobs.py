"""Batch transforms: scoring what lies in S3 with a model."""

from typing import Any

from starlette.responses import Response

from tobo.console import prices
from tobo.console.lists import addresses, list_request
from tobo.console.places import s3_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")


@shown("/transform-jobs")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES)
    found = visit.call("sagemaker", "ListTransformJobs", **asked)
    rows = [
        {
            "name": one["TransformJobName"],
            "href": url("transform-jobs", one["TransformJobName"]),
            "status": one["TransformJobStatus"],
            "created": one["CreationTime"],
            "more": (),
        }
        for one in found["TransformJobSummaries"]
    ]
    return visit.page(
        "simple_list.html",
        title="Batch transforms",
        noun="job",
        icon="layers",
        rows=rows,
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=STATUSES,
        more=(),
        depends="transform-job",
        at=addresses(visit, "transform-jobs"),
        create=("Create batch transform", url("transform-jobs", "create"), ("sagemaker", "CreateTransformJob")),
        empty=("No batch transforms yet", "One scores a whole folder of S3 with a model, and ends."),
    )


@shown("/transform-jobs/create")
def _form(visit: Visit) -> Response:
    home = f"s3://sagemaker-{visit.region}-{visit.principal.account}/"
    return visit.page("transform_jobs/create.html", model=visit.query.get("model", ""), home=home)


@posted("/transform-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name, count = fields.get("name", ""), fields.get("count", "1")
    if not (count.isascii() and count.isdigit()):
        raise Fault("ValidationException", f"Instances: '{count[:40]}' is not a whole number.")
    source: dict[str, Any] = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": fields.get("input", "")}}
    }
    if kind := fields.get("content_type"):
        source["ContentType"] = kind
    if split := fields.get("split"):
        source["SplitType"] = split
    filters = {
        member: fields[field]
        for field, member in (
            ("input_filter", "InputFilter"),
            ("output_filter", "OutputFilter"),
            ("join", "JoinSource"),
        )
        if field in fields
    }
    output = {"S3OutputPath": fields.get("output", "")} | ({"AssembleWith": "Line"} if split == "Line" else {})
    visit.change(
        "sagemaker",
        "CreateTransformJob",
        TransformJobName=name,
        ModelName=fields.get("model", ""),
        TransformInput=source,
        TransformOutput=output,
        TransformResources={"InstanceType": fields.get("instance_type", ""), "InstanceCount": int(count)},
        **({"DataProcessing": filters} if filters else {}),
    )
    return visit.done(url("transform-jobs", name), f"Batch transform {name} was created.")


@shown("/transform-jobs/{name}")
def _job(visit: Visit) -> Response:
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeTransformJob", TransformJobName=name)
    resources = job["TransformResources"]
    start, end = job.get("TransformStartTime"), job.get("TransformEndTime")
    seconds = (end or visit.context.clock.now()) - start if start else 0.0
    return visit.page(
        "transform_jobs/job.html",
        job=job,
        name=name,
        seconds=seconds,
        cost=prices.cost(resources.get("InstanceType", ""), seconds, resources.get("InstanceCount", 1)),
        source=prices.SOURCE,
        place=s3_place,
    )


@posted("/transform-jobs/{name}/stop")
def _stop(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "StopTransformJob", TransformJobName=name)
    return visit.done(url("transform-jobs", name), f"Batch transform {name} will stop.")


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _job, _stop)

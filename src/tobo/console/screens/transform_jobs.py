"""Batch transforms: scoring what lies in S3 with a model."""

from typing import Any

from starlette.responses import Response

from tobo.console import prices
from tobo.console.choices import default_bucket
from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.places import s3_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url, whole

LIST = Plain(
    "Batch transforms",
    "job",
    "transform-job",
    listed_at("transform-jobs"),
    ("Create batch transform", "CreateTransformJob", "transform-jobs/create"),
    ("No batch transforms yet", "One scores a whole folder of S3 with a model, and ends."),
    "TransformJobStatus",
    ("InProgress", "Completed", "Failed", "Stopping", "Stopped"),
)


@shown("/transform-jobs")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/transform-jobs/create")
def _form(visit: Visit) -> Response:
    home = f"s3://{default_bucket(visit)}/"
    return visit.page("transform_jobs/create.html", model=visit.query.get("model", ""), home=home)


@posted("/transform-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
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
        TransformResources={
            "InstanceType": fields.get("instance_type", ""),
            "InstanceCount": whole(fields, "count", "Instances"),
        },
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

"""Compilation jobs, and the certificate of what they changed."""

import json
from typing import Any

from starlette.responses import Response

from tobo.console.archives import member_of
from tobo.console.lists import addresses, list_request
from tobo.console.places import s3_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

STATUSES = ("INPROGRESS", "COMPLETED", "FAILED", "STARTING", "STOPPING", "STOPPED")
TARGETS = (
    ("rasp4b", "Raspberry Pi 4"),
    ("rasp3b", "Raspberry Pi 3"),
    ("aisage", "AiSage (arm64)"),
    ("ml_c5", "ml.c5 (x86-64)"),
    ("ml_m5", "ml.m5 (x86-64)"),
    ("deeplens", "DeepLens (Intel)"),
    ("jetson_nano", "Jetson Nano"),
    ("jetson_xavier", "Jetson Xavier"),
)
"""Those that are asked for most; any other TargetDevice can be typed."""


@shown("/compilation-jobs")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES)
    found = visit.call("sagemaker", "ListCompilationJobs", **asked)
    rows = [
        {
            "name": one["CompilationJobName"],
            "href": url("compilation-jobs", one["CompilationJobName"]),
            "status": one["CompilationJobStatus"],
            "created": one["CreationTime"],
            "more": (one.get("CompilationTargetDevice") or one.get("CompilationTargetPlatformArch", ""),),
        }
        for one in found["CompilationJobSummaries"]
    ]
    return visit.page(
        "simple_list.html",
        title="Compilation jobs",
        noun="job",
        icon="cpu",
        rows=rows,
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=STATUSES,
        more=("Target",),
        depends="compilation-job",
        at=addresses(visit, "compilation-jobs"),
        create=("Compile a model", url("compilation-jobs", "create"), ("sagemaker", "CreateCompilationJob")),
        empty=(
            "Nothing compiled yet",
            "Compiling makes a model small and fast for a device, and certifies what changed.",
        ),
    )


@shown("/compilation-jobs/create")
def _form(visit: Visit) -> Response:
    """?training_job= fills the model in."""
    name = visit.query.get("training_job", "")
    job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=name) if name else {}
    shape = str(job.get("HyperParameters", {}).get("image_shape", "3,96,96")).split(",")
    size = [int(side) if side.strip().isdigit() else 96 for side in shape[1:]] or [96, 96]
    return visit.page(
        "compilation_jobs/create.html",
        job=name,
        artefact=job.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        role=job.get("RoleArn") or f"arn:aws:iam::{visit.principal.account}:role/AmazonSageMaker-ExecutionRole",
        shape=json.dumps({"pictures": [1, *size, 3]}),
        output=f"s3://sagemaker-{visit.region}-{visit.principal.account}/compiled",
        targets=TARGETS,
    )


@posted("/compilation-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    seconds = fields.get("seconds", "900")
    if not (seconds.isascii() and seconds.isdigit()):
        raise Fault("ValidationException", f"At most, in seconds: '{seconds[:40]}' is not a whole number.")
    options = {"CompilerOptions": fields["options"]} if "options" in fields else {}
    visit.change(
        "sagemaker",
        "CreateCompilationJob",
        CompilationJobName=name,
        RoleArn=fields.get("role", ""),
        InputConfig={
            "S3Uri": fields.get("artefact", ""),
            "DataInputConfig": fields.get("shape", ""),
            "Framework": fields.get("framework", ""),
        },
        OutputConfig={
            "S3OutputLocation": fields.get("output", ""),
            "TargetDevice": fields.get("target", ""),
            **options,
        },
        StoppingCondition={"MaxRuntimeInSeconds": int(seconds)},
    )
    return visit.done(url("compilation-jobs", name), f"Compilation job {name} was created.")


@shown("/compilation-jobs/{name}")
def _job(visit: Visit) -> Response:
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeCompilationJob", CompilationJobName=name)
    artefact = job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    return visit.page(
        "compilation_jobs/job.html",
        job=job,
        name=name,
        artefact=artefact,
        certificate=_certificate(visit, artefact) if job["CompilationJobStatus"] == "COMPLETED" else None,
        place=s3_place,
    )


@posted("/compilation-jobs/{name}/stop")
def _stop(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "StopCompilationJob", CompilationJobName=name)
    return visit.done(url("compilation-jobs", name), f"Compilation job {name} will stop.")


def _certificate(visit: Visit, artefact: str) -> dict[str, Any] | None:
    """What the archive's certificate.json says; None where it holds none, or one that cannot be read."""
    content = member_of(visit, artefact, "certificate.json")
    try:
        found = json.loads(content) if content else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _job, _stop)

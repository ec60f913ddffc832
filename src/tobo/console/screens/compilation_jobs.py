"""Compilation jobs, and the certificate of what they changed."""

import json

from starlette.responses import Response

from tobo.console.certificates import certificate_of
from tobo.console.choices import default_bucket, own_role
from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.places import s3_place
from tobo.console.reading import small_member
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url, whole

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


LIST = Plain(
    "Compilation jobs",
    "job",
    "compilation-job",
    listed_at("compilation-jobs"),
    ("Compile a model", "CreateCompilationJob", "compilation-jobs/create"),
    ("Nothing compiled yet", "Compiling makes a model small and fast for a device, and certifies what changed."),
    "CompilationJobStatus",
    ("INPROGRESS", "COMPLETED", "FAILED", "STARTING", "STOPPING", "STOPPED"),
    {"Target": lambda job: job.get("CompilationTargetDevice") or job.get("CompilationTargetPlatformArch", "")},
)


@shown("/compilation-jobs")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/compilation-jobs/create")
def _form(visit: Visit) -> Response:
    """?training_job= fills the model in, ?artefact= its archive alone."""
    name = visit.query.get("training_job", "")
    job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=name) if name else {}
    shape = str(job.get("HyperParameters", {}).get("image_shape", "3,96,96")).split(",")
    size = [int(side) if side.strip().isdigit() else 96 for side in shape[1:]] or [96, 96]
    return visit.page(
        "compilation_jobs/create.html",
        job=name,
        artefact=job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "") or visit.query.get("artefact", ""),
        role=job.get("RoleArn") or own_role(visit),
        shape=json.dumps({"pictures": [1, *size, 3]}),
        output=f"s3://{default_bucket(visit)}/compiled",
        targets=TARGETS,
    )


@posted("/compilation-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
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
        StoppingCondition={"MaxRuntimeInSeconds": whole(fields, "seconds", "At most, in seconds")},
    )
    return visit.done(url("compilation-jobs", name), f"Compilation job {name} was created.")


@shown("/compilation-jobs/{name}")
def _job(visit: Visit) -> Response:
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeCompilationJob", CompilationJobName=name)
    artefact, done = (
        job.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        job["CompilationJobStatus"] == "COMPLETED",
    )
    return visit.page(
        "compilation_jobs/job.html",
        job=job,
        name=name,
        artefact=artefact,
        certificate=certificate_of(small_member(visit, artefact, "certificate.json")) if done else None,
        place=s3_place,
    )


@posted("/compilation-jobs/{name}/stop")
def _stop(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "StopCompilationJob", CompilationJobName=name)
    return visit.done(url("compilation-jobs", name), f"Compilation job {name} will stop.")


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _job, _stop)

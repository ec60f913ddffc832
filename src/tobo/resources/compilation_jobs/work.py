"""What the controller does for a compilation job; each command is safe to repeat."""

import hashlib
from typing import Any

from tobo.compilers.options import CALIBRATION, MODEL
from tobo.compute.base import ProcessSpec
from tobo.edge import compiled as folders
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.artifacts import lay_archive_out
from tobo.operations.channels import lay_out_channel
from tobo.operations.context import Context
from tobo.operations.job_process import last_words
from tobo.operations.machine import Done, Happened, Machine, Outcome, register
from tobo.operations.recording import Artifact, JobRecord, record_job
from tobo.operations.results import put_archive
from tobo.resources.compilation_jobs import states
from tobo.resources.compilation_jobs.api import KIND
from tobo.resources.compilation_jobs.contract import (
    CPUS,
    PROCESS,
    environment,
    memory_bytes,
    runs_own_code,
    sandbox,
    write_configuration,
)
from tobo.resources.compilation_jobs.requests import check_request
from tobo.store.base import Row

INFERENCE_IMAGE = "301217895009.dkr.ecr.us-west-2.amazonaws.com/image-classification-neo:latest"
"""What serves a compiled image classifier on AWS (SageMaker Developer Guide, "Neo Inference Container Images"), and here."""


def reserve(context: Context, row: Row) -> Outcome:
    """A place on the machine."""
    return PROCESS.reserve(context, row, CPUS, memory_bytes(context))


def lay_out(context: Context, row: Row) -> Outcome:
    """The unpacked archive, the calibration samples where the request names some, and the configuration."""
    paths = PROCESS.ml_paths(context, row)
    write_configuration(paths, row)
    _, options = check_request(row.asked)
    paths.channel(MODEL).parent.mkdir(parents=True, exist_ok=True)
    lay_archive_out(
        context, row.key.space, row.asked["InputConfig"]["S3Uri"], "InputConfig.S3Uri", paths.channel(MODEL)
    )
    if options.calibration:
        source = {"S3DataType": "S3Prefix", "S3Uri": options.calibration}
        channel = {"ChannelName": CALIBRATION, "DataSource": {"S3DataSource": source}}
        exposed = runs_own_code(paths) and not context.compute.sandboxes
        lay_out_channel(context.objects, row.key.space, channel, paths.channel(CALIBRATION), copied=exposed)
    return Happened("laid_out")


def start(context: Context, row: Row) -> Outcome:
    """Starts the compiler; idempotent by the process' name."""
    paths = PROCESS.ml_paths(context, row)
    own_code = runs_own_code(paths)
    context.compute.start(
        ProcessSpec(
            name=PROCESS.name(row),
            folder=paths.root,
            log=PROCESS.log_file(context, row),
            entry="tobo.compilers.job:main",
            environment=environment(context, paths, own_code and context.compute.sandboxes),
            cpus=CPUS,
            memory_bytes=memory_bytes(context),
            network=False,
            sandbox=sandbox(paths) if own_code else None,
        )
    )
    return Done()


def watch(context: Context, row: Row) -> Outcome:
    """Follows the compiler: its end, and the end of its time."""
    paths = PROCESS.ml_paths(context, row)
    return PROCESS.judge(
        context,
        row,
        PROCESS.look(context, row),
        lambda end: last_words(paths, end, "compiler"),
        too_long="ClientError: TimeOut: The compilation took longer than MaxRuntimeInSeconds ({limit}).",
    )


def collect(context: Context, row: Row) -> Outcome:
    """Uploads the compiled archive, and tells its digest: the sha256 of its bytes."""
    space = row.key.space
    target = parse_s3_uri(row.found["ModelArtifacts"]["S3ModelArtifacts"], "ModelArtifacts.S3ModelArtifacts")
    put_archive(context.objects, space, PROCESS.ml_paths(context, row).model, target, context.settings.state / "tmp")
    stored = context.objects.path(space, context.objects.head(space, target.bucket, target.key))
    with stored.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found: dict[str, Any] = {"ModelDigests": {"ArtifactDigest": digest}}
    compiled = folders.read(PROCESS.ml_paths(context, row).model)
    if compiled.image_shape is not None and compiled.details["arch"] == "x86_64":
        found["InferenceImage"] = INFERENCE_IMAGE
    return Happened("collected", found)


def record(context: Context, row: Row) -> Outcome:
    """The job's trial component and lineage: once when it is at work, once when it is over."""
    over = row.state in states.TERMINAL
    output = row.asked["OutputConfig"]
    target, _ = check_request(row.asked)
    parameters = {"SageMaker.Target": target.name, "SageMaker.Framework": row.asked["InputConfig"]["Framework"]}
    if "CompilerOptions" in output:
        parameters["SageMaker.CompilerOptions"] = output["CompilerOptions"]
    compiled = {"SageMaker.CompiledModel": Artifact(row.found["ModelArtifacts"]["S3ModelArtifacts"], "Model")}
    record_job(
        context,
        JobRecord(
            row,
            kind="compilation-job",
            status=_PRIMARY[row.status],
            over=over,
            message=row.found["FailureReason"],
            start=row.found.get("CompilationStartTime"),
            end=row.found.get("CompilationEndTime"),
            parameters=parameters,
            inputs={"SageMaker.ModelArtifact": Artifact(row.asked["InputConfig"]["S3Uri"], "Model")},
            outputs=compiled if row.state == "Completed" else {},
        ),
    )
    return Done()


_PRIMARY = {
    "STARTING": "InProgress",
    "INPROGRESS": "InProgress",
    "COMPLETED": "Completed",
    "FAILED": "Failed",
    "STOPPING": "Stopping",
    "STOPPED": "Stopped",
}
"""TrialComponentPrimaryStatus of each CompilationJobStatus."""


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(reserve, lay_out, start, watch, PROCESS.terminate, PROCESS.await_end, collect, PROCESS.clean, record),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, now, message),
    )
)

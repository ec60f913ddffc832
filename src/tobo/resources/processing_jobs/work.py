"""What the controller does for a processing job; each command is safe to repeat."""

import time
from collections.abc import Mapping
from typing import Any

from tobo.compute.base import ProcessSpec
from tobo.compute.instances import instance
from tobo.kit.strangers import read_told
from tobo.operations.channels import lay_out_channel
from tobo.operations.context import Context
from tobo.operations.credentials import role_credentials
from tobo.operations.job_process import death
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, key_in_memory, register
from tobo.operations.metering import meter_job
from tobo.operations.recording import Artifact, JobRecord, record_job
from tobo.operations.results import put_folder
from tobo.resources.processing_jobs import states
from tobo.resources.processing_jobs.api import KIND
from tobo.resources.processing_jobs.contract import (
    PROCESS,
    command,
    environment,
    inputs,
    is_written,
    message_file,
    outputs,
    sandbox,
    write_configuration,
)
from tobo.resources.processing_jobs.requests import program
from tobo.store.base import Row

UPLOAD_SECONDS = 2.0
LONGEST_MESSAGE = 1024
"""Characters of an ExitMessage (API reference, DescribeProcessingJob)."""

_uploaded: dict[tuple[str, int], float] = {}


def reserve(context: Context, row: Row) -> Outcome:
    """A place on the machine."""
    machine = instance(_cluster(row)["InstanceType"])
    return PROCESS.reserve(context, row, machine.vcpus, machine.memory_bytes)


def lay_out(context: Context, row: Row) -> Outcome:
    """Configuration files and inputs; what the program could write to is copied, the rest is linked."""
    write_configuration(context, row)
    for given, folder in inputs(context, row):
        source = given["S3Input"]
        channel = {
            "ChannelName": given["InputName"],
            "DataSource": {"S3DataSource": source},
            "CompressionType": source.get("S3CompressionType", "None"),
        }
        copied = not context.compute.sandboxes or is_written(context, row, folder)
        lay_out_channel(context.objects, row.key.space, channel, folder, copied=copied)
    return Happened("laid_out")


def start(context: Context, row: Row) -> Outcome:
    """Starts the program; idempotent by the process' name."""
    cluster = _cluster(row)
    machine = instance(cluster["InstanceType"])
    isolated = row.asked.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    credentials = {} if isolated else role_credentials(context, row)
    image, words = program(context, row.asked)
    context.compute.start(
        ProcessSpec(
            name=PROCESS.name(row),
            folder=PROCESS.folder(context, row) / "ml" / "processing",
            log=PROCESS.log_file(context, row),
            argv=command(context, row, words),
            environment=environment(context, row, image, credentials),
            cpus=machine.vcpus,
            memory_bytes=machine.memory_bytes,
            network=not isolated,
            sandbox=sandbox(context, row, image),
            disk_bytes=cluster["VolumeSizeInGB"] << 30,
        )
    )
    return Done()


def watch(context: Context, row: Row) -> Outcome:
    """Follows the program: its end, the end of its time, and the outputs that are uploaded meanwhile."""
    outcome = PROCESS.judge(
        context,
        row,
        PROCESS.look(context, row),
        lambda end: death(end, "program"),
        too_long="The job ran for longer than MaxRuntimeInSeconds ({limit}) and was stopped.",
    )
    if isinstance(outcome, Again):
        _upload_meanwhile(context, row)
    return outcome


def collect(context: Context, row: Row) -> Outcome:
    """Uploads every output, whatever way the program ended, and reads its last words."""
    for output in outputs(context, row):
        put_folder(context.objects, row.key.space, output.folder, output.target, context.settings.state / "tmp")
    told = read_told(PROCESS.folder(context, row), message_file(context, row))[:LONGEST_MESSAGE]
    return Happened("collected", {"ExitMessage": told} if told else {})


def clean(context: Context, row: Row) -> Outcome:
    """As every job's process; and nothing is uploaded meanwhile any more."""
    _uploaded.pop(key_in_memory(context, row), None)
    return PROCESS.clean(context, row)


def record(context: Context, row: Row) -> Outcome:
    """The job's trial component and lineage: once when it is at work, once when it is over."""
    over = row.state in states.TERMINAL
    cluster = {f"SageMaker.{name}": value for name, value in _cluster(row).items() if name != "VolumeKmsKeyId"}
    sources = {given["InputName"]: given["S3Input"]["S3Uri"] for given in row.asked.get("ProcessingInputs", [])}
    given = row.asked.get("ProcessingOutputConfig", {}).get("Outputs", [])
    targets = {output["OutputName"]: output["S3Output"]["S3Uri"] for output in given}
    image = Artifact(row.asked["AppSpecification"]["ImageUri"], "Image")
    record_job(
        context,
        JobRecord(
            row,
            kind="processing-job",
            status=row.status,
            over=over,
            message=row.found.get("FailureReason", ""),
            start=row.found.get("ProcessingStartTime"),
            end=row.found.get("ProcessingEndTime"),
            parameters={**cluster, **row.asked.get("Environment", {})},
            inputs={**{name: Artifact(uri, "DataSet") for name, uri in sources.items()}, "SageMaker.ImageUri": image},
            outputs={name: Artifact(uri, "DataSet") for name, uri in targets.items()} if over else {},
        ),
    )
    return Done()


def _cluster(row: Row) -> Mapping[str, Any]:
    found: Mapping[str, Any] = row.asked["ProcessingResources"]["ClusterConfig"]
    return found


def _upload_meanwhile(context: Context, row: Row) -> None:
    """The Continuous outputs, every few seconds; what has been uploaded already is left alone."""
    at = key_in_memory(context, row)
    if time.monotonic() - _uploaded.get(at, 0.0) < UPLOAD_SECONDS:
        return
    for output in outputs(context, row):
        if output.continuous:
            put_folder(context.objects, row.key.space, output.folder, output.target, context.settings.state / "tmp")
    _uploaded[at] = time.monotonic()


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(reserve, lay_out, start, watch, PROCESS.terminate, PROCESS.await_end, collect, clean, record),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, now, message),
    )
)

meter_job(
    KIND,
    lambda row: row.asked["ProcessingResources"]["ClusterConfig"],
    "ProcessingStartTime",
    "ProcessingEndTime",
    ("InProgress", "Stopping"),
)

"""What the controller does for a training job; each command is safe to repeat."""

import shutil
from collections.abc import Mapping
from typing import Any

from tobo.algorithms import find_algorithm
from tobo.compute.base import Exited, ProcessSpec
from tobo.compute.instances import instance
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.kit.states import Step
from tobo.operations.context import Context, service_principal
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.sources import keys_below, relative_key
from tobo.resources.training_jobs import states
from tobo.resources.training_jobs.api import KIND
from tobo.resources.training_jobs.channels import lay_out_channel
from tobo.resources.training_jobs.contract import (
    GROUP,
    environment,
    job_folder,
    log_stream,
    ml_paths,
    process_name,
    write_configuration,
)
from tobo.resources.training_jobs.metrics import scrape_log
from tobo.resources.training_jobs.results import is_empty, put_archive, put_folder
from tobo.store.base import Row

GRACE_SECONDS = 120.0
"""Between SIGTERM and SIGKILL of a job that is stopped (API reference, StopTrainingJob)."""

POLL_SECONDS = 0.2
WAITING = "Starting the training job: waiting for capacity"


def reserve(context: Context, row: Row) -> Outcome:
    """A place on the machine; whoever finds none waits in Starting and says so."""
    machine = instance(row.asked["ResourceConfig"]["InstanceType"])
    if context.compute.reserve(process_name(row), machine.vcpus, machine.memory_bytes):
        return Happened("granted")
    transitions = row.found["SecondaryStatusTransitions"]
    if transitions[-1]["StatusMessage"] == WAITING:
        return Again(POLL_SECONDS)
    told = [*transitions[:-1], {**transitions[-1], "StatusMessage": WAITING}]
    return Again(POLL_SECONDS, {"SecondaryStatusTransitions": told})


def lay_out(context: Context, row: Row) -> Outcome:
    """Configuration files, channels, and the checkpoints of an earlier job where CheckpointConfig names some."""
    paths = ml_paths(context, row)
    write_configuration(paths, row)
    for channel in row.asked.get("InputDataConfig", []):
        lay_out_channel(context.objects, row.key.space, channel, paths.channel(channel["ChannelName"]))
    if uri := _checkpoint_uri(row):
        for info in keys_below(context.objects, row.key.space, uri):
            target = paths.checkpoints / relative_key(info.key, uri.key)
            target.parent.mkdir(parents=True, exist_ok=True)
            # A copy, not a link: the job may write into its checkpoints.
            shutil.copyfile(context.objects.path(row.key.space, info), target)
    return Happened("laid_out")


def start(context: Context, row: Row) -> Outcome:
    """Starts the algorithm's process; idempotent by the process' name."""
    algorithm = find_algorithm(row.asked["AlgorithmSpecification"]["TrainingImage"])
    if algorithm is None:
        raise Fault("ClientError", f"The algorithm of job '{row.key.name}' is not installed any more.")
    machine = instance(row.asked["ResourceConfig"]["InstanceType"])
    paths = ml_paths(context, row)
    isolated = row.asked.get("EnableNetworkIsolation", False)
    credentials = {} if isolated else _credentials(context, row)
    context.compute.start(
        ProcessSpec(
            name=process_name(row),
            folder=paths.root,
            log=context.logs.stream_file(row.key.space, GROUP, log_stream(row)),
            entry=algorithm.train,
            environment=environment(context, row, paths, credentials),
            cpus=machine.vcpus,
            memory_bytes=machine.memory_bytes,
            preload=algorithm.preload,
            network=not isolated,
        )
    )
    return Done()


def watch(context: Context, row: Row) -> Outcome:
    """Follows the process: metrics from its log, checkpoints to S3, its end, and the end of its time."""
    state = context.compute.poll(process_name(row))
    found = scrape_log(context, row, log_stream(row))
    _save_checkpoints(context, row)
    if isinstance(state, Exited) or state is None:
        if state is not None and state.code == 0:
            return Happened("succeeded", found)
        return Happened("died", found, _failure_reason(context, row, state))
    limit = row.asked["StoppingCondition"]["MaxRuntimeInSeconds"]
    if context.clock.now() - state.started > limit:
        return Happened("time_up", found)
    return Again(POLL_SECONDS, found or None)


def terminate(context: Context, row: Row) -> Outcome:
    """SIGTERM now, SIGKILL when the grace is over."""
    context.compute.terminate(process_name(row), GRACE_SECONDS)
    return Done()


def await_end(context: Context, row: Row) -> Outcome:
    """Until the process that was told to stop is over, whatever way it went."""
    if isinstance(context.compute.poll(process_name(row)), Exited | None):
        return Happened("ended", scrape_log(context, row, log_stream(row)))
    return Again(POLL_SECONDS)


def collect(context: Context, row: Row) -> Outcome:
    """Uploads what there is: model, output data, checkpoints."""
    paths = ml_paths(context, row)
    config = row.asked["OutputDataConfig"]
    output = parse_s3_uri(config["S3OutputPath"], "OutputDataConfig.S3OutputPath").below(row.key.name, "output")
    temporary = context.settings.state / "tmp"
    space = row.key.space
    for folder, name in ((paths.model, "model"), (paths.output_data, "output")):
        if is_empty(folder):
            continue
        if config["CompressionType"] == "NONE":
            put_folder(context.objects, space, folder, output.below(name), temporary)
        else:
            put_archive(context.objects, space, folder, output.below(f"{name}.tar.gz"), temporary)
    _save_checkpoints(context, row)
    return Happened("collected")


def clean(context: Context, row: Row) -> Outcome:
    """Gives the place and the folder back; the log stays."""
    context.compute.forget(process_name(row))
    shutil.rmtree(job_folder(context, row), ignore_errors=True)
    return Done()


def _credentials(context: Context, row: Row) -> dict[str, str]:
    """Temporary ones of the job's role, as environment variables."""
    space = row.key.space
    principal = service_principal(space.account)
    role, session = row.asked["RoleArn"], f"SageMaker-{row.id}"
    answer = context.call(principal, space.region, "sts", "AssumeRole", RoleArn=role, RoleSessionName=session)
    return {
        "AWS_ACCESS_KEY_ID": answer["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["Credentials"]["SessionToken"],
    }


def _save_checkpoints(context: Context, row: Row) -> None:
    folder = ml_paths(context, row).checkpoints
    uri = _checkpoint_uri(row)
    if uri is not None and not is_empty(folder):
        put_folder(context.objects, row.key.space, folder, uri, context.settings.state / "tmp")


def _checkpoint_uri(row: Row) -> S3Uri | None:
    config = row.asked.get("CheckpointConfig")
    return parse_s3_uri(config["S3Uri"], "CheckpointConfig.S3Uri") if config else None


def _failure_reason(context: Context, row: Row, end: Exited | None) -> str:
    """The algorithm's own words where it left some, else how its process died."""
    if end is None:
        return "InternalServerError: The record of the job's process is gone; start the job again."
    failure = ml_paths(context, row).failure
    if not end.out_of_memory and failure.is_file() and (text := failure.read_text(errors="replace").strip()):
        return text if text.startswith(("ClientError", "AlgorithmError")) else f"AlgorithmError: {text}"
    how = (
        f"exit code: {end.code}" if end.code is not None else f"signal: {end.signal}" if end.signal else "no exit code"
    )
    return f"AlgorithmError: {end.reason or 'The algorithm ended with an error.'} ({how})"


def _on_step(row: Row, step: Step, now: float, message: str) -> Mapping[str, Any]:
    return states.on_step(dict(row.found), step.state, now, message)


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands={
            command.__name__: command
            for command in (reserve, lay_out, start, watch, terminate, await_end, collect, clean)
        },
        on_step=_on_step,
    )
)

"""What the controller does for a training job; each command is safe to repeat."""

import shutil

from tobo.compute.base import ProcessSpec
from tobo.compute.instances import instance
from tobo.kit.fault import Fault
from tobo.kit.paths import MlPaths
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.channels import lay_out_channel
from tobo.operations.context import Context
from tobo.operations.credentials import role_credentials
from tobo.operations.images import Image, Program, find_image
from tobo.operations.job_process import POLL_SECONDS, last_words
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.metering import meter_job
from tobo.operations.own_code import Surroundings, surround
from tobo.operations.results import is_empty, put_archive, put_folder
from tobo.operations.sources import keys_below, relative_key
from tobo.resources.training_jobs import source, states
from tobo.resources.training_jobs.api import KIND
from tobo.resources.training_jobs.contract import PROCESS, environment, write_configuration
from tobo.resources.training_jobs.metrics import scrape_log
from tobo.resources.training_jobs.record import record
from tobo.resources.training_jobs.requests import image_uri
from tobo.store.base import Row

WAITING = "Starting the training job: waiting for capacity"


def reserve(context: Context, row: Row) -> Outcome:
    """A place on the machine; whoever finds none waits in Starting and says so."""
    machine = instance(row.asked["ResourceConfig"]["InstanceType"])
    outcome = PROCESS.reserve(context, row, machine.vcpus, machine.memory_bytes)
    if isinstance(outcome, Happened):
        return outcome
    transitions = row.found["SecondaryStatusTransitions"]
    if transitions[-1]["StatusMessage"] == WAITING:
        return Again(POLL_SECONDS)
    told = [*transitions[:-1], {**transitions[-1], "StatusMessage": WAITING}]
    return Again(POLL_SECONDS, {"SecondaryStatusTransitions": told})


def lay_out(context: Context, row: Row) -> Outcome:
    """Configuration files, channels, the user's own code, and the checkpoints of an earlier job where CheckpointConfig names some."""
    paths, image = PROCESS.ml_paths(context, row), _image(context, row)
    write_configuration(paths, row)
    exposed = image.own_code and not context.compute.sandboxes
    for channel in row.asked.get("InputDataConfig", []):
        name = channel["ChannelName"]
        copied = exposed or (image.own_code and name in source.CODE_CHANNELS)
        lay_out_channel(context.objects, row.key.space, channel, paths.channel(name), copied=copied)
    if image.framework is not None:
        source.lay_source_out(context, row, paths, relocated=exposed)
    if uri := _checkpoint_uri(row):
        for info in keys_below(context.objects, row.key.space, uri):
            target = paths.checkpoints / relative_key(info.key, uri.key)
            target.parent.mkdir(parents=True, exist_ok=True)
            # A copy, not a link: the job may write into its checkpoints.
            shutil.copyfile(context.objects.path(row.key.space, info), target)
    return Happened("laid_out")


def start(context: Context, row: Row) -> Outcome:
    """Starts the algorithm's or the user's process; idempotent by the process' name."""
    image = _image(context, row)
    program, paths = image.train, PROCESS.ml_paths(context, row)
    if program is None:
        raise Fault("ClientError", f"The image of job '{row.key.name}' is not made for training any more.")
    isolated = row.asked.get("EnableNetworkIsolation", False)
    machine = row.asked["ResourceConfig"]
    size = instance(machine["InstanceType"])
    around = _surroundings(context, row, image, paths) if image.own_code else None
    context.compute.start(
        ProcessSpec(
            name=PROCESS.name(row),
            folder=paths.root,
            log=PROCESS.log_file(context, row),
            entry=program.entry,
            argv=image.command(program, row.asked["AlgorithmSpecification"]),
            environment=_environment(context, row, image, program, paths, around),
            cpus=size.vcpus,
            memory_bytes=size.memory_bytes,
            preload=program.preload,
            network=not isolated,
            sandbox=around.sandbox if around else None,
            disk_bytes=machine["VolumeSizeInGB"] << 30 if around and machine.get("VolumeSizeInGB") else None,
        )
    )
    return Done()


def watch(context: Context, row: Row) -> Outcome:
    """Follows the process: metrics from its log, checkpoints to S3, its end, and the end of its time."""
    look = PROCESS.look(context, row)  # before its log: what it printed last is there when it is over
    found = scrape_log(context, row)
    _save_checkpoints(context, row)
    paths = PROCESS.ml_paths(context, row)
    return PROCESS.judge(context, row, look, lambda end: last_words(paths, end, "algorithm"), found)


def await_end(context: Context, row: Row) -> Outcome:
    """Until the process that was told to stop is over, and with it its metrics."""
    outcome = PROCESS.await_end(context, row)
    return Happened("ended", scrape_log(context, row)) if isinstance(outcome, Happened) else outcome


def collect(context: Context, row: Row) -> Outcome:
    """Uploads what there is: model, output data, checkpoints."""
    paths = PROCESS.ml_paths(context, row)
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


def _image(context: Context, row: Row) -> Image:
    return find_image(context, image_uri(row), "AlgorithmSpecification.TrainingImage")


def _surroundings(context: Context, row: Row, image: Image, paths: MlPaths) -> Surroundings:
    """The job's tree at /opt/ml; what the store's objects are linked to cannot be written there."""
    channels = [channel["ChannelName"] for channel in row.asked.get("InputDataConfig", [])]
    return surround(
        context,
        row.key.space,
        image,
        paths.root,
        PROCESS.folder(context, row) / "venv",
        requirements=source.requirements(row, paths) if image.framework is not None else None,
        read_only=[paths.channel(name) for name in channels if name not in source.CODE_CHANNELS],
        given=row.asked.get("Environment"),
    )


def _environment(
    context: Context, row: Row, image: Image, program: Program, paths: MlPaths, around: Surroundings | None
) -> dict[str, str]:
    isolated = row.asked.get("EnableNetworkIsolation", False)
    credentials = {} if isolated else role_credentials(context, row)
    if around is None:
        return {**program.environment, **environment(context, row, image, paths, credentials)}
    relocated = None if context.compute.sandboxes else paths.root
    return {
        **environment(context, row, image, around.paths, credentials),
        **program.environment,
        **around.environment,
        **source.encoded_command(row, relocated),
    }


def _save_checkpoints(context: Context, row: Row) -> None:
    folder = PROCESS.ml_paths(context, row).checkpoints
    uri = _checkpoint_uri(row)
    if uri is not None and not is_empty(folder):
        put_folder(context.objects, row.key.space, folder, uri, context.settings.state / "tmp")


def _checkpoint_uri(row: Row) -> S3Uri | None:
    config = row.asked.get("CheckpointConfig")
    return parse_s3_uri(config["S3Uri"], "CheckpointConfig.S3Uri") if config else None


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(reserve, lay_out, start, watch, PROCESS.terminate, await_end, collect, PROCESS.clean, record),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, now, message),
    )
)

meter_job(
    KIND, lambda row: row.asked["ResourceConfig"], "TrainingStartTime", "TrainingEndTime", ("InProgress", "Stopping")
)

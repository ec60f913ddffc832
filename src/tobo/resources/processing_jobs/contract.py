"""The container contract of one processing job: its folders, configuration files, environment and view of the machine.

Source: SageMaker Developer Guide, "Build Your Own Processing Container"; /opt/ml is the folder `ml` of the job.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import orjson

from tobo.compute.base import Bind, Sandbox
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Context
from tobo.operations.images import Image
from tobo.operations.job_process import JobProcess
from tobo.operations.own_code import image_view
from tobo.store.base import Row

HOST = "algo-1"
PROCESS = JobProcess("processing", "/aws/sagemaker/ProcessingJobs", HOST, grace=120.0)
"""The grace is that of the API reference, StopProcessingJob."""
_ML = PurePosixPath("/opt/ml")


class Output(NamedTuple):
    """Where the program writes, and where that goes: while it runs or at its end."""

    folder: Path
    target: S3Uri
    continuous: bool


def message_file(context: Context, row: Row) -> Path:
    """What the program leaves there becomes ExitMessage."""
    return _outside(context, row, _ML / "output" / "message")


def inputs(context: Context, row: Row) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Those that are not the program's own to read: the request's, and the folder of each."""
    for given in row.asked.get("ProcessingInputs", []):
        if not given.get("AppManaged"):
            yield given, _outside(context, row, PurePosixPath(given["S3Input"]["LocalPath"]))


def outputs(context: Context, row: Row) -> list[Output]:
    """Those that are not the program's own to write."""
    found = []
    for given in row.asked.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if not given.get("AppManaged"):
            to = given["S3Output"]
            target = parse_s3_uri(to["S3Uri"], f"output '{given['OutputName']}'")
            folder = _outside(context, row, PurePosixPath(to["LocalPath"]))
            found.append(Output(folder, target, to["S3UploadMode"] == "Continuous"))
    return found


def is_written(context: Context, row: Row, folder: Path) -> bool:
    """Whether an input's folder lies in an output's or the other way round: it must not be linked to the store then."""
    return any(
        output.folder == folder or output.folder in folder.parents or folder in output.folder.parents
        for output in outputs(context, row)
    )


def write_configuration(context: Context, row: Row) -> None:
    """processingjobconfig.json, resourceconfig.json and the metadata that SDKs read inside jobs; makes the folders."""
    asked = row.asked
    for path in ("config", "output", "metadata", "processing"):
        _outside(context, row, _ML / path).mkdir(parents=True, exist_ok=True)
    for output in outputs(context, row):
        output.folder.mkdir(parents=True, exist_ok=True)
    for path, content in (
        ("config/processingjobconfig.json", {"ProcessingJobArn": row.arn, **asked}),
        ("config/resourceconfig.json", {"current_host": HOST, "hosts": [HOST]}),
        (
            "metadata/resource-metadata.json",
            {"ResourceArn": row.arn, "ResourceName": row.key.name, "ExecutionRoleArn": asked["RoleArn"]},
        ),
    ):
        _outside(context, row, _ML / path).write_bytes(orjson.dumps(content, default=_plain))


def sandbox(context: Context, row: Row, image: Image) -> Sandbox:
    """The job's tree at /opt/ml. Inputs cannot be written; an output's folder cannot be replaced by a link elsewhere."""

    def seen(path: Path, writable: bool) -> Bind:
        return Bind(path, str(_ML / path.relative_to(_outside(context, row, _ML))), writable)

    bases = {"config": False, "metadata": False, "output": True, "processing": True}
    binds = [seen(_outside(context, row, _ML / name), writable) for name, writable in bases.items()]
    binds += [seen(folder, is_written(context, row, folder)) for _, folder in inputs(context, row)]
    # Neither it nor a folder above it: what is mounted cannot be moved away.
    top = _outside(context, row, _ML / "processing")
    ways = {
        path
        for output in outputs(context, row)
        for path in (output.folder, *output.folder.parents)
        if top in path.parents
    }
    binds += [seen(path, True) for path in sorted(ways)]
    return image_view(image, binds)


def command(context: Context, row: Row, given: tuple[str, ...]) -> tuple[str, ...]:
    """The program's command line; without a sandbox its paths below /opt/ml are where they really lie."""
    if context.compute.sandboxes:
        return given
    root = str(_outside(context, row, _ML))
    return tuple(word.replace("/opt/ml/", f"{root}/") if word.startswith("/opt/ml/") else word for word in given)


def environment(context: Context, row: Row, image: Image, credentials: Mapping[str, str]) -> dict[str, str]:
    """What the program finds; the user's own Environment wins over ours. A framework's `python3` is the server's own."""
    return {
        "PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "HOME": "/tmp" if context.compute.sandboxes else str(PROCESS.folder(context, row)),
        "AWS_REGION": row.key.space.region,
        "AWS_DEFAULT_REGION": row.key.space.region,
        "AWS_ENDPOINT_URL": f"http://{context.settings.host}:{context.settings.port}",
        "PYTHONUNBUFFERED": "1",
        **(image.binding.environment if image.binding else {}),
        **credentials,
        **row.asked.get("Environment", {}),
    }


def _outside(context: Context, row: Row, path: PurePosixPath) -> Path:
    """Where a path of the program's view lies on the machine."""
    return PROCESS.folder(context, row) / "ml" / path.relative_to(_ML)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} is no JSON")

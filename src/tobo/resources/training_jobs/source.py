"""The user's own code of a training job: what is run, where it comes from, and the requirements beside it.

Two forms: a script and its source directory named by hyperparameters (SageMaker Python SDK 2.x), and a command with the
channels `code` and `sm_drivers` (SDK 3.x, AlgorithmSpecification.ContainerEntrypoint and ContainerArguments).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tobo.frameworks import environments
from tobo.frameworks.arguments import decode_value
from tobo.kit.archive import BadArchive, unpack
from tobo.kit.fault import Fault, validation
from tobo.kit.paths import MlPaths
from tobo.operations.artifacts import lay_archive_out
from tobo.operations.context import Context
from tobo.operations.own_code import OPT_ML
from tobo.store.base import Row

PROGRAM, SUBMITTED = "sagemaker_program", "sagemaker_submit_directory"

CODE_CHANNELS = ("code", "sm_drivers")
"""Channels that hold programs: SDK 3.x's own driver writes into them and makes them executable."""

_TRAIN_SCRIPT = "sm_train.sh"
_INSTALLS = re.compile(r"(?:install_requirements\.py|pip3? install -r|PIP_CMD install -r)\s+(\S+)")


def check_source(asked: Mapping[str, Any], uri: str) -> None:
    """Refuses a job of a framework's image, at the address `uri`, that names nothing to run; raises Fault ValidationException."""
    if _entrypoint(asked):
        return
    for name in (PROGRAM, SUBMITTED):
        if not said(asked, name):
            raise validation(
                f"The image '{uri}' runs your own script, and the "
                f"hyperparameter '{name}' is missing; give sagemaker_program and sagemaker_submit_directory as SDK 2.x "
                "does, or AlgorithmSpecification.ContainerEntrypoint as SDK 3.x does."
            )
    submitted = said(asked, SUBMITTED)
    if not submitted.startswith(("s3://", f"{OPT_ML}/")):
        raise validation(
            f"The hyperparameter sagemaker_submit_directory is '{submitted}'; it must be the s3:// address of a "
            f"sourcedir.tar.gz, or its path below {OPT_ML}/input/data."
        )


def said(asked: Mapping[str, Any], name: str) -> str:
    """What the job says of `sagemaker_program` and the like, in its environment or its hyperparameters; "" where nothing."""
    own = asked.get("Environment", {}).get(name.upper())
    return str(own or decode_value(asked.get("HyperParameters", {}).get(name, '""')) or "")


def command(asked: Mapping[str, Any]) -> list[str]:
    """ContainerEntrypoint with ContainerArguments; [] where the job has none."""
    return [*_entrypoint(asked), *asked["AlgorithmSpecification"].get("ContainerArguments", ())]


def lay_source_out(context: Context, row: Row, paths: MlPaths, relocated: bool) -> None:
    """The source directory as files below code/; safe to repeat. Raises Fault where it is missing or refused.

    `relocated`: there is no sandbox to show the tree at /opt/ml, so that SDK 3.x's drivers, which say that path, are told
    the real one.
    """
    submitted = "" if _entrypoint(row.asked) else said(row.asked, SUBMITTED)
    if submitted.startswith("s3://"):
        lay_archive_out(context, row.key.space, submitted, SUBMITTED, paths.code)
    elif submitted and not paths.code.is_dir():
        archive = paths.root / submitted.removeprefix(f"{OPT_ML}/")
        if ".." in archive.parts or not archive.is_file():
            raise Fault("ClientError", f"ClientError: There is no '{submitted}', which {SUBMITTED} names.")
        try:
            unpack(archive, paths.root / "unpacking-code")
        except BadArchive as bad:
            raise Fault("ClientError", f"ClientError: The archive at {submitted} is refused: {bad}") from None
        (paths.root / "unpacking-code").rename(paths.code)
    if relocated:
        _relocate(paths.channel("sm_drivers"), paths.root)


def requirements(row: Row, paths: MlPaths) -> Path | None:
    """The file with the packages to install before the job's code runs.

    Raises Fault where the job may not have the network that this needs.
    """
    found = _requirements(row, paths)
    if found is not None and row.asked.get("EnableNetworkIsolation", False):
        raise Fault(
            "ClientError",
            f"ClientError: The job has EnableNetworkIsolation and a {found.name}, which cannot be installed without a "
            "network; put the packages into the source directory themselves, or drop one of the two.",
        )
    return found


def _requirements(row: Row, paths: MlPaths) -> Path | None:
    """A shell script installs for itself what it needs; SDK 3.x's driver says in its script which file it will install."""
    if not _entrypoint(row.asked):
        file = paths.code / environments.REQUIREMENTS
        return file if file.is_file() and not said(row.asked, PROGRAM).endswith(".sh") else None
    script = paths.channel("sm_drivers") / _TRAIN_SCRIPT
    named = _INSTALLS.search(script.read_text(errors="replace")) if script.is_file() else None
    if named is None or ".." in named[1].split("/"):
        return None
    file = paths.channel("code") / named[1]
    return file if file.is_file() else None


def encoded_command(row: Row, relocated_to: Path | None) -> dict[str, str]:
    """The variable that tells frameworks/training.py what to run where that is no script; {} where it is one.

    `relocated_to` is the tree's real path where no sandbox shows it at /opt/ml.
    """
    argv = command(row.asked) if _entrypoint(row.asked) else []
    if relocated_to is not None:
        argv = [argument.replace(OPT_ML, str(relocated_to)) for argument in argv]
    return {"TOBO_COMMAND": orjson.dumps(argv).decode()} if argv else {}


def _entrypoint(asked: Mapping[str, Any]) -> list[str]:
    found: list[str] = asked["AlgorithmSpecification"].get("ContainerEntrypoint", [])
    return found


def _relocate(folder: Path, root: Path) -> None:
    """Puts the real path in place of /opt/ml into every text of SDK 3.x's drivers, copies that were just laid out."""
    for file in folder.rglob("*") if folder.is_dir() else ():
        if file.is_file() and file.suffix in (".py", ".sh", ".json"):
            file.write_bytes(file.read_bytes().replace(OPT_ML.encode(), str(root).encode()))

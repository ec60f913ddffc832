"""What an instance's processes see: its volume, a home and a Python environment of this start, and who they are."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tobo.compute.base import Bind, ProcessSpec, Sandbox
from tobo.compute.instances import instance
from tobo.hosting.processes import socket_folder
from tobo.notebooks.home import GATEWAY_PORT
from tobo.operations.context import Context
from tobo.resources.notebook_instances.sessions import folder_of, socket_of
from tobo.settings import Settings
from tobo.store.base import Row

GROUP = "/aws/sagemaker/NotebookInstances"
"""The log group (SageMaker Developer Guide, "CloudWatch Logs for Amazon SageMaker AI")."""

CREDENTIALS_SECONDS = 6 * 3600
"""Life of the role's credentials in an instance; they are renewed when half of it is over."""

_HOME, _VENV, _METADATA, _RUN, _GATEWAY = "/home/ec2-user", "/opt/venv", "/opt/ml/metadata", "/run/tobo", "/run/gateway"
_AUTHORITY = "GIT_SSL_CAINFO"
"""A variable of the server: the certificates of the house's own Git server."""


@dataclass(frozen=True)
class Places:
    """Folders of an instance on this machine."""

    root: Path

    @property
    def volume(self) -> Path:
        """What is kept over stop and start."""
        return self.root / "volume"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def venv(self) -> Path:
        return self.root / "venv"

    @property
    def metadata(self) -> Path:
        """What the server tells an instance, which cannot write there."""
        return self.root / "metadata"

    @property
    def failure(self) -> Path:
        """What a guest has said of its failure."""
        return self.home / "output" / "failure"


def places(context: Context, row: Row) -> Places:
    return Places(folder_of(context.settings, row))


def gateway_socket(settings: Settings) -> Path:
    """Where the server's gateway listens for instances without a network; its folder holds nothing else."""
    return socket_folder(settings.state / "notebooks") / "gateway" / "s"


def settings_of(row: Row) -> Mapping[str, object]:
    """What was asked for, as it was updated since."""
    return {**row.asked, **row.found}


def lay_out(context: Context, row: Row) -> None:
    """A new home and environment over the volume, which gets the examples once; safe to repeat."""
    its = places(context, row)
    for folder in (its.home, its.venv):
        shutil.rmtree(folder, ignore_errors=True)
    new = not its.volume.exists()
    for folder in (its.home, its.venv, its.metadata, its.volume):
        folder.mkdir(parents=True, exist_ok=True)
    if context.compute.sandboxes:
        (its.home / "SageMaker").mkdir()
    else:
        (its.home / "SageMaker").symlink_to(its.volume)
    if new:
        _copy_examples(its.volume / "examples")
    run = socket_of(context.settings, row).parent
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_identity(context, row)


def write_identity(context: Context, row: Row) -> None:
    """Region, endpoint, role, and credentials of it that SDKs fetch anew before they are over."""
    its, space = places(context, row), row.key.space
    settings = settings_of(row)
    session = f"SageMaker-{row.id}"
    given = context.as_house(
        space,
        "sts",
        "AssumeRole",
        RoleArn=settings["RoleArn"],
        RoleSessionName=session,
        DurationSeconds=CREDENTIALS_SECONDS,
    )["Credentials"]
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(given["Expiration"]))
    seen = Path(_METADATA) if context.compute.sandboxes else its.metadata
    endpoint = f"http://127.0.0.1:{GATEWAY_PORT}" if _is_cut_off(row) else _endpoint(context.settings)
    config = f"[default]\nregion = {space.region}\nendpoint_url = {endpoint}\ncredential_process = cat {seen}/credentials.json\n"
    bucket = f"sagemaker-{space.region}-{space.account}"
    for name, content in {
        "resource-metadata.json": json.dumps(
            {"ResourceArn": row.arn, "ResourceName": row.key.name, "ExecutionRoleArn": settings["RoleArn"]}
        ),
        "credentials.json": json.dumps(
            {
                "Version": 1,
                "AccessKeyId": given["AccessKeyId"],
                "SecretAccessKey": given["SecretAccessKey"],
                "SessionToken": given["SessionToken"],
                "Expiration": expires,
            }
        ),
        "aws-config": config,
        "sagemaker.yaml": (
            "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"
            f"      Session:\n        DefaultS3Bucket: {bucket}\n"
        ),
    }.items():
        draft = its.metadata / f".{name}.new"
        draft.write_text(content)
        draft.chmod(0o600)
        draft.replace(its.metadata / name)


def process(
    context: Context,
    row: Row,
    name: str,
    entry: str,
    stream: str,
    variables: Mapping[str, str],
    paths: Mapping[str, Path],
) -> ProcessSpec:
    """A process of the instance: `entry` of tobo.notebooks, its log in `stream`; `paths` become variables, as it sees them."""
    its, settings = places(context, row), settings_of(row)
    size = instance(str(settings["InstanceType"]))
    binds = [
        Bind(its.home, _HOME, writable=True),
        Bind(its.volume, f"{_HOME}/SageMaker", writable=True),
        Bind(its.venv, _VENV, writable=True),
        Bind(its.metadata, _METADATA),
        Bind(socket_of(context.settings, row).parent, _RUN, writable=True),
    ]
    if _is_cut_off(row):
        binds.append(Bind(gateway_socket(context.settings).parent, _GATEWAY))
    authority = os.environ.get(_AUTHORITY)
    if authority:
        binds.append(Bind(Path(authority), "/opt/ml/authority.pem"))
    sandbox = Sandbox(tuple(binds), workdir=_HOME)

    def seen(path: Path) -> str:
        inside = sandbox.inside(path) if context.compute.sandboxes else None
        return inside or str(path)

    metadata = Path(seen(its.metadata))
    own = {
        "HOME": seen(its.home),
        "TOBO_ML_ROOT": seen(its.home),
        "TOBO_NOTEBOOK_HOME": seen(its.home),
        "TOBO_VENV": seen(its.venv),
        "AWS_CONFIG_FILE": str(metadata / "aws-config"),
        "AWS_DEFAULT_REGION": row.key.space.region,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(metadata / "sagemaker.yaml"),
    }
    if _is_cut_off(row):
        own["TOBO_GATEWAY"] = seen(gateway_socket(context.settings))
    if authority:
        own[_AUTHORITY] = seen(Path(authority))
    return ProcessSpec(
        name=name,
        folder=its.home,
        log=context.logs.stream_file(row.key.space, GROUP, f"{row.key.name}/{stream}"),
        entry=entry,
        environment={**own, **variables, **{key: seen(path) for key, path in paths.items()}},
        cpus=size.vcpus,
        memory_bytes=size.memory_bytes,
        network=not _is_cut_off(row),
        sandbox=sandbox,
        disk_bytes=int(str(settings["VolumeSizeInGB"])) << 30,
    )


def tidy(context: Context, row: Row) -> None:
    """What a start leaves behind but its volume."""
    its = places(context, row)
    for folder in (its.home, its.venv, its.metadata, socket_of(context.settings, row).parent):
        shutil.rmtree(folder, ignore_errors=True)


def _is_cut_off(row: Row) -> bool:
    return settings_of(row)["DirectInternetAccess"] == "Disabled"


def _endpoint(settings: Settings) -> str:
    return f"http://{settings.reached(settings.port)}"


def _copy_examples(folder: Path) -> None:
    folder.mkdir()
    for example in files("tobo.notebooks").joinpath("examples").iterdir():
        (folder / example.name).write_bytes(example.read_bytes())

"""Model artefacts: what a model says about its container, the artefact as files, and the replica that serves it."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from tobo.frameworks import environments
from tobo.hosting.base import ReplicaSpec
from tobo.kit.archive import BadArchive, is_sealed, unpack
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.paths import MlPaths
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import every_object
from tobo.operations.context import Context
from tobo.operations.images import Image, asked_environment, find_image
from tobo.operations.market import unlock
from tobo.operations.own_code import OPT_ML, surround

START_SECONDS, OWN_CODE_START_SECONDS = 60, 600
"""For a replica to answer its first ping; user code may have packages to install before."""

MODEL_CACHE_SHARE = 0.6
"""Of a replica's memory, for the models of a multi-model endpoint that are loaded at a time."""

_SUBMITTED = "SAGEMAKER_SUBMIT_DIRECTORY"
"""Where a model of SDK 2.x has its serving code: a sourcedir.tar.gz of S3, or a folder of its artefact."""


def container_of(model: Mapping[str, Any]) -> dict[str, Any]:
    """What serving needs of what DescribeModel answered.

    Image, ModelData ("" for none; the prefix of the archives where there are several models), Archived, Environment,
    Isolated, MultiModel, ModelCache ("Enabled" or "Disabled"), and Package, the ARN of the model package, or "".
    """
    container = model.get("PrimaryContainer") or model["Containers"][0]
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return {
        "Image": container["Image"],
        "ModelData": source["S3Uri"] if source else container.get("ModelDataUrl", ""),
        "Archived": source is None or source.get("CompressionType") == "Gzip",
        "Environment": dict(container.get("Environment", {})),
        "Isolated": model.get("EnableNetworkIsolation", False),
        "MultiModel": container.get("Mode") == "MultiModel",
        "ModelCache": container.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled"),
        "Package": container.get("ModelPackageName", ""),
    }


def start_seconds(context: Context, container: Mapping[str, Any]) -> int:
    """How long a replica of a container_of may take to answer its first ping."""
    image = find_image(context, container["Image"], "the model")
    return OWN_CODE_START_SECONDS if image.own_code else START_SECONDS


def lay_model_out(context: Context, space: Namespace, container: Mapping[str, Any], root: Path) -> None:
    """The artefact of a container_of below <root>/model, whole or not at all; safe to repeat. Several models come later.

    A source directory in S3 that serves it is laid out in <root>/code; an archive that its seller has sealed stays
    sealed. Raises Fault where an archive is refused or the artefact is gone.
    """
    paths = MlPaths(root)
    submitted = container["Environment"].get(_SUBMITTED, "")
    if submitted.startswith("s3://"):
        lay_archive_out(context, space, submitted, _SUBMITTED, paths.code)
    if container.get("MultiModel"):
        paths.models.mkdir(parents=True, exist_ok=True)
    elif not container["ModelData"] or (
        container["Archived"] and _lies_sealed(context, space, container["ModelData"], paths)
    ):
        paths.model.mkdir(parents=True, exist_ok=True)
    elif container["Archived"]:
        lay_archive_out(context, space, container["ModelData"], "ModelDataUrl", paths.model)
    elif not paths.model.is_dir():
        uri = parse_s3_uri(container["ModelData"], "ModelDataUrl")
        making = root / "unpacking"
        shutil.rmtree(making, ignore_errors=True)
        _copy_prefix(context, space, uri.bucket, uri.key.rstrip("/") + "/", making)
        making.rename(paths.model)


def _lies_sealed(context: Context, space: Namespace, address: str, paths: MlPaths) -> bool:
    """Whether the archive is a sealed one, which then lies at `paths.sealed`."""
    if paths.sealed.is_file() or paths.model.is_dir():
        return paths.sealed.is_file()
    uri = parse_s3_uri(address, "ModelDataUrl")
    info = context.objects.head(space, uri.bucket, uri.key)
    if not is_sealed(context.objects.path(space, info)):
        return False
    paths.sealed.parent.mkdir(parents=True, exist_ok=True)
    context.objects.link_to(space, info, paths.sealed)
    return True


def lay_archive_out(context: Context, space: Namespace, address: str, place: str, folder: Path) -> None:
    """The .tar.gz at an s3:// address, found at the member `place`, as `folder`, whole or not at all; safe to repeat.

    Raises Fault where it is gone or refused.
    """
    if folder.is_dir():
        return
    uri = parse_s3_uri(address, place)
    info = context.objects.head(space, uri.bucket, uri.key)
    making = folder.with_name(f"unpacking-{folder.name}")
    try:
        unpack(context.objects.path(space, info), making)
    except BadArchive as bad:
        raise Fault("ClientError", f"The archive at {uri} ({place}) is refused: {bad}") from None
    making.rename(folder)


def replica_spec(
    context: Context,
    space: Namespace,
    container: Mapping[str, Any],
    *,
    group: str,
    name: str,
    root: Path,
    log: Path,
    cpus: float,
    memory_bytes: int,
    told: Mapping[str, str],
) -> ReplicaSpec:
    """A replica of a container_of whose artefact is laid out below `root`; members as hosting's ReplicaSpec has them.

    `told` are variables that the house gives it.

    Raises Fault where the image does not run here, or the model may not have the network that its requirements need.
    """
    image = find_image(context, container["Image"], "the model")
    if image.serve is None or image.serve.entry is None:
        raise Fault("ClientError", f"The image '{container['Image']}' is not made for serving.")
    spec = ReplicaSpec(
        group=group,
        name=name,
        ml_root=root,
        log=log,
        entry=image.serve.entry,
        environment={
            **serving_environment(context, space, root, image.serve.environment),
            **_model_cache(container, memory_bytes),
            **told,
            **asked_environment(image, container["Environment"]),
        },
        cpus=cpus,
        memory_bytes=memory_bytes,
        preload=image.serve.preload,
        # Without the machine's network a bound image's server has port 8080 to itself, which most insist on.
        network=not container.get("Isolated", False) and (image.binding is None or image.binding.network),
        argv=image.serve.argv,
    )
    if MlPaths(root).sealed.is_file():
        return _with_sealed_model(context, space, container, image, spec)
    return _with_own_code(context, space, container, image, spec) if image.own_code else spec


def _with_sealed_model(
    context: Context, space: Namespace, container: Mapping[str, Any], image: Image, spec: ReplicaSpec
) -> ReplicaSpec:
    """In a sandbox whose model folder lies in memory, without a network: the seller's code learns nothing to carry away,
    and nobody here sees what it was opened into."""
    if not context.compute.sandboxes or image.binding is not None:
        raise Fault(
            "ClientError",
            "A sealed model is served in a sandbox, by the built-in and framework images alone; "
            + ("install bubblewrap." if image.binding is None else f"'{container['Image']}' is bound to a program."),
        )
    key = unlock(context, space, container, MlPaths(spec.ml_root).sealed)
    spec = replace(spec, network=False, key=key)
    spec = _with_own_code(context, space, container, image, spec)
    assert spec.sandbox is not None
    return replace(spec, sandbox=replace(spec.sandbox, memory=(f"{OPT_ML}/model",)))


def _model_cache(container: Mapping[str, Any], memory_bytes: int) -> dict[str, str]:
    """How much of its memory a replica of several models may fill with them (inference/multi_model.py)."""
    if not container.get("MultiModel"):
        return {}
    share = MODEL_CACHE_SHARE if container["ModelCache"] == "Enabled" else 0.0
    return {"TOBO_MODEL_CACHE_BYTES": str(int(memory_bytes * share))}


def _with_own_code(
    context: Context, space: Namespace, container: Mapping[str, Any], image: Image, spec: ReplicaSpec
) -> ReplicaSpec:
    paths = MlPaths(spec.ml_root)
    code = serving_code(paths, container["Environment"])
    requirements = code / environments.REQUIREMENTS
    if not requirements.is_file():
        found = None
    elif spec.network:
        found = requirements
    else:
        raise Fault(
            "ClientError",
            "The model has EnableNetworkIsolation and a requirements.txt, which cannot be installed without a network; "
            "put the packages into code/ themselves, or drop one of the two.",
        )
    around = surround(
        context,
        space,
        image,
        spec.ml_root,
        spec.ml_root / "venvs" / hashlib.sha256(spec.name.encode()).hexdigest()[:16],
        requirements=found,
        # links to the store's own files; a folder that the server goes on writing to
        read_only=(*(() if container["Archived"] else (paths.model,)), paths.models),
        given=container["Environment"],
    )
    own = {"HOME": str(around.paths.root), "SM_MODEL_DIR": str(around.paths.model)}
    environment = {**spec.environment, **own, **around.environment}
    if code != paths.model / "code":
        environment["TOBO_CODE"] = str(around.paths.root / code.relative_to(paths.root))
    return replace(spec, environment=environment, sandbox=around.sandbox)


def serving_code(paths: MlPaths, environment: Mapping[str, str]) -> Path:
    """The folder of a model's serving code, which need not be there: what SAGEMAKER_SUBMIT_DIRECTORY says, else model/code."""
    submitted = environment.get(_SUBMITTED, "")
    if submitted.startswith("s3://"):
        return paths.code
    laid = submitted.removeprefix("file://").removeprefix(f"{OPT_ML}/")
    if submitted and not laid.startswith("/") and ".." not in laid.split("/") and (paths.root / laid).is_dir():
        return paths.root / laid
    return paths.model / "code"


def serving_environment(context: Context, space: Namespace, root: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What a replica's process finds in its environment; what the model asks for (`given`) wins."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(root),
        "AWS_REGION": space.region,
        "AWS_DEFAULT_REGION": space.region,
        "AWS_ENDPOINT_URL": f"http://{context.settings.host}:{context.settings.port}",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
        "SM_HOSTS": orjson.dumps(["algo-1"]).decode(),
        **given,
    }


def _copy_prefix(context: Context, space: Namespace, bucket: str, prefix: str, folder: Path) -> None:
    for info in every_object(context.objects, space, bucket, prefix):
        relative = info.key[len(prefix) :]
        if not relative or ".." in relative.split("/"):
            continue
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        context.objects.link_to(space, info, target)

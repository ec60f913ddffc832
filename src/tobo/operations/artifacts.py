"""Model artefacts: what a model says about its container, the artefact as files, and the environment it is served in."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tobo.kit.archive import BadArchive, unpack
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.paths import MlPaths
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Context


def container_of(model: Mapping[str, Any]) -> dict[str, Any]:
    """Image, ModelData, Archived and Environment of what DescribeModel answered: all that serving needs of a model."""
    container = model.get("PrimaryContainer") or model["Containers"][0]
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return {
        "Image": container["Image"],
        "ModelData": source["S3Uri"] if source else container["ModelDataUrl"],
        "Archived": source is None or source.get("CompressionType") == "Gzip",
        "Environment": dict(container.get("Environment", {})),
    }


def lay_model_out(context: Context, space: Namespace, container: Mapping[str, Any], root: Path) -> None:
    """The artefact of a container_of below <root>/model, whole or not at all; safe to repeat.

    Raises Fault where an archive is refused or the artefact is gone.
    """
    paths = MlPaths(root)
    if paths.model.is_dir():
        return
    uri = parse_s3_uri(container["ModelData"], "ModelDataUrl")
    making = paths.root / "unpacking"
    if container["Archived"]:
        info = context.objects.head(space, uri.bucket, uri.key)
        try:
            unpack(context.objects.path(space, info), making)
        except BadArchive as bad:
            raise Fault("ClientError", f"The model data at {uri} is refused: {bad}") from None
    else:
        shutil.rmtree(making, ignore_errors=True)
        _copy_prefix(context, space, uri.bucket, uri.key.rstrip("/") + "/", making)
    making.rename(paths.model)


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
    after: str | None = ""
    while after is not None:
        page = context.objects.list(space, bucket, prefix, after=after)
        for info in page.objects:
            relative = info.key[len(prefix) :]
            if not relative or relative.endswith("/") or ".." in relative.split("/"):
                continue
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            context.objects.link_to(space, info, target)
        after = page.next_after

"""Input channels: S3 objects become files below /opt/ml/input/data/<channel>, as hard links where the store can."""

import gzip
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.objects.base import ObjectInfo, Objects
from tobo.operations.sources import Placed, from_manifest, from_prefix, read_object, relative_key


def lay_out_channel(
    objects: Objects,
    space: Namespace,
    channel: Mapping[str, Any],
    folder: Path,
    host: int = 0,
    hosts: int = 1,
    copied: bool = False,
) -> int:
    """Fills `folder` with the objects of a channel and gives their number; safe to repeat.

    `host` of `hosts` takes its share where the source is ShardedByS3Key. File and FastFile look the same here: a link
    costs nothing, so that the first byte can be read at once. Pipe is accepted likewise: our algorithms read files.
    `copied`: no links, for who reads may also write, and must not write into the store.
    Raises Fault with a sentence that names the channel, the address and the mend.
    """
    name = channel["ChannelName"]
    source = channel["DataSource"]["S3DataSource"]
    uri = parse_s3_uri(source["S3Uri"], f"channel '{name}'")
    read = {"S3Prefix": from_prefix, "ManifestFile": from_manifest}
    try:
        if source["S3DataType"] == "AugmentedManifestFile":
            named = _from_augmented(objects, space, uri, source["AttributeNames"])
        else:
            named = read[source["S3DataType"]](objects, space, uri)
        placed = sorted(dict(named).items())
    except Fault as fault:
        raise _failed(name, uri, fault) from None
    if not placed:
        raise validation(
            f"ClientError: Data download failed: channel '{name}': there is no object at '{uri}'; upload it first."
        )
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        placed = placed[host::hosts]
    folder.mkdir(parents=True, exist_ok=True)
    gunzip = channel.get("CompressionType") == "Gzip"
    for path, info in placed:
        _place(objects, space, info, folder, path, gunzip=gunzip, copied=copied, channel=name)
    return len(placed)


def _from_augmented(objects: Objects, space: Namespace, uri: S3Uri, attributes: Sequence[str]) -> Iterator[Placed]:
    """The manifest itself, and each object that an attribute ending in -ref names, below <bucket>/<key>."""
    manifest = objects.head(space, uri.bucket, uri.key)
    name = relative_key(uri.key, uri.key)
    yield name if name.endswith((".manifest", ".jsonl")) else f"{name}.manifest", manifest
    references = [attribute for attribute in attributes if attribute.endswith("-ref")]
    for number, line in enumerate(read_object(objects, space, uri).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = orjson.loads(line)
            addresses = [parse_s3_uri(entry[reference], reference) for reference in references]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise validation(f"'{uri}', line {number}: expected a JSON object with {', '.join(references)}.") from None
        for address in addresses:
            try:
                yield f"{address.bucket}/{address.key}", objects.head(space, address.bucket, address.key)
            except Fault as fault:
                raise validation(f"'{uri}', line {number}: '{address}': {fault.message}") from None


def _place(
    objects: Objects,
    space: Namespace,
    info: ObjectInfo,
    folder: Path,
    path: str,
    gunzip: bool,
    copied: bool,
    channel: str,
) -> None:
    parts = path.split("/")
    if (
        any(part in ("", ".", "..") for part in parts)
        or "\0" in path
        or any(len(part.encode()) > 255 for part in parts)
    ):
        raise validation(
            f"ClientError: Data download failed: channel '{channel}': the key '{info.key}' cannot be a file's path; rename it."
        )
    target = folder.joinpath(*parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if gunzip and path.endswith(".gz"):
            with gzip.open(objects.path(space, info)) as packed, target.with_suffix("").open("wb") as out:
                shutil.copyfileobj(packed, out)
        elif copied:
            shutil.copyfile(objects.path(space, info), target)
        else:
            target.unlink(missing_ok=True)
            objects.link_to(space, info, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise validation(
            f"ClientError: Data download failed: channel '{channel}': the key '{info.key}' is a file and another key has it as a folder; rename one."
        ) from None
    except (gzip.BadGzipFile, EOFError):
        raise validation(
            f"ClientError: Data download failed: channel '{channel}': '{info.key}' is not gzip, as CompressionType says."
        ) from None


def _failed(name: str, uri: S3Uri, fault: Fault) -> Fault:
    return validation(
        f"ClientError: Data download failed: channel '{name}': {fault.message.rstrip('.')} (reading {uri})."
    )

"""Input channels: S3 objects become files below /opt/ml/input/data/<channel>, as hard links where the store can."""

import gzip
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.objects.base import ObjectInfo, Objects

Placed = tuple[str, ObjectInfo]
"""(path below the channel's folder, object)."""


def lay_out_channel(
    objects: Objects, space: Namespace, channel: Mapping[str, Any], folder: Path, host: int = 0, hosts: int = 1
) -> int:
    """Fills `folder` with the objects of a channel and gives their number; safe to repeat.

    `host` of `hosts` takes its share where the source is ShardedByS3Key. File and FastFile look the same here: a link
    costs nothing, so that the first byte can be read at once. Pipe is accepted likewise: our algorithms read files.
    Raises Fault with a sentence that names the channel, the address and the mend.
    """
    name = channel["ChannelName"]
    source = channel["DataSource"]["S3DataSource"]
    uri = parse_s3_uri(source["S3Uri"], f"channel '{name}'")
    read = {"S3Prefix": _from_prefix, "ManifestFile": _from_manifest, "AugmentedManifestFile": _from_augmented}
    try:
        placed = sorted(dict(read[source["S3DataType"]](objects, space, uri, source)).items())
    except Fault as fault:
        raise _failed(name, uri, fault) from None
    if not placed:
        raise validation(
            f"ClientError: Data download failed: channel '{name}': there is no object at '{uri}'; upload it first."
        )
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        placed = placed[host::hosts]
    folder.mkdir(parents=True, exist_ok=True)
    for path, info in placed:
        _place(objects, space, info, folder, path, gunzip=channel.get("CompressionType") == "Gzip", channel=name)
    return len(placed)


def keys_below(objects: Objects, space: Namespace, uri: S3Uri) -> Iterator[ObjectInfo]:
    """Every object whose key begins with the address' key; folder markers (keys ending in a slash) are left out."""
    after = ""
    while True:
        page = objects.list(space, uri.bucket, uri.key, after=after)
        yield from (info for info in page.objects if not info.key.endswith("/"))
        if page.next_after is None:
            return
        after = page.next_after


def relative_key(key: str, prefix: str) -> str:
    """Where an object of an S3Prefix lies below its channel: the key behind the prefix' last folder, a whole key's last part."""
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if prefix and not prefix.endswith("/"):
        if key.startswith(prefix + "/"):
            return key[len(prefix) + 1 :]
        return key[prefix.rfind("/") + 1 :]
    return key[len(prefix) :]


def _from_prefix(objects: Objects, space: Namespace, uri: S3Uri, source: Mapping[str, Any]) -> Iterator[Placed]:
    for info in keys_below(objects, space, uri):
        yield relative_key(info.key, uri.key), info


def _from_manifest(objects: Objects, space: Namespace, uri: S3Uri, source: Mapping[str, Any]) -> Iterator[Placed]:
    """[{"prefix": "s3://bucket/folder/"}, "a.jpg", ...] (API reference, S3DataSource)."""
    try:
        entries = orjson.loads(_read(objects, space, uri))
        prefix = parse_s3_uri(entries[0]["prefix"], f"the manifest {uri}")
        names = [str(entry) for entry in entries[1:]]
    except (ValueError, KeyError, IndexError, TypeError):
        raise validation(
            f'\'{uri}\' is not a manifest; expected [{{"prefix": "s3://bucket/folder/"}}, "file", ...].'
        ) from None
    for name in names:
        yield name, objects.head(space, prefix.bucket, prefix.key + name)


def _from_augmented(objects: Objects, space: Namespace, uri: S3Uri, source: Mapping[str, Any]) -> Iterator[Placed]:
    """The manifest itself, and each object that an attribute ending in -ref names, below <bucket>/<key>."""
    manifest = objects.head(space, uri.bucket, uri.key)
    name = relative_key(uri.key, uri.key)
    yield name if name.endswith((".manifest", ".jsonl")) else f"{name}.manifest", manifest
    references = [attribute for attribute in source["AttributeNames"] if attribute.endswith("-ref")]
    for number, line in enumerate(_read(objects, space, uri).splitlines(), 1):
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


def _read(objects: Objects, space: Namespace, uri: S3Uri) -> bytes:
    return objects.path(space, objects.head(space, uri.bucket, uri.key)).read_bytes()


def _place(
    objects: Objects, space: Namespace, info: ObjectInfo, folder: Path, path: str, gunzip: bool, channel: str
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

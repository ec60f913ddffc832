"""S3 data sources: which objects an S3Prefix or a ManifestFile names, and where each lies relative to it."""

from collections.abc import Iterator

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.objects.base import ObjectInfo, Objects, every_object

Placed = tuple[str, ObjectInfo]
"""(path below the source, object)."""


def keys_below(objects: Objects, space: Namespace, uri: S3Uri) -> Iterator[ObjectInfo]:
    """Every object whose key begins with the address' key."""
    return every_object(objects, space, uri.bucket, uri.key)


def relative_key(key: str, prefix: str) -> str:
    """Where an object of an S3Prefix lies: the key behind the prefix' last folder, a whole key's last part."""
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if prefix and not prefix.endswith("/"):
        if key.startswith(prefix + "/"):
            return key[len(prefix) + 1 :]
        return key[prefix.rfind("/") + 1 :]
    return key[len(prefix) :]


def from_prefix(objects: Objects, space: Namespace, uri: S3Uri) -> Iterator[Placed]:
    """The objects of an S3Prefix in key order."""
    for info in keys_below(objects, space, uri):
        yield relative_key(info.key, uri.key), info


def from_manifest(objects: Objects, space: Namespace, uri: S3Uri) -> Iterator[Placed]:
    """[{"prefix": "s3://bucket/folder/"}, "a.jpg", ...] (API reference, S3DataSource), in the manifest's order.

    Raises Fault where the manifest cannot be read or names what is not there.
    """
    try:
        entries = orjson.loads(read_object(objects, space, uri))
        prefix = parse_s3_uri(entries[0]["prefix"], f"the manifest {uri}")
        names = [str(entry) for entry in entries[1:]]
    except (ValueError, KeyError, IndexError, TypeError):
        raise validation(
            f'\'{uri}\' is not a manifest; expected [{{"prefix": "s3://bucket/folder/"}}, "file", ...].'
        ) from None
    for name in names:
        yield name, objects.head(space, prefix.bucket, prefix.key + name)


def read_object(objects: Objects, space: Namespace, uri: S3Uri) -> bytes:
    """A whole small object; raises Fault NoSuchBucket or NoSuchKey."""
    return objects.path(space, objects.head(space, uri.bucket, uri.key)).read_bytes()

"""The object store's promise: S3's semantics over a folder or a remote store.

Guaranteed by every adapter (tests/contract/test_objects.py):

- `put` returns only after bytes, folder entry and index have reached the disk; readers see whole objects only, old
  or new. So does `put_all` for several objects, all of which appear at once.
- A failed or interrupted put leaves the older object intact and nothing partial behind.
- A reader that has opened an object reads it to the end although it is overwritten or deleted meanwhile.
- `link_to` gives a local file with an object's bytes without reading them into memory (a hard link where it can be).
- All methods may be called from any thread. Errors are Faults with S3's codes (NoSuchBucket, NoSuchKey, ...).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from tobo.kit.arn import Namespace
from tobo.wire.body import Body


@dataclass(frozen=True)
class Bucket:
    """A bucket of a namespace. Names are unique in the namespace."""

    name: str
    created: float
    tags: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    """Sub-resources that clients put and get back (versioning, encryption, policy, cors, ...), by operation noun."""


@dataclass(frozen=True)
class ObjectInfo:
    """What HeadObject tells. `headers` are the stored headers by S3 member name (ContentType, CacheControl, ...)."""

    bucket: str
    key: str
    size: int
    etag: str
    """With its double quotes, as S3 gives it."""
    modified: float
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    """By S3 member name: {"ChecksumCRC32": base64 text, "ChecksumType": "FULL_OBJECT"}."""
    blob: str = ""
    """The adapter's own name of the bytes."""
    parts: Sequence[int] = ()
    """Sizes of the parts of a multipart object, in order."""


class Condition(NamedTuple):
    """If-Match / If-None-Match of a write: the precondition is checked in the same transaction as the write."""

    if_match: str | None = None
    if_none_match: str | None = None


UNCONDITIONAL = Condition()


class Listing(NamedTuple):
    """A page of ListObjects: objects and common prefixes in key order; `next_after` continues (last key or prefix)."""

    objects: list[ObjectInfo]
    prefixes: list[str]
    next_after: str | None


@dataclass(frozen=True)
class Upload:
    """A multipart upload in progress."""

    bucket: str
    key: str
    upload_id: str
    started: float
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum_algorithm: str | None = None
    checksum_type: str | None = None
    """FULL_OBJECT or COMPOSITE, where there is an algorithm."""


@dataclass(frozen=True)
class Part:
    """One uploaded part."""

    number: int
    size: int
    etag: str
    modified: float
    checksums: Mapping[str, str] = field(default_factory=dict)


class Objects(Protocol):
    """See the module's docstring for what is guaranteed."""

    def create_bucket(self, space: Namespace, name: str, tags: Mapping[str, str]) -> Bucket: ...
    def bucket(self, space: Namespace, name: str) -> Bucket:
        """Raises Fault NoSuchBucket."""
        ...

    def buckets(self, space: Namespace) -> Sequence[Bucket]: ...
    def change_bucket(self, space: Namespace, bucket: Bucket) -> None: ...
    def delete_bucket(self, space: Namespace, name: str) -> None:
        """Raises Fault BucketNotEmpty."""
        ...

    def put(self, space: Namespace, info: ObjectInfo, body: Body, condition: Condition = UNCONDITIONAL) -> ObjectInfo:
        """Stores the body (a file is taken over, not copied); etag, size, modified, blob are filled in here.

        Raises Fault NoSuchBucket, PreconditionFailed, NoSuchKey (If-Match on nothing), InsufficientStorage (full disk).
        """
        ...

    def put_all(self, space: Namespace, puts: Sequence[tuple[ObjectInfo, Body]]) -> list[ObjectInfo]:
        """`put` for several objects, of which all are there afterwards or, where a Fault is raised, none.

        They share what makes a put durable. Of several with one key the last one stays.
        """
        ...

    def head(self, space: Namespace, bucket: str, key: str) -> ObjectInfo:
        """Raises Fault NoSuchBucket or NoSuchKey."""
        ...

    def path(self, space: Namespace, info: ObjectInfo) -> Path:
        """A local file with the object's bytes, read-only; vanishes when the object is overwritten: open it at once."""
        ...

    def link_to(self, space: Namespace, info: ObjectInfo, destination: Path) -> None:
        """Makes `destination` (which must not exist) a read-only file with the object's bytes.

        The object's current bytes, should it have been overwritten since `info` was read; raises Fault NoSuchKey if it
        is gone.
        """
        ...

    def copy(
        self, space: Namespace, source: ObjectInfo, target: ObjectInfo, condition: Condition = UNCONDITIONAL
    ) -> ObjectInfo:
        """Gives `target` the source's bytes, etag and parts; its headers, tags and checksums are its own.

        Raises Faults as `put`, and OperationAborted where the source is not what `source` describes any more.
        """
        ...

    def change(self, space: Namespace, info: ObjectInfo) -> None:
        """Rewrites tags and headers of an object without touching its bytes.

        Raises Fault OperationAborted where the object is not the one that `info` describes any more.
        """
        ...

    def delete(self, space: Namespace, bucket: str, keys: Sequence[str], condition: Condition = UNCONDITIONAL) -> None:
        """Deleting what is not there is no error, as in S3, unless the condition (of every key) asks for it."""
        ...

    def list(
        self, space: Namespace, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing: ...

    def start_upload(self, space: Namespace, upload: Upload) -> Upload: ...
    def upload(self, space: Namespace, bucket: str, key: str, upload_id: str) -> Upload:
        """Raises Fault NoSuchUpload."""
        ...

    def uploads(self, space: Namespace, bucket: str, prefix: str = "") -> Sequence[Upload]: ...
    def put_part(self, space: Namespace, upload: Upload, part: Part, body: Body) -> Part: ...
    def parts(self, space: Namespace, upload: Upload) -> Sequence[Part]: ...
    def complete_upload(
        self,
        space: Namespace,
        upload: Upload,
        parts: Sequence[Part],
        info: ObjectInfo,
        condition: Condition = UNCONDITIONAL,
    ) -> ObjectInfo: ...
    def abort_upload(self, space: Namespace, upload: Upload) -> None: ...
    def close(self) -> None: ...


def every_object(objects: Objects, space: Namespace, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
    """All below a prefix in key order, page by page; folder markers (keys ending in a slash) are left out. Raises Fault
    NoSuchBucket."""
    after: str | None = ""
    while after is not None:
        page = objects.list(space, bucket, prefix, after=after)
        yield from (info for info in page.objects if not info.key.endswith("/"))
        after = page.next_after

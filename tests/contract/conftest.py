"""The object store's adapters, opened for their promise's tests, and what these tests do again and again."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo, Objects, Part, Upload
from tobo.objects.folder import FolderObjects
from tobo.wire.body import Body

HOME = Namespace("111111111111", "us-east-1")
ABROAD = Namespace("111111111111", "eu-central-1")
OTHERS = Namespace("222222222222", "us-east-1")


@pytest.fixture
def open_objects(tmp_path: Path) -> Iterator[Callable[[], Objects]]:
    """Opens the store; called again, it opens the same one anew, as after a restart."""
    stores: list[Objects] = []

    def open_store() -> Objects:
        if stores:
            stores[-1].close()
        stores.append(FolderObjects(tmp_path / "objects", SetClock()))
        return stores[-1]

    yield open_store
    if stores:
        stores[-1].close()


@pytest.fixture
def objects(open_objects: Callable[[], Objects]) -> Objects:
    objects = open_objects()
    objects.create_bucket(HOME, "photos", {})
    return objects


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def info(key: str, bucket: str = "photos", **more: object) -> ObjectInfo:
    return replace(ObjectInfo(bucket, key, 0, "", 0.0), **more)  # type: ignore[arg-type]


def put(objects: Objects, key: str, data: bytes = b"x", **more: object) -> ObjectInfo:
    return objects.put(HOME, info(key, **more), Body(len(data), data))


def data_of(objects: Objects, key: str) -> bytes:
    return objects.path(HOME, objects.head(HOME, "photos", key)).read_bytes()


def blobs(folder: Path) -> list[str]:
    """The names of the files that hold bytes."""
    return [file.name for file in (folder / "objects" / "blobs").rglob("*") if file.is_file()]


def refused(code: str, deed: Callable[[], object]) -> Fault:
    with pytest.raises(Fault) as caught:
        deed()
    assert caught.value.code == code
    return caught.value


def started(objects: Objects, key: str = "big") -> Upload:
    return objects.start_upload(HOME, Upload("photos", key, "", 0.0, metadata={"m": "1"}, checksum_algorithm="CRC32"))


def put_part(objects: Objects, upload: Upload, number: int, data: bytes) -> Part:
    return objects.put_part(HOME, upload, Part(number, 0, "", 0.0, {"ChecksumCRC32": "x"}), Body(len(data), data))

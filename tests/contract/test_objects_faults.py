"""The object store's promise under faults: a crash in the middle of a write, a full disk."""

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest
from tests.contract.conftest import HOME, blobs, data_of, info, put, put_part, refused, started

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo, Objects
from tobo.objects.folder import FolderObjects
from tobo.wire.body import Body

CRASH = """
import os, sys
from pathlib import Path
from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.objects.base import ObjectInfo
from tobo.objects.folder import FolderObjects
from tobo.wire.body import Body
store = FolderObjects(Path(sys.argv[1]), SetClock())
def die(*_): os._exit(9)
setattr(store._index if sys.argv[2].startswith("publish") else store._blobs, sys.argv[2], die)
space, body = Namespace("111111111111", "us-east-1"), Body(3, b"new")
infos = [ObjectInfo("photos", key, 0, "", 0.0) for key in sys.argv[3:]]
if len(infos) == 1:
    store.put(space, infos[0], body)
else:
    store.put_all(space, [(info, body) for info in infos])
"""


@pytest.mark.parametrize(("dies_at", "then"), [("publish", b"old"), ("remove", b"new")])
def test_a_crash_leaves_the_old_or_the_new_object_and_no_rubbish(
    open_objects: Callable[[], Objects], tmp_path: Path, dies_at: str, then: bytes
) -> None:
    """A process dies between the blob's write and the row's, or between the row's and the old blob's end."""
    objects = open_objects()
    objects.create_bucket(HOME, "photos", {})
    put(objects, "a", b"old")
    objects.close()
    died = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path / "objects"), dies_at, "a"], check=False)
    assert died.returncode == 9
    assert len(blobs(tmp_path)) == 2
    objects = open_objects()
    assert data_of(objects, "a") == then
    _wait(lambda: len(blobs(tmp_path)) == 1)
    assert data_of(objects, "a") == then


@pytest.mark.parametrize(
    ("dies_at", "then"), [("publish_all", {"a": b"old"}), ("remove", dict.fromkeys("abc", b"new"))]
)
def test_a_crash_leaves_all_of_a_group_or_none_and_no_rubbish(
    open_objects: Callable[[], Objects], tmp_path: Path, dies_at: str, then: dict[str, bytes]
) -> None:
    objects = open_objects()
    objects.create_bucket(HOME, "photos", {})
    put(objects, "a", b"old")
    objects.close()
    died = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path / "objects"), dies_at, *"abc"], check=False)
    assert died.returncode == 9
    assert len(blobs(tmp_path)) == 4
    objects = open_objects()
    assert {one.key: data_of(objects, one.key) for one in objects.list(HOME, "photos").objects} == then
    _wait(lambda: len(blobs(tmp_path)) == len(then))
    assert {one.key: data_of(objects, one.key) for one in objects.list(HOME, "photos").objects} == then


@pytest.mark.parametrize("spooled", [False, True])
def test_a_put_has_reached_the_disk(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spooled: bool
) -> None:
    """File and folder are synced before the row that names the blob; the index syncs each commit by itself."""
    synced = _spied(monkeypatch)
    body = Body(3, b"abc")
    if spooled:
        (tmp_path / "spooled").write_bytes(b"abc")
        body = Body(3, path=tmp_path / "spooled")
    blob = objects.path(HOME, objects.put(HOME, info("a"), body))
    assert synced == [blob, blob.parent]
    with objects._index.writing() as db:  # type: ignore[attr-defined]
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_group_has_reached_the_disk(objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file, then the folders, then one transaction."""
    (tmp_path / "spooled").write_bytes(b"abc")
    synced = _spied(monkeypatch)
    named: list[set[str]] = []
    publish_all = objects._index.publish_all  # type: ignore[attr-defined]

    def spy(space: Namespace, infos: Sequence[ObjectInfo]) -> list[str]:
        named.append({place.name for place in synced})
        return publish_all(space, infos)  # type: ignore[no-any-return]

    monkeypatch.setattr(objects._index, "publish_all", spy)  # type: ignore[attr-defined]
    bodies = [Body(1, b"x"), Body(3, path=tmp_path / "spooled"), *(Body(2, b"yz") for _ in range(300))]
    stored = objects.put_all(HOME, [(info(str(number)), body) for number, body in enumerate(bodies)])
    places = [objects.path(HOME, one) for one in stored]
    folders = {place.parent for place in places}
    assert len(folders) == 2, "256 blobs share a folder"
    assert synced[: len(places)] == places and set(synced[len(places) :]) == folders
    assert named == [{place.name for place in (*places, *folders)}]


def test_a_disk_that_fails_in_the_middle_of_a_group_leaves_nothing(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(objects, "a", b"old")
    calls = count()

    def fails(file: int) -> None:
        if next(calls) == 2:
            raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="broken"):
        objects.put_all(HOME, [(info(key), Body(3, b"new")) for key in "abcd"])
    assert data_of(objects, "a") == b"old" and len(blobs(tmp_path)) == 1
    assert len(objects.list(HOME, "photos").objects) == 1


def _spied(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What is synced from now on, in order."""
    synced: list[Path] = []
    sync = os.fsync

    def spy(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink())
        sync(file)

    monkeypatch.setattr(os, "fsync", spy)
    return synced


def _wait(until: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if until():
            return
        pause.wait(0.01)
    raise AssertionError("waited 5 seconds in vain")


def test_a_full_disk_is_a_fault_and_older_objects_are_intact(tiny_disk: Path) -> None:
    objects = FolderObjects(tiny_disk / "objects", SetClock())
    try:
        objects.create_bucket(HOME, "photos", {})
        put(objects, "a", b"old")
        upload = started(objects)
        part = put_part(objects, upload, 1, bytes(600_000))
        before = sorted(blobs(tiny_disk))
        big = os.urandom(3 << 20)
        for deed in (
            lambda: put(objects, "a", big),
            lambda: put(objects, "b", big),
            lambda: put_part(objects, upload, 2, big),
            lambda: objects.put_all(HOME, [(info("c"), Body(1, b"x")), (info("a"), Body(len(big), big))]),
        ):
            fault = refused("InsufficientStorage", deed)
            assert fault.status == 507
            assert str(tiny_disk) in fault.message
        assert sorted(blobs(tiny_disk)) == before
        second = put_part(objects, upload, 2, bytes(600_000))
        refused("InsufficientStorage", lambda: objects.complete_upload(HOME, upload, [part, second], info("a")))
        assert len(blobs(tiny_disk)) == 3
        assert data_of(objects, "a") == b"old"
        for key in "bc":
            refused("NoSuchKey", lambda key=key: objects.head(HOME, "photos", key))
        objects.abort_upload(HOME, upload)
        put(objects, "b", b"there is room again")
        assert data_of(objects, "b") == b"there is room again"
    finally:
        objects.close()


def test_a_disk_without_room_for_the_index_is_a_fault(tiny_disk: Path) -> None:
    """The bytes fit, the row does not: filled up to the last page, then small objects until one is refused."""
    objects = FolderObjects(tiny_disk / "objects", SetClock())
    try:
        objects.create_bucket(HOME, "photos", {})
        put(objects, "a", b"old")
        with pytest.raises(OSError), (tiny_disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(4096))
                filler.flush()
        for number in range(2000):
            try:
                put(objects, f"empty/{number}", b"")  # takes no block of its own
            except Fault as fault:
                assert fault.code == "InsufficientStorage"
                break
        else:
            pytest.fail("2000 rows fitted on a full disk")
        assert data_of(objects, "a") == b"old"
        refused("NoSuchKey", lambda: objects.head(HOME, "photos", f"empty/{number}"))
        assert len(blobs(tiny_disk)) == number + 1
        (tiny_disk / "filler").unlink()
        put(objects, "a", b"new")
        assert data_of(objects, "a") == b"new"
    finally:
        objects.close()


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    """What a quota looks like where no file system can be mounted: writing beyond it is refused by the kernel."""
    code = CRASH.replace('Body(3, b"new")', "Body(1 << 20, bytes(1 << 20))").replace("setattr", "(lambda *_: None)")
    seed = FolderObjects(tmp_path / "objects", SetClock())
    seed.create_bucket(HOME, "photos", {})
    put(seed, "a", b"old")
    seed.close()

    def limit() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "objects"), "publish", "a"],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert "InsufficientStorage" in ran.stderr
    again = FolderObjects(tmp_path / "objects", SetClock())
    assert data_of(again, "a") == b"old"
    assert len(blobs(tmp_path)) == 1
    again.close()

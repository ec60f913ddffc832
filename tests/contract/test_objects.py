"""The object store's promise (src/tobo/objects/base.py), asked of every adapter: buckets, bytes, conditions, links, copies."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.conftest import ABROAD, HOME, OTHERS, blobs, data_of, info, put, refused

from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.objects.base import Condition, Objects
from tobo.wire.body import Body


def test_what_is_put_is_found_again_and_after_a_restart(open_objects: Callable[[], Objects]) -> None:
    objects = open_objects()
    objects.create_bucket(HOME, "photos", {"line": "1"})
    given = info(
        "a/b.jpg",
        headers={"ContentType": "image/jpeg"},
        metadata={"camera": "left"},
        tags={"part": "marble"},
        checksums={"ChecksumCRC32": "AAAA", "ChecksumType": "FULL_OBJECT"},
    )
    stored = objects.put(HOME, given, Body(3, b"abc"))
    assert stored.etag == f'"{hashlib.md5(b"abc").hexdigest()}"'
    assert (stored.size, stored.modified) == (3, SetClock().now())
    again = open_objects()
    assert again.head(HOME, "photos", "a/b.jpg") == stored
    assert data_of(again, "a/b.jpg") == b"abc"
    assert again.bucket(HOME, "photos").tags == {"line": "1"}


def test_a_spooled_body_is_taken_over(objects: Objects, tmp_path: Path) -> None:
    spooled = tmp_path / "spooled"
    spooled.write_bytes(b"long body")
    inode = spooled.stat().st_ino
    stored = objects.put(HOME, info("big"), Body(9, path=spooled))
    assert not spooled.exists()
    assert objects.path(HOME, stored).stat().st_ino == inode
    assert stored.etag == f'"{hashlib.md5(b"long body").hexdigest()}"'


def test_bytes_are_read_only(objects: Objects) -> None:
    assert objects.path(HOME, put(objects, "a")).stat().st_mode & 0o777 == 0o444


def test_an_open_reader_survives_overwriting_and_deletion(objects: Objects) -> None:
    first = put(objects, "a", b"old")
    with objects.path(HOME, first).open("rb") as reader:
        put(objects, "a", b"newer")
        objects.delete(HOME, "photos", ["a"])
        assert reader.read() == b"old"
    refused("NoSuchKey", lambda: objects.head(HOME, "photos", "a"))


def test_overwritten_and_deleted_bytes_leave_the_disk(objects: Objects, tmp_path: Path) -> None:
    put(objects, "a", b"old")
    put(objects, "a", b"new")
    put(objects, "b")
    assert len(blobs(tmp_path)) == 2
    objects.delete(HOME, "photos", ["a", "b", "never was"])
    assert blobs(tmp_path) == []


def test_namespaces_are_independent(objects: Objects) -> None:
    put(objects, "a")
    for space in (ABROAD, OTHERS):
        refused("NoSuchBucket", lambda space=space: objects.head(space, "photos", "a"))
        objects.create_bucket(space, "photos", {})
        refused("NoSuchKey", lambda space=space: objects.head(space, "photos", "a"))
        assert [bucket.name for bucket in objects.buckets(space)] == ["photos"]


def test_bucket_refusals(objects: Objects) -> None:
    assert refused("BucketAlreadyOwnedByYou", lambda: objects.create_bucket(HOME, "photos", {})).status == 409
    put(objects, "a")
    assert refused("BucketNotEmpty", lambda: objects.delete_bucket(HOME, "photos")).status == 409
    assert refused("NoSuchBucket", lambda: objects.bucket(HOME, "none")).status == 404
    for deed in (
        lambda: objects.put(HOME, info("a", bucket="none"), Body(1, b"x")),
        lambda: objects.head(HOME, "none", "a"),
        lambda: objects.list(HOME, "none"),
        lambda: objects.delete(HOME, "none", ["a"]),
        lambda: objects.delete_bucket(HOME, "none"),
        lambda: objects.uploads(HOME, "none"),
        lambda: objects.change_bucket(HOME, replace(objects.bucket(HOME, "photos"), name="none")),
    ):
        refused("NoSuchBucket", deed)


def test_a_refused_put_leaves_nothing_behind(objects: Objects, tmp_path: Path) -> None:
    refused("NoSuchBucket", lambda: objects.put(HOME, info("a", bucket="none"), Body(1, b"x")))
    assert blobs(tmp_path) == []


def test_several_puts_at_once_are_as_one_by_one(open_objects: Callable[[], Objects], tmp_path: Path) -> None:
    objects = open_objects()
    objects.create_bucket(HOME, "photos", {})
    put(objects, "a", b"old")
    spooled = tmp_path / "spooled"
    spooled.write_bytes(b"long body")
    stored = objects.put_all(
        HOME,
        [
            (info("a", metadata={"n": "1"}), Body(3, b"new")),
            (info("b"), Body(9, path=spooled)),
            (info("empty"), Body(0, b"")),
            (info("twice"), Body(5, b"first")),
            (info("twice"), Body(4, b"last")),
        ],
    )
    assert [one.size for one in stored] == [3, 9, 0, 5, 4] and not spooled.exists()
    assert [one.etag for one in stored[:2]] == [f'"{hashlib.md5(data).hexdigest()}"' for data in (b"new", b"long body")]
    again = open_objects()
    del stored[3]
    assert again.list(HOME, "photos").objects == stored
    assert [data_of(again, one.key) for one in stored] == [b"new", b"long body", b"", b"last"]
    assert sorted(blobs(tmp_path)) == sorted(one.blob for one in stored)
    assert {again.path(HOME, one).stat().st_mode & 0o777 for one in stored} == {0o444}
    assert again.put_all(HOME, []) == []


def test_of_several_puts_at_once_all_are_refused_or_none(objects: Objects, tmp_path: Path) -> None:
    put(objects, "a", b"old")
    group = [(info("a"), Body(3, b"new")), (info("b"), Body(1, b"x")), (info("c", bucket="none"), Body(1, b"x"))]
    refused("NoSuchBucket", lambda: objects.put_all(HOME, group))
    assert [one.key for one in objects.list(HOME, "photos").objects] == ["a"]
    assert data_of(objects, "a") == b"old" and len(blobs(tmp_path)) == 1


def test_bucket_settings_are_kept(objects: Objects) -> None:
    bucket = objects.bucket(HOME, "photos")
    objects.change_bucket(HOME, replace(bucket, settings={"BucketCors": {"CORSRules": [1]}}, tags={"a": "b"}))
    changed = objects.bucket(HOME, "photos")
    assert (changed.settings, changed.tags) == ({"BucketCors": {"CORSRules": [1]}}, {"a": "b"})


CONDITIONS = [
    (Condition(if_none_match="*"), "a", "PreconditionFailed"),
    (Condition(if_none_match="*"), "new", None),
    (Condition(if_match='"{etag}"'), "a", None),
    (Condition(if_match="{etag}"), "a", None),
    (Condition(if_match='"other", "{etag}"'), "a", None),
    (Condition(if_match="*"), "a", None),
    (Condition(if_match='"other"'), "a", "PreconditionFailed"),
    (Condition(if_match='"other"'), "new", "NoSuchKey"),
    (Condition(if_none_match='"{etag}"'), "a", "PreconditionFailed"),
    (Condition(if_none_match='"other"'), "a", None),
]


@pytest.mark.parametrize(("condition", "key", "code"), CONDITIONS)
def test_a_write_is_conditional(
    objects: Objects, tmp_path: Path, condition: Condition, key: str, code: str | None
) -> None:
    etag = put(objects, "a", b"old").etag.strip('"')
    named = Condition(*(text and text.replace("{etag}", etag) for text in condition))
    if code is None:
        objects.put(HOME, info(key), Body(3, b"new"), named)
        assert data_of(objects, key) == b"new"
    else:
        refused(code, lambda: objects.put(HOME, info(key), Body(3, b"new"), named))
        assert data_of(objects, "a") == b"old"
        assert len(blobs(tmp_path)) == 1


def test_of_concurrent_first_writers_one_wins(objects: Objects) -> None:
    def write(number: int) -> str:
        try:
            objects.put(HOME, info("one"), Body(1, str(number).encode()), Condition(if_none_match="*"))
        except Fault as fault:
            return fault.code
        return "stored"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(write, range(8)))
    assert outcomes == ["PreconditionFailed"] * 7 + ["stored"]


def test_a_conditional_deletion(objects: Objects) -> None:
    put(objects, "a")
    refused("PreconditionFailed", lambda: objects.delete(HOME, "photos", ["a"], Condition(if_match='"other"')))
    objects.delete(HOME, "photos", ["a"], Condition(if_match=objects.head(HOME, "photos", "a").etag))
    refused("NoSuchKey", lambda: objects.head(HOME, "photos", "a"))


def test_readers_see_whole_objects_while_they_are_overwritten(objects: Objects) -> None:
    """A writer overwrites 1 MB of one byte by 1 MB of another; whoever reads sees one of them, whole."""
    put(objects, "a", b"a" * (1 << 20))
    done = threading.Event()

    def write() -> None:
        for letter in b"bcdefgh" * 3:
            put(objects, "a", bytes([letter]) * (1 << 20))
        done.set()

    seen = set()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not done.is_set():
            try:
                data = data_of(objects, "a")
            except FileNotFoundError:
                continue  # overwritten between head and open: who reads looks again
            assert len(data) == 1 << 20
            assert len(set(data)) == 1
            seen.add(data[0])
        writing.result()
    assert seen


def test_a_link_has_the_bytes_without_copying(objects: Objects, tmp_path: Path) -> None:
    stored = put(objects, "a", b"abc")
    objects.link_to(HOME, stored, tmp_path / "linked")
    assert (tmp_path / "linked").stat().st_ino == objects.path(HOME, stored).stat().st_ino
    objects.delete(HOME, "photos", ["a"])
    assert (tmp_path / "linked").read_bytes() == b"abc"


def test_a_link_to_what_was_overwritten_has_the_new_bytes(objects: Objects, tmp_path: Path) -> None:
    old = put(objects, "a", b"old")
    put(objects, "a", b"new")
    objects.link_to(HOME, old, tmp_path / "linked")
    assert (tmp_path / "linked").read_bytes() == b"new"
    objects.delete(HOME, "photos", ["a"])
    refused("NoSuchKey", lambda: objects.link_to(HOME, old, tmp_path / "other"))
    kept = put(objects, "b")
    with pytest.raises(FileNotFoundError):
        objects.link_to(HOME, kept, tmp_path / "no" / "such" / "folder")


def test_a_link_is_a_copy_on_another_file_system(objects: Objects, tiny_disk: Path) -> None:
    stored = put(objects, "a", b"abc")
    objects.link_to(HOME, stored, tiny_disk / "copied")
    assert (tiny_disk / "copied").read_bytes() == b"abc"
    assert (tiny_disk / "copied").stat().st_mode & 0o777 == 0o444


def test_a_copy_outlives_its_source(objects: Objects) -> None:
    source = put(objects, "a", b"abc", metadata={"was": "source"})
    copied = objects.copy(HOME, source, info("b", metadata={"is": "copy"}))
    objects.delete(HOME, "photos", ["a"])
    assert data_of(objects, "b") == b"abc"
    assert (copied.etag, copied.size, copied.metadata) == (source.etag, 3, {"is": "copy"})
    assert objects.head(HOME, "photos", "b") == copied


def test_a_copy_of_what_was_overwritten_is_refused(objects: Objects, tmp_path: Path) -> None:
    """Its checksums would be those of other bytes."""
    old = put(objects, "a", b"old")
    put(objects, "a", b"new")
    assert refused("OperationAborted", lambda: objects.copy(HOME, old, info("b"))).status == 409
    refused("NoSuchKey", lambda: objects.head(HOME, "photos", "b"))
    assert len(blobs(tmp_path)) == 1


def test_a_copy_onto_itself_keeps_the_bytes(objects: Objects) -> None:
    source = put(objects, "a", b"abc")
    objects.copy(HOME, source, info("a", metadata={"new": "1"}))
    assert data_of(objects, "a") == b"abc"
    assert objects.head(HOME, "photos", "a").metadata == {"new": "1"}


def test_a_change_of_what_was_overwritten_is_refused(objects: Objects) -> None:
    old = put(objects, "a")
    objects.change(HOME, replace(old, tags={"k": "v"}))
    assert objects.head(HOME, "photos", "a") == replace(old, tags={"k": "v"})
    put(objects, "a")
    assert refused("OperationAborted", lambda: objects.change(HOME, old)).status == 409

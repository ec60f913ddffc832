"""The object store's promise: multipart uploads."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.contract.conftest import HOME, blobs, data_of, info, put, put_part, refused, started

from tobo.objects.base import Condition, Objects


def test_an_upload_becomes_one_object(open_objects: Callable[[], Objects], tmp_path: Path) -> None:
    objects = open_objects()
    objects.create_bucket(HOME, "photos", {})
    upload = started(objects)
    put_part(objects, upload, 2, b"tail")
    put_part(objects, upload, 1, b"replaced")
    first = put_part(objects, upload, 1, b"head-")
    put_part(objects, upload, 7, b"not chosen")
    objects = open_objects()
    assert objects.upload(HOME, "photos", "big", upload.upload_id) == upload
    parts = objects.parts(HOME, upload)
    assert [part.number for part in parts] == [1, 2, 7]
    assert parts[0] == first
    refused("NoSuchKey", lambda: objects.head(HOME, "photos", "big"))
    whole = objects.complete_upload(HOME, upload, parts[:2], info("big", metadata=upload.metadata))
    digests = b"".join(hashlib.md5(data).digest() for data in (b"head-", b"tail"))
    assert whole.etag == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert data_of(objects, "big") == b"head-tail"
    found = objects.head(HOME, "photos", "big")
    assert (found.size, list(found.parts), found.metadata) == (9, [5, 4], {"m": "1"})
    assert len(blobs(tmp_path)) == 1
    refused("NoSuchUpload", lambda: objects.upload(HOME, "photos", "big", upload.upload_id))


def test_an_upload_of_one_part(objects: Objects) -> None:
    upload = started(objects)
    part = put_part(objects, upload, 3, b"all")
    objects.complete_upload(HOME, upload, [part], info("big"))
    assert data_of(objects, "big") == b"all"


def test_a_refused_completion_changes_nothing(objects: Objects, tmp_path: Path) -> None:
    put(objects, "big", b"old")
    upload = started(objects)
    part = put_part(objects, upload, 1, b"new")
    refused(
        "PreconditionFailed",
        lambda: objects.complete_upload(HOME, upload, [part], info("big"), Condition(if_none_match="*")),
    )
    refused("InvalidPart", lambda: objects.complete_upload(HOME, upload, [replace(part, number=2)], info("big")))
    assert data_of(objects, "big") == b"old"
    assert objects.parts(HOME, upload) == [part]
    assert len(blobs(tmp_path)) == 2


def test_an_aborted_upload_leaves_nothing(objects: Objects, tmp_path: Path) -> None:
    upload = started(objects)
    put_part(objects, upload, 1, b"part")
    objects.abort_upload(HOME, upload)
    assert blobs(tmp_path) == []
    for deed in (
        lambda: objects.abort_upload(HOME, upload),
        lambda: put_part(objects, upload, 1, b"late"),
        lambda: objects.upload(HOME, "photos", "big", upload.upload_id),
    ):
        refused("NoSuchUpload", deed)
    assert blobs(tmp_path) == []


def test_uploads_are_listed_by_key_and_end_with_their_bucket(objects: Objects, tmp_path: Path) -> None:
    for key in ("b", "a/2", "a/1", "é"):
        put_part(objects, started(objects, key), 1, b"part")
    assert [upload.key for upload in objects.uploads(HOME, "photos")] == ["a/1", "a/2", "b", "é"]
    assert [upload.key for upload in objects.uploads(HOME, "photos", "a/")] == ["a/1", "a/2"]
    objects.delete_bucket(HOME, "photos")
    assert blobs(tmp_path) == []

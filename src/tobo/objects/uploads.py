"""The index of multipart uploads: what was started, and which parts it has so far."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.objects.base import Condition, ObjectInfo, Part, Upload
from tobo.objects.index import Index
from tobo.objects.refusals import no_such_upload

_UPLOAD = """
SELECT u.id, u.key, u.started, u.details FROM uploads u JOIN buckets b ON b.id = u.bucket
WHERE b.account = ? AND b.region = ? AND b.name = ?
"""


class Uploads:
    """Rows of uploads and parts, in the index's file."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def start(self, space: Namespace, upload: Upload) -> None:
        details = {
            "headers": dict(upload.headers),
            "metadata": dict(upload.metadata),
            "tags": dict(upload.tags),
            "checksum_algorithm": upload.checksum_algorithm,
            "checksum_type": upload.checksum_type,
        }
        with self._index.writing() as db:
            bucket = self._index.bucket_id(db, space, upload.bucket)
            db.execute(
                "INSERT INTO uploads (id, bucket, key, started, details) VALUES (?, ?, ?, ?, ?)",
                (upload.upload_id, bucket, upload.key.encode(), upload.started, orjson.dumps(details).decode()),
            )

    def find(self, space: Namespace, bucket: str, key: str, upload_id: str) -> Upload:
        """Raises Fault NoSuchBucket or NoSuchUpload."""
        db = self._index.reader()
        row = db.execute(_UPLOAD + " AND u.id = ? AND u.key = ?", (*space, bucket, upload_id, key.encode())).fetchone()
        if row is None:
            self._index.bucket_id(db, space, bucket)
            raise no_such_upload(upload_id)
        return _read_upload(bucket, row)

    def all(self, space: Namespace, bucket: str, prefix: str) -> list[Upload]:
        """In the order of keys, and of their starts for the same key."""
        db = self._index.reader()
        self._index.bucket_id(db, space, bucket)
        under = prefix.encode()
        rows = db.execute(
            _UPLOAD + " AND u.key >= ? AND substr(u.key, 1, ?) = ? ORDER BY u.key, u.started, u.id",
            (*space, bucket, under, len(under), under),
        )
        return [_read_upload(bucket, row) for row in rows]

    def put_part(self, upload: Upload, part: Part, blob: str) -> list[str]:
        """Adds or replaces a part; answers the blobs that it replaced."""
        with self._index.writing() as db:
            self._still_there(db, upload)
            at = (upload.upload_id, part.number)
            replaced = db.execute("SELECT blob FROM parts WHERE upload = ? AND number = ?", at).fetchone()
            db.execute(
                "INSERT OR REPLACE INTO parts (upload, number, size, etag, modified, blob, checksums)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*at, part.size, part.etag, part.modified, blob, orjson.dumps(dict(part.checksums)).decode()),
            )
        return [] if replaced is None else [replaced[0]]

    def parts(self, upload: Upload) -> list[tuple[Part, str]]:
        """Parts with their blobs, by number."""
        rows = self._index.reader().execute(
            "SELECT number, size, etag, modified, checksums, blob FROM parts WHERE upload = ? ORDER BY number",
            (upload.upload_id,),
        )
        return [
            (Part(number, size, etag, modified, orjson.loads(checksums)), blob)
            for number, size, etag, modified, checksums, blob in rows
        ]

    def complete(
        self, space: Namespace, upload: Upload, chosen: Sequence[str], info: ObjectInfo, condition: Condition
    ) -> list[str]:
        """Publishes the object and ends the upload in one transaction; answers the blobs that nobody names any more.

        `chosen` are the blobs that were joined; raises Fault OperationAborted where one was replaced since.
        """
        with self._index.writing() as db:
            self._still_there(db, upload)
            now = self._remove(db, upload)
            if not set(chosen) <= set(now):
                raise Fault("OperationAborted", f"A part of upload '{upload.upload_id}' was replaced meanwhile.", 409)
            return now + self._index.publish_in(db, space, info, condition)

    def abort(self, upload: Upload) -> list[str]:
        """Forgets the upload; answers its blobs."""
        with self._index.writing() as db:
            self._still_there(db, upload)
            return self._remove(db, upload)

    def _still_there(self, db: sqlite3.Connection, upload: Upload) -> None:
        if db.execute("SELECT 1 FROM uploads WHERE id = ?", (upload.upload_id,)).fetchone() is None:
            raise no_such_upload(upload.upload_id)

    def _remove(self, db: sqlite3.Connection, upload: Upload) -> list[str]:
        blobs = [row[0] for row in db.execute("SELECT blob FROM parts WHERE upload = ?", (upload.upload_id,))]
        db.execute("DELETE FROM parts WHERE upload = ?", (upload.upload_id,))
        db.execute("DELETE FROM uploads WHERE id = ?", (upload.upload_id,))
        return blobs


def _read_upload(bucket: str, row: Sequence[Any]) -> Upload:
    upload_id, key, started, details = row
    return Upload(bucket, key.decode(), upload_id, started, **orjson.loads(details))

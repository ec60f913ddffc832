"""The index: which buckets and objects there are, and the name of the blob that holds each object's bytes (SQLite)."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.objects.base import UNCONDITIONAL, Bucket, Condition, ObjectInfo
from tobo.objects.refusals import (
    check_condition,
    naming_a_full_disk,
    no_such_bucket,
    no_such_key,
    overwritten_meanwhile,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, tags TEXT NOT NULL, settings TEXT NOT NULL,
    UNIQUE (account, region, name)
);
CREATE TABLE IF NOT EXISTS objects (
    bucket INTEGER NOT NULL, key BLOB NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, blob TEXT NOT NULL, details TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_blob ON objects (blob);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, started REAL NOT NULL, details TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, started);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, blob TEXT NOT NULL, checksums TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_by_blob ON parts (blob);
"""
# Keys are BLOBs: S3 orders keys by their UTF-8 bytes, and bytes have a successor, which text has not.

_FIND = """
SELECT o.size, o.etag, o.modified, o.blob, o.details FROM buckets b
LEFT JOIN objects o ON o.bucket = b.id AND o.key = ? WHERE b.account = ? AND b.region = ? AND b.name = ?
"""
_FIND_TO_WRITE = """
SELECT b.id, o.etag, o.blob FROM buckets b
LEFT JOIN objects o ON o.bucket = b.id AND o.key = ? WHERE b.account = ? AND b.region = ? AND b.name = ?
"""
_PUBLISH = (
    "INSERT OR REPLACE INTO objects (bucket, key, size, etag, modified, blob, details) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


_NAMED_BLOBS = """
SELECT blob FROM objects WHERE blob > ? AND blob < ? UNION ALL SELECT blob FROM parts WHERE blob > ? AND blob < ?
"""


class Index:
    """One SQLite file: a reading connection a thread, one writing connection under a lock, every commit synced."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._write_lock = threading.Lock()
        with naming_a_full_disk(file.parent):
            self._writer = self._open()
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.executescript(_SCHEMA)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False, timeout=60)
        connection.execute("PRAGMA synchronous = FULL")
        self._opened.append(connection)
        return connection

    def reader(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit: each statement sees one committed state."""
        try:
            connection: sqlite3.Connection = self._local.connection
        except AttributeError:
            connection = self._local.connection = self._open()
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed and synced when the block ends, undone when it raises."""
        with self._write_lock, naming_a_full_disk(self._file.parent):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._write_lock:
            for connection in self._opened:
                connection.close()

    def create_bucket(self, space: Namespace, bucket: Bucket) -> None:
        """Raises Fault BucketAlreadyOwnedByYou."""
        try:
            with self.writing() as db:
                db.execute(
                    "INSERT INTO buckets (account, region, name, created, tags, settings) VALUES (?, ?, ?, ?, ?, ?)",
                    (*space, bucket.name, bucket.created, _text(bucket.tags), _text(bucket.settings)),
                )
        except sqlite3.IntegrityError:
            raise Fault(
                "BucketAlreadyOwnedByYou",
                f"You already have a bucket '{bucket.name}' in region '{space.region}'; use it or take another name.",
                409,
                {"BucketName": bucket.name},
            ) from None

    def bucket(self, space: Namespace, name: str) -> Bucket:
        row = (
            self.reader()
            .execute(
                "SELECT created, tags, settings FROM buckets WHERE account = ? AND region = ? AND name = ?",
                (*space, name),
            )
            .fetchone()
        )
        if row is None:
            raise no_such_bucket(name)
        return Bucket(name, row[0], orjson.loads(row[1]), orjson.loads(row[2]))

    def buckets(self, space: Namespace) -> list[Bucket]:
        rows = self.reader().execute(
            "SELECT name, created, tags, settings FROM buckets WHERE account = ? AND region = ? ORDER BY name", space
        )
        return [Bucket(name, created, orjson.loads(tags), orjson.loads(more)) for name, created, tags, more in rows]

    def bucket_id(self, db: sqlite3.Connection, space: Namespace, name: str) -> int:
        row = db.execute(
            "SELECT id FROM buckets WHERE account = ? AND region = ? AND name = ?", (*space, name)
        ).fetchone()
        if row is None:
            raise no_such_bucket(name)
        found: int = row[0]
        return found

    def change_bucket(self, space: Namespace, bucket: Bucket) -> None:
        with self.writing() as db:
            changed = db.execute(
                "UPDATE buckets SET tags = ?, settings = ? WHERE account = ? AND region = ? AND name = ?",
                (_text(bucket.tags), _text(bucket.settings), *space, bucket.name),
            ).rowcount
            if not changed:
                raise no_such_bucket(bucket.name)

    def delete_bucket(self, space: Namespace, name: str) -> list[str]:
        """Deletes a bucket without objects, and its unfinished uploads; answers the blobs of these."""
        with self.writing() as db:
            bucket = self.bucket_id(db, space, name)
            if db.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone():
                raise Fault(
                    "BucketNotEmpty",
                    f"Bucket '{name}' still has objects; delete them first.",
                    409,
                    {"BucketName": name},
                )
            of_bucket = "(SELECT id FROM uploads WHERE bucket = ?)"
            freed = [row[0] for row in db.execute(f"SELECT blob FROM parts WHERE upload IN {of_bucket}", (bucket,))]
            db.execute(f"DELETE FROM parts WHERE upload IN {of_bucket}", (bucket,))
            db.execute("DELETE FROM uploads WHERE bucket = ?", (bucket,))
            db.execute("DELETE FROM buckets WHERE id = ?", (bucket,))
        return freed

    def find(self, space: Namespace, bucket: str, key: str) -> ObjectInfo:
        """Raises Fault NoSuchBucket or NoSuchKey."""
        row = self.reader().execute(_FIND, (key.encode(), *space, bucket)).fetchone()
        if row is None:
            raise no_such_bucket(bucket)
        if row[3] is None:
            raise no_such_key(bucket, key)
        return read_object(bucket, key, row)

    def publish(self, space: Namespace, info: ObjectInfo, condition: Condition) -> list[str]:
        """Makes `info` the object of its key, and answers the blobs that it replaced."""
        with self.writing() as db:
            return self.publish_in(db, space, info, condition)

    def publish_all(self, space: Namespace, infos: Iterable[ObjectInfo]) -> list[str]:
        """`publish` for several objects in one transaction, without conditions."""
        with self.writing() as db:
            return [blob for info in infos for blob in self.publish_in(db, space, info, UNCONDITIONAL)]

    def publish_in(self, db: sqlite3.Connection, space: Namespace, info: ObjectInfo, condition: Condition) -> list[str]:
        """`publish` inside a transaction that does more."""
        key = info.key.encode()
        row = db.execute(_FIND_TO_WRITE, (key, *space, info.bucket)).fetchone()
        if row is None:
            raise no_such_bucket(info.bucket)
        bucket, etag, replaced = row
        check_condition(condition, etag, info.bucket, info.key)
        db.execute(_PUBLISH, (bucket, key, info.size, info.etag, info.modified, info.blob, _details(info)))
        return [] if replaced is None else [replaced]

    def change(self, space: Namespace, info: ObjectInfo) -> None:
        """Raises Fault OperationAborted where the key has other bytes by now."""
        with self.writing() as db:
            bucket = self.bucket_id(db, space, info.bucket)
            changed = db.execute(
                "UPDATE objects SET details = ? WHERE bucket = ? AND key = ? AND blob = ?",
                (_details(info), bucket, info.key.encode(), info.blob),
            ).rowcount
        if not changed:
            raise overwritten_meanwhile(info.key)

    def delete(self, space: Namespace, name: str, keys: Sequence[str], condition: Condition) -> list[str]:
        """Deletes all keys in one transaction; answers their blobs."""
        freed: list[str] = []
        with self.writing() as db:
            bucket = self.bucket_id(db, space, name)
            for key in keys:
                at = (bucket, key.encode())
                row = db.execute("SELECT etag, blob FROM objects WHERE bucket = ? AND key = ?", at).fetchone()
                check_condition(condition, row and row[0], name, key)
                if row is not None:
                    db.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", at)
                    freed.append(row[1])
        return freed

    def named_blobs(self, folder: str) -> set[str]:
        """The blobs of a folder (their names' first two characters) that an object or a part names."""
        within = (folder, f"{folder}g")  # names are hexadecimal: "g" is behind them all
        return {row[0] for row in self.reader().execute(_NAMED_BLOBS, within + within)}


def read_object(bucket: str, key: str, row: Sequence[Any]) -> ObjectInfo:
    """An ObjectInfo of the columns size, etag, modified, blob, details."""
    size, etag, modified, blob, details = row
    return ObjectInfo(bucket, key, size, etag, modified, blob=blob, **orjson.loads(details))


def _details(info: ObjectInfo) -> str:
    named = {
        "headers": info.headers,
        "metadata": info.metadata,
        "tags": info.tags,
        "checksums": info.checksums,
        "parts": info.parts,
    }
    return _text({name: value for name, value in named.items() if value})


def _text(value: Mapping[str, object]) -> str:
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> object:
    """Mappings and sequences that are not dict, list or tuple."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(type(value).__name__)

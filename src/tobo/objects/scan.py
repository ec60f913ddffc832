"""Listing: a page of keys in UTF-8 byte order, where a delimiter's common prefixes are leapt over, not read through."""

import sqlite3

from tobo.objects.base import Listing, ObjectInfo
from tobo.objects.index import read_object

_FROM = "SELECT key, size, etag, modified, blob, details FROM objects WHERE bucket = ? AND key >= ? ORDER BY key"


def scan(
    db: sqlite3.Connection, bucket: str, bucket_id: int, prefix: str, delimiter: str, after: str, limit: int
) -> Listing:
    """Keys and common prefixes under `prefix` and behind `after` (a key, or a common prefix with all that is under it).

    Costs O(keys given + prefixes given), however many keys lie under a prefix: each common prefix ends the cursor, and
    the next one starts behind everything that has it (a skip scan).
    """
    objects: list[ObjectInfo] = []
    prefixes: list[str] = []
    if limit <= 0:
        return Listing(objects, prefixes, None)
    under, mark = prefix.encode(), delimiter.encode()
    start: bytes | None = max(under, _behind(after.encode(), under, mark))
    last = ""
    while start is not None:
        cursor, start = db.execute(_FROM, (bucket_id, start)), None
        for key, *columns in cursor:
            if not key.startswith(under):
                break
            if len(objects) + len(prefixes) == limit:
                cursor.close()
                return Listing(objects, prefixes, last)
            at = key.find(mark, len(under)) if mark else -1
            if at >= 0:
                common = key[: at + len(mark)]
                last = common.decode()
                prefixes.append(last)
                start = _successor(common)
                break
            last = key.decode()
            objects.append(read_object(bucket, last, columns))
        cursor.close()
    return Listing(objects, prefixes, None)


def _behind(after: bytes, under: bytes, mark: bytes) -> bytes:
    """Where a page behind `after` begins: its next key, or, when it is a common prefix, the end of what is under it."""
    if not after:
        return b""
    at = after.find(mark, len(under)) if mark and after.startswith(under) else -1
    is_common_prefix = at >= 0 and at + len(mark) == len(after)
    return _successor(after) if is_common_prefix else after + b"\0"


def _successor(prefix: bytes) -> bytes:
    """The least byte string behind all that start with `prefix`; UTF-8 has no 0xff, so the last byte can grow."""
    return prefix[:-1] + bytes([prefix[-1] + 1])

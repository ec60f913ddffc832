"""The object store's refusals, in S3's codes (Amazon S3 API Reference, "Error responses")."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tobo.kit.fault import Fault
from tobo.objects.base import Condition

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_such_bucket(name: str) -> Fault:
    return Fault(
        "NoSuchBucket",
        f"The bucket '{name}' does not exist in this account and region; create it or change the region.",
        404,
        {"BucketName": name},
    )


def no_such_key(bucket: str, key: str) -> Fault:
    return Fault("NoSuchKey", f"There is no object '{key}' in bucket '{bucket}'.", 404, {"Key": key})


def no_such_upload(upload_id: str) -> Fault:
    return Fault(
        "NoSuchUpload",
        f"There is no multipart upload '{upload_id}' of this key; it may have been completed or aborted.",
        404,
        {"UploadId": upload_id},
    )


def overwritten_meanwhile(key: str) -> Fault:
    return Fault("OperationAborted", f"The object '{key}' was overwritten or deleted meanwhile; try again.", 409)


def precondition_failed(header: str, key: str) -> Fault:
    return Fault(
        "PreconditionFailed",
        f"The object '{key}' does not meet the precondition {header}; read its state again and decide anew.",
        412,
        {"Condition": header},
    )


def check_condition(condition: Condition, etag: str | None, bucket: str, key: str) -> None:
    """Raises Fault PreconditionFailed (412), or NoSuchKey (404) for If-Match where there is no object (`etag` None)."""
    if condition.if_match is not None:
        if etag is None:
            raise no_such_key(bucket, key)
        if not names_etag(condition.if_match, etag):
            raise precondition_failed("If-Match", key)
    if condition.if_none_match is not None and etag is not None and names_etag(condition.if_none_match, etag):
        raise precondition_failed("If-None-Match", key)


def names_etag(header: str, etag: str) -> bool:
    """Whether an If-Match or If-None-Match header ("*", one or several entity tags, quoted or not) names `etag`."""
    bare = etag.strip('"')
    return header.strip() == "*" or any(tag.strip().removeprefix("W/").strip('"') == bare for tag in header.split(","))


@contextmanager
def naming_a_full_disk(folder: Path) -> Iterator[None]:
    """Turns "no space left", an exceeded quota or file size limit into Fault InsufficientStorage.

    HTTP 507, because clients retry 500, 502, 503 and 504, and a full disk does not mend itself by being asked again.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _disk_full(folder) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
            raise
        raise _disk_full(folder) from error


def _disk_full(folder: Path) -> Fault:
    return Fault(
        "InsufficientStorage",
        f"The disk that holds '{folder}' is full, so nothing was stored; free space there or move the state folder.",
        507,
    )

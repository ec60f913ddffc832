"""Archives: one small file out of a model.tar.gz in S3, read in the name of who looks."""

import os
import tarfile
import zlib
from functools import lru_cache
from typing import Any

from tobo.console.visit import Visit
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri

LARGEST = 512 << 20
"""Bytes of an archive that a page looks into."""

MEMBER = 4 << 20


def member_of(visit: Visit, address: str, name: str) -> bytes | None:
    """The file of that name at the archive's root; None where there is none, or the key may not read the archive."""
    try:
        uri = parse_s3_uri(address, "the archive's address")
        head = visit.quietly("s3", "HeadObject", Bucket=uri.bucket, Key=uri.key)
    except Fault:
        return None
    if head["ContentLength"] > LARGEST:
        return None
    found = _remembered(head["ETag"], name)
    if not found:
        body = visit.quietly("s3", "GetObject", Bucket=uri.bucket, Key=uri.key)["Body"]
        found.append(_extract(body, name))
    return found[0]


@lru_cache(256)
def _remembered(etag: str, name: str) -> list[bytes | None]:
    """What was found, by the digest of the archive: unpacking it anew for each page would cost more than the page."""
    return []


def _extract(body: Any, name: str) -> bytes | None:
    try:
        os.lseek(body.file, body.offset, os.SEEK_SET)
        with os.fdopen(os.dup(body.file), "rb") as file, tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                if member.name.removeprefix("./") == name and member.isfile() and member.size <= MEMBER:
                    content = archive.extractfile(member)
                    return None if content is None else content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        return None
    finally:
        os.close(body.file)
    return None

"""Reading from S3 in the name of who looks: an object, its beginning, one file of an archive, what an image is."""

import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from tobo.console.visit import Visit
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri

LARGEST_ARCHIVE = 512 << 20
"""Bytes of an archive that a page looks into."""

_MOST_REMEMBERED = 256
_remembered: dict[tuple[S3Uri, str, str], bytes | None] = {}
"""Small files by archive, its ETag and their name: unpacking a model for each page would cost more than the page."""


class BadArchive(Exception):
    """What lies there is no archive, or is cut off; the text says why."""


def read_object(visit: Visit, bucket: str, key: str, first: int | None = None) -> bytes:
    """An object's bytes, or its `first` ones; b"" of an empty object. Raises GetObject's Faults."""
    span = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
    try:
        with _opened(visit, bucket, key, **span) as (file, length):
            return file.read(length)
    except Fault as fault:
        if fault.code == "InvalidRange":
            return b""
        raise


def read_member(visit: Visit, at: S3Uri, name: str, most: int) -> bytes | None:
    """The file of that name at the root of a tar archive; None where there is none of at most `most` bytes.

    Raises BadArchive, and GetObject's Faults.
    """
    try:
        with _opened(visit, at.bucket, at.key) as (file, _), tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                if member.name.removeprefix("./") == name and member.isfile() and member.size <= most:
                    content = archive.extractfile(member)
                    return None if content is None else content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise BadArchive(str(error)) from None
    return None


def small_member(visit: Visit, address: str, name: str, most: int = 4 << 20) -> bytes | None:
    """`read_member` where a page can do without: None as well for what cannot be read, or not by this key."""
    try:
        at = parse_s3_uri(address, "the archive's address")
        head = visit.quietly("s3", "HeadObject", Bucket=at.bucket, Key=at.key)
        known = at, head["ETag"], name
        if known not in _remembered:
            if head["ContentLength"] > LARGEST_ARCHIVE:
                return None
            if len(_remembered) >= _MOST_REMEMBERED:
                _remembered.clear()
            _remembered[known] = read_member(visit, at, name, most)
    except (Fault, BadArchive):
        return None
    return _remembered.get(known)


def image_type(start: bytes) -> str | None:
    """The media type that the first bytes show (WHATWG MIME Sniffing, 6.1); None for what is no image of these."""
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    known = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"))
    found = next((name for magic, name in (*known, (b"BM", "bmp")) if start.startswith(magic)), None)
    return None if found is None else f"image/{found}"


@contextmanager
def _opened(visit: Visit, bucket: str, key: str, **asked: Any) -> Iterator[tuple[IO[bytes], int]]:
    """The object's file where its bytes begin, and how many of them are meant."""
    body = visit.quietly("s3", "GetObject", Bucket=bucket, Key=key, **asked)["Body"]
    with os.fdopen(body.file, "rb") as file:
        file.seek(body.offset)
        yield file, body.length

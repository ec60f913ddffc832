"""Previews of pictures in S3, for thumbnails: what their first bytes show to be an image, and nothing else."""

import os

from starlette.responses import Response

from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

MOST_BYTES = 32 << 20
"""Of a picture that is shown."""


@shown("/s3/preview")
def _preview(visit: Visit) -> Response:
    """The bytes of ?bucket=&key=. Raises Fault UnsupportedMediaType (415) for what is no image."""
    bucket, key = visit.query.get("bucket", ""), visit.query.get("key", "")
    if visit.quietly("s3", "HeadObject", Bucket=bucket, Key=key)["ContentLength"] > MOST_BYTES:
        raise Fault("UnsupportedMediaType", f"Pictures of more than {MOST_BYTES >> 20} MiB are not shown.", 415)
    data = read_object(visit, bucket, key)
    kind = image_type(data)
    if kind is None:
        raise Fault("UnsupportedMediaType", "The object is no PNG, JPEG, GIF, WebP, BMP or AVIF.", 415)
    headers = {"Cache-Control": "private, max-age=60", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return Response(data, media_type=kind, headers=headers)


def image_type(start: bytes) -> str | None:
    """The media type that the first bytes show (WHATWG MIME Sniffing, 6.1); None for what is no image of these."""
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    known = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"))
    found = next((name for magic, name in (*known, (b"BM", "bmp")) if start.startswith(magic)), None)
    return None if found is None else f"image/{found}"


def read_object(visit: Visit, bucket: str, key: str, first: int | None = None) -> bytes:
    """An object's bytes, or its `first` ones; b"" of an empty object. Raises GetObject's Faults."""
    span = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
    try:
        body = visit.quietly("s3", "GetObject", Bucket=bucket, Key=key, **span)["Body"]
    except Fault as fault:
        if fault.code == "InvalidRange":
            return b""
        raise
    try:
        return os.pread(body.file, body.length, body.offset)
    finally:
        os.close(body.file)


SCREENS: tuple[Screen, ...] = (_preview,)

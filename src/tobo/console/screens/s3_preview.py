"""Previews of pictures in S3, for thumbnails: what their first bytes show to be an image, and nothing else."""

from starlette.responses import Response

from tobo.console.reading import image_type, read_object
from tobo.console.routing import Screen, shown
from tobo.console.safe_bytes import picture
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
    return picture(data, kind)


SCREENS: tuple[Screen, ...] = (_preview,)

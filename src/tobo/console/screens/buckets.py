"""Buckets: the list, making one, removing an empty one."""

from starlette.responses import Response

from tobo.console.choices import create_bucket
from tobo.console.lists import addresses
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

PAGE = 100


@shown("/s3")
def _list(visit: Visit) -> Response:
    asked = {"Prefix": visit.query.get("name"), "ContinuationToken": visit.query.get("token"), "MaxBuckets": PAGE}
    found = visit.call("s3", "ListBuckets", **{name: value for name, value in asked.items() if value})
    return visit.page(
        "s3/buckets.html",
        buckets=found["Buckets"],
        next_token=found.get("ContinuationToken"),
        at=addresses(visit, "s3"),
        bucket_url=bucket_url,
    )


@posted("/s3")
def _create(visit: Visit) -> Response:
    name = fields_of(visit.form).get("bucket", "")
    if not name:
        raise Fault("ValidationException", "A bucket needs a name, such as marbles-photos.")
    create_bucket(visit, name)
    return visit.done(bucket_url(name), f"Bucket {name} is there.")


@posted("/s3/{bucket}/remove")
def _remove(visit: Visit) -> Response:
    """An empty one; of another S3 says that it is not empty."""
    bucket = visit.path["bucket"]
    visit.change("s3", "DeleteBucket", Bucket=bucket)
    return visit.done(url("s3"), f"Bucket {bucket} is deleted.")


def bucket_path(bucket: str) -> tuple[str, ...]:
    """The parts of a bucket's address; s3/preview is that of pictures, though a bucket may be called so."""
    return ("s3", bucket, "") if bucket == "preview" else ("s3", bucket)


def bucket_url(bucket: str, **query: str | None) -> str:
    """A bucket's page."""
    return url(*bucket_path(bucket), **query)


SCREENS: tuple[Screen, ...] = (_list, _create, _remove)

"""ListObjects, ListObjectsV2, ListObjectVersions."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tobo.kit.fault import Fault
from tobo.objects.base import Listing, ObjectInfo
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, bucket_arn, owner
from tobo.resources.buckets.checksums import algorithms_in
from tobo.resources.buckets.tokens import read_token, write_token

PAGE = 1000


@operation("s3", "ListObjects", action="s3:ListBucket", resource=bucket_arn)
def list_objects(call: Call, asked: Asked) -> dict[str, Any]:
    written = key_writer(asked)
    page = _page(call, asked, asked.get("Marker") or "")
    answer = _told(asked, page)
    answer["Marker"] = written(asked.get("Marker") or "")
    if page.next_after is not None and asked.get("Delimiter"):
        answer["NextMarker"] = written(page.next_after)  # without a delimiter the last key continues, as S3 has it
    answer["Contents"] = [{**_summary(info, written), "Owner": owner(call)} for info in page.objects]
    return answer


@operation("s3", "ListObjectsV2", action="s3:ListBucket", resource=bucket_arn)
def list_objects_v2(call: Call, asked: Asked) -> dict[str, Any]:
    written = key_writer(asked)
    token = asked.get("ContinuationToken")
    page = _page(call, asked, asked.get("StartAfter") or "" if token is None else read_token(token))
    answer = _told(asked, page)
    answer["KeyCount"] = len(page.objects) + len(page.prefixes)
    if token is not None:
        answer["ContinuationToken"] = token
    if asked.get("StartAfter"):
        answer["StartAfter"] = written(asked["StartAfter"])
    if page.next_after is not None:
        answer["NextContinuationToken"] = write_token(page.next_after)
    more = {"Owner": owner(call)} if asked.get("FetchOwner") else {}
    answer["Contents"] = [{**_summary(info, written), **more} for info in page.objects]
    return answer


@operation("s3", "ListObjectVersions", action="s3:ListBucketVersions", resource=bucket_arn)
def list_object_versions(call: Call, asked: Asked) -> dict[str, Any]:
    """Each object is its own only version, "null"."""
    written = key_writer(asked)
    page = _page(call, asked, asked.get("KeyMarker") or "")
    answer = _told(asked, page)
    answer["KeyMarker"] = written(asked.get("KeyMarker") or "")
    answer["VersionIdMarker"] = asked.get("VersionIdMarker") or ""
    if page.next_after is not None:
        answer["NextKeyMarker"] = written(page.next_after)
        answer["NextVersionIdMarker"] = "null"
    answer["Versions"] = [
        {**_summary(info, written), "VersionId": "null", "IsLatest": True, "Owner": owner(call)}
        for info in page.objects
    ]
    return answer


def key_writer(asked: Asked) -> Callable[[str], str]:
    """How keys are written in this answer: as they are, or percent-encoded for EncodingType=url."""
    if asked.get("EncodingType") == "url":
        return lambda key: quote(key, safe="/*-._")
    return lambda key: key


def page_size(asked: Asked, member: str) -> int:
    """MaxKeys and its like: up to 1000; raises Fault InvalidArgument for a negative one."""
    asked_size: int | None = asked.get(member)
    if asked_size is None:
        return PAGE
    if asked_size < 0:
        raise Fault(
            "InvalidArgument",
            f"{member} is {asked_size}; it must be 0 to {PAGE}.",
            members={"ArgumentName": member, "ArgumentValue": str(asked_size)},
        )
    return min(asked_size, PAGE)


def _page(call: Call, asked: Asked, after: str) -> Listing:
    bucket = asked_bucket(call, asked).name
    prefix, delimiter = asked.get("Prefix") or "", asked.get("Delimiter") or ""
    return call.context.objects.list(call.space, bucket, prefix, delimiter, after, page_size(asked, "MaxKeys"))


def _told(asked: Asked, page: Listing) -> dict[str, Any]:
    """The members that all three answers share."""
    written = key_writer(asked)
    answer: dict[str, Any] = {
        "Name": asked["Bucket"],
        "Prefix": written(asked.get("Prefix") or ""),
        "MaxKeys": page_size(asked, "MaxKeys"),
        "IsTruncated": page.next_after is not None,
        "CommonPrefixes": [{"Prefix": written(prefix)} for prefix in page.prefixes],
    }
    if asked.get("Delimiter"):
        answer["Delimiter"] = written(asked["Delimiter"])
    if asked.get("EncodingType"):
        answer["EncodingType"] = asked["EncodingType"]
    return answer


def _summary(info: ObjectInfo, written: Callable[[str], str]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "Key": written(info.key),
        "LastModified": int(info.modified),
        "ETag": info.etag,
        "Size": info.size,
        "StorageClass": info.headers.get("StorageClass", "STANDARD"),
    }
    if info.checksums:
        summary["ChecksumAlgorithm"] = algorithms_in(info.checksums)
        summary["ChecksumType"] = info.checksums["ChecksumType"]
    return summary

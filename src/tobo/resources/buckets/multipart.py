"""Multipart uploads: CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload, ListMultipartUploads."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo, Part, Upload
from tobo.objects.digests import etag_of_parts
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, bucket_arn, check_owner, checked_key, object_arn, owner
from tobo.resources.buckets.checksums import claimed_checksums, compare_whole, kind_of_upload, of_parts
from tobo.resources.buckets.conditions import write_condition
from tobo.resources.buckets.describing import check_built, encryption, headers_of, metadata_of, stored
from tobo.resources.buckets.listing import key_writer, page_size
from tobo.resources.buckets.tags import tags_of_header

LEAST_PART = 5 << 20
"""Bytes of every part but the last (S3 User Guide, "Amazon S3 multipart upload limits")."""


@operation("s3", "CreateMultipartUpload", action="s3:PutObject", resource=object_arn)
def create_multipart_upload(call: Call, asked: Asked) -> dict[str, Any]:
    check_owner(call, asked)
    check_built(asked)
    algorithm = asked.get("ChecksumAlgorithm")
    upload = Upload(
        bucket=asked["Bucket"],
        key=checked_key(asked["Key"]),
        upload_id="",
        started=0.0,
        headers=headers_of(asked),
        metadata=metadata_of(asked),
        tags=tags_of_header(asked.get("Tagging")),
        checksum_algorithm=algorithm,
        checksum_type=kind_of_upload(algorithm, asked.get("ChecksumType")),
    )
    started = call.context.objects.start_upload(call.space, upload)
    answer: dict[str, Any] = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": started.upload_id}
    if algorithm is not None:
        answer.update(ChecksumAlgorithm=algorithm, ChecksumType=upload.checksum_type)
    return {**answer, **encryption(_object_of(upload, {}))}


@operation("s3", "CompleteMultipartUpload", action="s3:PutObject", resource=object_arn)
def complete_multipart_upload(call: Call, asked: Asked) -> dict[str, Any]:
    """Safe to repeat, for a client whose first answer got lost: what it completed before is answered again."""
    try:
        info = _complete(call, asked)
    except Fault as fault:
        before = _completed_before(call, asked) if fault.code in ("NoSuchUpload", "OperationAborted") else None
        if before is None:
            raise
        info = before
    settings = call.context.settings
    location = f"http://{settings.host}:{settings.port}/{info.bucket}/{quote(info.key)}"
    return {"Location": location, "Bucket": info.bucket, "Key": info.key, **stored(info)}


@operation("s3", "AbortMultipartUpload", resource=object_arn)
def abort_multipart_upload(call: Call, asked: Asked) -> dict[str, Any]:
    call.context.objects.abort_upload(call.space, asked_upload(call, asked))
    return {}


@operation("s3", "ListMultipartUploads", action="s3:ListBucketMultipartUploads", resource=bucket_arn)
def list_multipart_uploads(call: Call, asked: Asked) -> dict[str, Any]:
    bucket = asked_bucket(call, asked).name
    written, limit = key_writer(asked), page_size(asked, "MaxUploads")
    prefix, delimiter = asked.get("Prefix") or "", asked.get("Delimiter") or ""
    uploads = call.context.objects.uploads(call.space, bucket, prefix)
    behind = _behind(uploads, asked.get("KeyMarker") or "", asked.get("UploadIdMarker"), delimiter)
    page, prefixes, is_truncated = _rolled_up(behind, prefix, delimiter, limit)
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "KeyMarker": written(asked.get("KeyMarker") or ""),
        "UploadIdMarker": asked.get("UploadIdMarker") or "",
        "Prefix": written(prefix),
        "MaxUploads": limit,
        "IsTruncated": is_truncated,
        "Uploads": [_summary(call, upload, written(upload.key)) for upload in page],
        "CommonPrefixes": [{"Prefix": written(prefix)} for prefix in prefixes],
    }
    if delimiter:
        answer["Delimiter"] = written(delimiter)
    if asked.get("EncodingType"):
        answer["EncodingType"] = asked["EncodingType"]
    if is_truncated and (page or prefixes):
        last_prefix = prefixes[-1] if prefixes else ""
        if page and page[-1].key.encode() > last_prefix.encode():
            answer.update(NextKeyMarker=written(page[-1].key), NextUploadIdMarker=page[-1].upload_id)
        else:
            answer["NextKeyMarker"] = written(last_prefix)
    return answer


def asked_upload(call: Call, asked: Asked) -> Upload:
    """The upload of a request; raises Fault NoSuchBucket, NoSuchUpload, AccessDenied."""
    check_owner(call, asked)
    return call.context.objects.upload(call.space, asked["Bucket"], checked_key(asked["Key"]), asked["UploadId"])


def _complete(call: Call, asked: Asked) -> ObjectInfo:
    upload = asked_upload(call, asked)
    parts = _chosen_parts(asked, upload, call.context.objects.parts(call.space, upload))
    size = sum(part.size for part in parts)
    if asked.get("MpuObjectSize") not in (None, size):
        raise Fault("InvalidRequest", f"The parts have {size} bytes, not the expected {asked['MpuObjectSize']}.")
    if asked.get("ChecksumType") not in (None, upload.checksum_type):
        raise Fault("InvalidRequest", f"The upload's checksum type is {upload.checksum_type}; give that or none.")
    checksums = of_parts(upload.checksum_algorithm, upload.checksum_type, parts)
    compare_whole(asked, checksums)
    info = _object_of(upload, checksums)
    return call.context.objects.complete_upload(call.space, upload, parts, info, write_condition(asked))


def _completed_before(call: Call, asked: Asked) -> ObjectInfo | None:
    """The key's object, if it is made of just the parts that are named."""
    named = (asked.get("MultipartUpload") or {}).get("Parts") or []
    try:
        info = call.context.objects.head(call.space, asked["Bucket"], asked["Key"])
        return info if info.etag == etag_of_parts(entry.get("ETag") or "" for entry in named) else None
    except (Fault, ValueError):
        return None


def _object_of(upload: Upload, checksums: Mapping[str, str]) -> ObjectInfo:
    return ObjectInfo(
        bucket=upload.bucket,
        key=upload.key,
        size=0,
        etag="",
        modified=0.0,
        headers=upload.headers,
        metadata=upload.metadata,
        tags=upload.tags,
        checksums=checksums,
    )


def _chosen_parts(asked: Asked, upload: Upload, there: Sequence[Part]) -> list[Part]:
    """The parts that the request names; raises Fault MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall."""
    named = (asked.get("MultipartUpload") or {}).get("Parts") or []
    if not named or any(entry.get("PartNumber") is None for entry in named):
        raise Fault("MalformedXML", "CompleteMultipartUpload names no parts; give each part's PartNumber and ETag.")
    numbers = [entry["PartNumber"] for entry in named]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise Fault("InvalidPartOrder", "The list of parts was not in ascending order; sort it by PartNumber.")
    by_number = {part.number: part for part in there}
    chosen = [_chosen(entry, by_number.get(entry["PartNumber"]), upload) for entry in named]
    for part in chosen[:-1]:
        if part.size < LEAST_PART:
            raise Fault(
                "EntityTooSmall",
                f"Part {part.number} has {part.size} bytes; every part but the last needs at least {LEAST_PART}.",
                members={
                    "ProposedSize": str(part.size),
                    "MinSizeAllowed": str(LEAST_PART),
                    "PartNumber": str(part.number),
                    "ETag": part.etag.strip('"'),
                },
            )
    return chosen


def _chosen(entry: Asked, part: Part | None, upload: Upload) -> Part:
    claimed = claimed_checksums(entry)
    if (
        part is None
        or (entry.get("ETag") or "").strip('"') != part.etag.strip('"')
        or any(part.checksums.get(member, value) != value for member, value in claimed.items())
    ):
        raise Fault(
            "InvalidPart",
            f"Part {entry['PartNumber']} could not be found: it was not uploaded, or its ETag or checksum is another.",
            members={"UploadId": upload.upload_id, "PartNumber": str(entry["PartNumber"])},
        )
    return part


def _behind(uploads: Sequence[Upload], key_marker: str, id_marker: str | None, delimiter: str) -> list[Upload]:
    """Uploads behind the markers: the id counts for the marker's own key, a common prefix for all that is under it."""
    mark = key_marker.encode()
    behind = [upload for upload in uploads if upload.key.encode() > mark]
    if delimiter and key_marker.endswith(delimiter):
        return [upload for upload in behind if not upload.key.startswith(key_marker)]
    ids = [upload.upload_id for upload in uploads if upload.key == key_marker]
    if id_marker in ids:
        later = ids[ids.index(id_marker) + 1 :]
        behind = [upload for upload in uploads if upload.upload_id in later] + behind
    return behind


def _rolled_up(
    uploads: Sequence[Upload], prefix: str, delimiter: str, limit: int
) -> tuple[list[Upload], list[str], bool]:
    """(uploads, common prefixes, whether there is more) of one page."""
    page: list[Upload] = []
    prefixes: list[str] = []
    for upload in uploads:
        at = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        common = upload.key[: at + len(delimiter)] if at >= 0 else None
        if common is not None and prefixes and prefixes[-1] == common:
            continue
        if len(page) + len(prefixes) == limit:
            return page, prefixes, True
        if common is None:
            page.append(upload)
        else:
            prefixes.append(common)
    return page, prefixes, False


def _summary(call: Call, upload: Upload, key: str) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "UploadId": upload.upload_id,
        "Key": key,
        "Initiated": int(upload.started),
        "StorageClass": upload.headers.get("StorageClass", "STANDARD"),
        "Owner": owner(call),
        "Initiator": owner(call),
    }
    if upload.checksum_algorithm is not None:
        summary.update(ChecksumAlgorithm=upload.checksum_algorithm, ChecksumType=upload.checksum_type)
    return summary

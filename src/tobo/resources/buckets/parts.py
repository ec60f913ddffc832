"""The parts of an upload: UploadPart, UploadPartCopy, ListParts."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo, Part, Upload
from tobo.objects.refusals import naming_a_full_disk, overwritten_meanwhile
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import copy_source, object_arn, owner
from tobo.resources.buckets.checksums import verified
from tobo.resources.buckets.conditions import Span, check_copy_source, copy_span
from tobo.resources.buckets.describing import check_built
from tobo.resources.buckets.listing import page_size
from tobo.resources.buckets.multipart import asked_upload
from tobo.resources.buckets.objects import SIZE_LIMIT, body_of
from tobo.wire.body import Body

LAST_NUMBER = 10_000
_PIECE = 1 << 20


@operation("s3", "UploadPart", action="s3:PutObject", resource=object_arn)
def upload_part(call: Call, asked: Asked) -> dict[str, Any]:
    check_built(asked)
    upload = asked_upload(call, asked)
    body = body_of(asked)
    part = _stored_part(call, asked, upload, body)
    return {"ETag": part.etag, **part.checksums}


@operation("s3", "UploadPartCopy", action="s3:PutObject", resource=object_arn)
def upload_part_copy(call: Call, asked: Asked) -> dict[str, Any]:
    check_built(asked)
    upload = asked_upload(call, asked)
    source = copy_source(call, asked)
    check_copy_source(asked, source)
    piece = copy_span(asked.get("CopySourceRange"), source)
    if piece.length > SIZE_LIMIT:
        raise Fault("InvalidRequest", "The copied range is larger than 5 GiB; copy it in several parts.")
    with _slice(call, source, piece) as body:
        part = _stored_part(call, asked, upload, body)
    result = {"ETag": part.etag, "LastModified": int(part.modified), **part.checksums}
    return {"CopyPartResult": result}


@operation("s3", "ListParts", action="s3:ListMultipartUploadParts", resource=object_arn)
def list_parts(call: Call, asked: Asked) -> dict[str, Any]:
    upload = asked_upload(call, asked)
    marker, limit = marker_of(asked.get("PartNumberMarker")), page_size(asked, "MaxParts")
    behind = [part for part in call.context.objects.parts(call.space, upload) if part.number > marker]
    page = behind[:limit]
    answer: dict[str, Any] = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "PartNumberMarker": marker,
        "MaxParts": limit,
        "IsTruncated": len(behind) > limit,
        "Owner": owner(call),
        "Initiator": owner(call),
        "StorageClass": upload.headers.get("StorageClass", "STANDARD"),
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": int(part.modified),
                "ETag": part.etag,
                "Size": part.size,
                **part.checksums,
            }
            for part in page
        ],
    }
    if page:
        answer["NextPartNumberMarker"] = page[-1].number
    if upload.checksum_algorithm is not None:
        answer.update(ChecksumAlgorithm=upload.checksum_algorithm, ChecksumType=upload.checksum_type)
    return answer


def _stored_part(call: Call, asked: Asked, upload: Upload, body: Body) -> Part:
    number = asked["PartNumber"]
    if not 1 <= number <= LAST_NUMBER:
        raise Fault(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {LAST_NUMBER}, inclusive; it is {number}.",
            members={"ArgumentName": "partNumber", "ArgumentValue": str(number)},
        )
    part = Part(number, body.size, "", 0.0, verified(asked, body, upload.checksum_algorithm))
    return call.context.objects.put_part(call.space, upload, part, body)


@contextmanager
def _slice(call: Call, source: ObjectInfo, piece: Span) -> Iterator[Body]:
    """The bytes of a part copy as a spooled body: a hard link to the whole source, or a copy of a piece of it."""
    folder = call.context.settings.state / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with naming_a_full_disk(folder), tempfile.TemporaryDirectory(dir=folder, prefix="part-copy-") as own:
        whole, path = Path(own) / "whole", Path(own) / "piece"
        call.context.objects.link_to(call.space, source, whole)
        if whole.stat().st_size != source.size:
            raise overwritten_meanwhile(source.key)
        if not piece.partial:
            yield Body(piece.length, path=whole)
            return
        with whole.open("rb") as reading, path.open("xb") as writing:
            reading.seek(piece.start)
            left = piece.length
            while left and (data := reading.read(min(left, _PIECE))):
                writing.write(data)
                left -= len(data)
        yield Body(piece.length, path=path)


def marker_of(text: str | int | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        raise Fault(
            "InvalidArgument",
            f"The part number marker '{text}' is not a number.",
            members={"ArgumentName": "part-number-marker", "ArgumentValue": str(text)},
        ) from None

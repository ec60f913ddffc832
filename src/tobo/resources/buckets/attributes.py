"""GetObjectAttributes."""

from typing import Any

from tobo.objects.base import ObjectInfo
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_object, object_arn
from tobo.resources.buckets.listing import page_size
from tobo.resources.buckets.parts import marker_of


@operation("s3", "GetObjectAttributes", resource=object_arn)
def get_object_attributes(call: Call, asked: Asked) -> dict[str, Any]:
    info = asked_object(call, asked)
    wanted = asked["ObjectAttributes"]
    answer: dict[str, Any] = {"LastModified": int(info.modified)}
    if "ETag" in wanted:
        answer["ETag"] = info.etag.strip('"')
    if "ObjectSize" in wanted:
        answer["ObjectSize"] = info.size
    if "StorageClass" in wanted:
        answer["StorageClass"] = info.headers.get("StorageClass", "STANDARD")
    if "Checksum" in wanted and info.checksums:
        answer["Checksum"] = dict(info.checksums)
    if "ObjectParts" in wanted and info.parts:
        answer["ObjectParts"] = _parts(asked, info)
    return answer


def _parts(asked: Asked, info: ObjectInfo) -> dict[str, Any]:
    marker, limit = marker_of(asked.get("PartNumberMarker")), page_size(asked, "MaxParts")
    numbered = list(enumerate(info.parts, start=1))[marker:]
    page = numbered[:limit]
    return {
        "TotalPartsCount": len(info.parts),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1][0] if page else marker,
        "MaxParts": limit,
        "IsTruncated": len(numbered) > limit,
        "Parts": [{"PartNumber": number, "Size": size} for number, size in page],
    }

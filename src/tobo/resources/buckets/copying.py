"""CopyObject."""

from dataclasses import replace
from typing import Any

from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo
from tobo.objects.refusals import overwritten_meanwhile
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import check_owner, checked_key, copy_source, object_arn
from tobo.resources.buckets.checksums import verified, whole_object
from tobo.resources.buckets.conditions import check_copy_source, write_condition
from tobo.resources.buckets.describing import CONTENT, check_built, encryption, headers_of, metadata_of
from tobo.resources.buckets.objects import SIZE_LIMIT
from tobo.resources.buckets.tags import tags_of_header
from tobo.wire.body import Body


@operation("s3", "CopyObject", action="s3:PutObject", resource=object_arn)
def copy_object(call: Call, asked: Asked) -> dict[str, Any]:
    """The copy shares the source's bytes, and so keeps its ETag, parts and checksums."""
    check_owner(call, asked)
    check_built(asked)
    source = copy_source(call, asked)
    check_copy_source(asked, source)
    if source.size > SIZE_LIMIT:
        raise Fault("InvalidRequest", "The copy source is larger than 5 GiB; copy it in parts (UploadPartCopy).")
    target = _target(asked, source)
    if asked.get("ChecksumAlgorithm"):
        body = Body(source.size, path=call.context.objects.path(call.space, source))
        try:
            target = replace(target, checksums=whole_object(verified(asked, body)))
        except FileNotFoundError:
            raise overwritten_meanwhile(source.key) from None
    copied = call.context.objects.copy(call.space, source, target, write_condition(asked))
    result = {"ETag": copied.etag, "LastModified": int(copied.modified), **copied.checksums}
    return {"CopyObjectResult": result, **encryption(copied)}


def _target(asked: Asked, source: ObjectInfo) -> ObjectInfo:
    """The copy as the directives want it: headers and metadata, and tags, each of the source or of the request."""
    key = checked_key(asked["Key"])
    replaces = asked.get("MetadataDirective") == "REPLACE"
    asked_headers = headers_of(asked)
    placed = {name: value for name, value in asked_headers.items() if name not in CONTENT}  # never inherited
    if (source.bucket, source.key) == (asked["Bucket"], key) and not replaces and not placed:
        raise Fault(
            "InvalidRequest",
            f"'{key}' would be copied to itself without changing its metadata, storage class, website redirect location"
            " or encryption attributes; set MetadataDirective to REPLACE, or copy to another key.",
        )
    inherited = {name: value for name, value in source.headers.items() if name in CONTENT}
    return ObjectInfo(
        bucket=asked["Bucket"],
        key=key,
        size=source.size,
        etag=source.etag,
        modified=0.0,
        headers=asked_headers if replaces else {**inherited, **placed},
        metadata=metadata_of(asked) if replaces else source.metadata,
        tags=tags_of_header(asked.get("Tagging")) if asked.get("TaggingDirective") == "REPLACE" else source.tags,
        checksums=source.checksums,
    )

"""PutObject, GetObject, HeadObject."""

import os
from typing import Any

from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_object, check_owner, checked_key, object_arn
from tobo.resources.buckets.checksums import verified, whole_object
from tobo.resources.buckets.conditions import Span, check_read, content_range, span, write_condition
from tobo.resources.buckets.describing import check_built, describe, headers_of, metadata_of, stored
from tobo.resources.buckets.tags import tags_of_header
from tobo.wire.body import Body, FileBody

SIZE_LIMIT = 5 << 30
"""Bytes of one put; larger objects are sent in parts (S3 User Guide, "Uploading objects")."""


@operation("s3", "PutObject", resource=object_arn)
def put_object(call: Call, asked: Asked) -> dict[str, Any]:
    check_owner(call, asked)
    check_built(asked)
    body = body_of(asked)
    info = ObjectInfo(
        bucket=asked["Bucket"],
        key=checked_key(asked["Key"]),
        size=body.size,
        etag="",
        modified=0.0,
        headers=headers_of(asked),
        metadata=metadata_of(asked),
        tags=tags_of_header(asked.get("Tagging")),
        checksums=whole_object(verified(asked, body)),
    )
    return stored(call.context.objects.put(call.space, info, body, write_condition(asked)))


@operation("s3", "GetObject", resource=object_arn)
def get_object(call: Call, asked: Asked) -> dict[str, Any]:
    while True:
        info = asked_object(call, asked)
        check_read(asked, info)
        piece = span(asked, info)
        try:
            file = os.open(call.context.objects.path(call.space, info), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if asked_object(call, asked).blob == info.blob:
                raise
            continue  # overwritten between the look and the opening
        return {**_answer(asked, info, piece), "Body": FileBody(file, piece.start, piece.length)}


@operation("s3", "HeadObject", action="s3:GetObject", resource=object_arn)
def head_object(call: Call, asked: Asked) -> dict[str, Any]:
    info = asked_object(call, asked)
    check_read(asked, info)
    return _answer(asked, info, span(asked, info))


def body_of(asked: Asked) -> Body:
    """The payload; raises Fault EntityTooLarge."""
    body = asked.get("Body") or b""
    if not isinstance(body, Body):
        body = Body(len(body), bytes(body))
    if body.size > SIZE_LIMIT:
        raise Fault(
            "EntityTooLarge",
            f"The body has {body.size} bytes; at most {SIZE_LIMIT} go in one request: send it in parts.",
            members={"ProposedSize": str(body.size), "MaxSizeAllowed": str(SIZE_LIMIT)},
        )
    return body


def _answer(asked: Asked, info: ObjectInfo, piece: Span) -> dict[str, Any]:
    answer = describe(info, asked)
    answer["ContentLength"] = piece.length
    if asked.get("PartNumber") is not None and info.parts:
        answer["PartsCount"] = len(info.parts)
    if piece.partial:
        answer["ContentRange"] = content_range(piece, info.size)
    elif asked.get("ChecksumMode") == "ENABLED":
        answer.update(info.checksums)  # of the whole object: a client would check a piece against them
    return answer

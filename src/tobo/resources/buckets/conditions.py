"""Conditions of a read: preconditions (RFC 9110, section 13) and ranges (section 14)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from tobo.kit.fault import Fault
from tobo.objects.base import Condition, ObjectInfo
from tobo.objects.refusals import names_etag, precondition_failed
from tobo.operations.registry import Asked

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})\Z")
"""Of 19 digits, as a 64-bit size has them."""


class Span(NamedTuple):
    """Which bytes of an object an answer carries; `partial` means 206 with Content-Range."""

    start: int
    length: int
    partial: bool


def write_condition(asked: Asked) -> Condition:
    """If-Match and If-None-Match of a write, to be checked together with it."""
    return Condition(asked.get("IfMatch"), asked.get("IfNoneMatch"))


def check_read(asked: Asked, info: ObjectInfo) -> None:
    """Raises Fault NotModified (304) or PreconditionFailed (412).

    As RFC 9110 orders them: an entity tag outweighs the date of the same direction.
    """
    etag, modified = info.etag, int(info.modified)
    if (tag := asked.get("IfMatch")) is not None:
        if not names_etag(tag, etag):
            raise precondition_failed("If-Match", info.key)
    elif (moment := asked.get("IfUnmodifiedSince")) is not None and modified > _seconds(moment):
        raise precondition_failed("If-Unmodified-Since", info.key)
    if (tag := asked.get("IfNoneMatch")) is not None:
        unchanged = names_etag(tag, etag)
    else:
        moment = asked.get("IfModifiedSince")
        unchanged = moment is not None and modified <= _seconds(moment)
    if unchanged:
        raise Fault("NotModified", f"The object '{info.key}' has not changed.", 304, {"ETag": etag})


def check_copy_source(asked: Asked, source: ObjectInfo) -> None:
    """The copy source's conditions; each one unmet is PreconditionFailed."""
    renamed = {
        member: asked[f"CopySource{member}"]
        for member in ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
        if asked.get(f"CopySource{member}") is not None
    }
    try:
        check_read(renamed, source)
    except Fault as fault:
        raise precondition_failed("x-amz-copy-source-if-...", source.key) from fault


def span(asked: Asked, info: ObjectInfo) -> Span:
    """The bytes that Range or PartNumber asks for; raises Fault InvalidRange or InvalidPartNumber (416)."""
    header, part = asked.get("Range"), asked.get("PartNumber")
    if part is not None:
        if header is not None:
            raise Fault("InvalidRequest", "Cannot specify both Range header and partNumber query parameter.")
        return _part_span(part, info)
    return _range_span(header, info.size, {"RangeRequested": header or "", "ActualObjectSize": str(info.size)})


def copy_span(header: str | None, source: ObjectInfo) -> Span:
    """x-amz-copy-source-range: only `bytes=first-last`, both inside the source; raises Fault InvalidArgument."""
    if header is None:
        return Span(0, source.size, False)
    match = _RANGE.match(header)
    if match is None or not match[1] or not match[2] or not int(match[1]) <= int(match[2]) < source.size:
        raise Fault(
            "InvalidArgument",
            f"The copy source range '{header}' is not bytes=first-last inside the source's {source.size} bytes.",
            members={"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": header},
        )
    return Span(int(match[1]), int(match[2]) - int(match[1]) + 1, True)


def content_range(asked_span: Span, size: int) -> str:
    return f"bytes {asked_span.start}-{asked_span.start + asked_span.length - 1}/{size}"


def _part_span(number: int, info: ObjectInfo) -> Span:
    sizes = info.parts or [info.size]
    if not 1 <= number <= len(sizes):
        raise Fault("InvalidPartNumber", f"Part {number} is not there: the object has {len(sizes)} part(s).", 416)
    return Span(sum(sizes[: number - 1]), sizes[number - 1], info.size > 0)


def _range_span(header: str | None, size: int, members: Mapping[str, str]) -> Span:
    """One range is honoured; several, or what is no range of bytes, count as none asked (as S3 does)."""
    match = _RANGE.match(header.replace(" ", "")) if header else None
    if match is None or (not match[1] and not match[2]):
        return Span(0, size, False)
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return Span(0, size, False)
    if start >= size:
        raise Fault("InvalidRange", f"The range '{header}' lies outside the object's {size} bytes.", 416, members)
    return Span(start, end - start, True)


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else moment

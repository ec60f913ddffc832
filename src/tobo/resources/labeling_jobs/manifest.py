"""Input manifests: a JSON object a line, with source-ref (an S3 address) or source (a text). Form: Ground Truth, "Input data"."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.objects.base import Objects
from tobo.operations.sources import keys_below

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
"""Keys below a plain prefix that are taken; other files there are left out."""

MOST_BYTES = 1 << 20
"""Of one line."""


class Line(NamedTuple):
    """`text` as it stands in the manifest; `told` decoded; `labelled`: it has the job's label already."""

    text: str
    told: dict[str, Any]
    labelled: bool


def read_lines(objects: Objects, space: Namespace, uri: S3Uri, attribute: str, text: bool | None) -> Iterator[Line]:
    """A manifest's objects in order; or, where the address ends with a slash, the pictures below it. `text` as in TaskType.

    Raises Fault ValidationException that names the line, NoSuchKey and NoSuchBucket.
    """
    if uri.key.endswith("/") or not uri.key:
        if text:
            raise validation(f"'{uri}' is a folder; texts come in a manifest, one {{\"source\": ...}} a line.")
        for info in keys_below(objects, space, uri):
            if info.key.lower().endswith(PICTURES):
                told = {"source-ref": f"s3://{uri.bucket}/{info.key}"}
                yield Line(json.dumps(told, ensure_ascii=False), told, False)
        return
    with objects.path(space, objects.head(space, uri.bucket, uri.key)).open("rb") as file:
        for number, raw in enumerate(file, 1):
            if raw.strip():
                yield _line(raw, f"'{uri}', line {number}", attribute, text)


def source_of(told: dict[str, Any]) -> S3Uri | None:
    """Where the object lies; None where its text is in the manifest."""
    return parse_s3_uri(told["source-ref"], "source-ref") if "source-ref" in told else None


def _line(raw: bytes, place: str, attribute: str, text: bool | None) -> Line:
    if len(raw) > MOST_BYTES:
        raise validation(f"{place} has {len(raw)} bytes; a line has at most {MOST_BYTES}.")
    try:
        line = raw.decode("utf-8-sig").strip()
        told = json.loads(line)
    except ValueError as error:
        raise validation(f"{place} is not JSON ({error}): {raw[:80]!r}.") from None
    if not isinstance(told, dict):
        raise validation(f"{place} is no JSON object: {line[:80]}.")
    reference, words = told.get("source-ref"), told.get("source")
    if isinstance(reference, str) == isinstance(words, str):
        raise validation(f"{place} needs either source-ref (an S3 address) or source (a text): {line[:80]}.")
    if isinstance(words, str) and text is False:
        raise validation(f"{place} has a text, and this task is about pictures; give source-ref.")
    if isinstance(reference, str):
        try:
            uri = parse_s3_uri(reference, "source-ref")
        except Fault as fault:
            raise validation(f"{place}: {fault.message}") from None
        if not uri.key:
            raise validation(f"{place}: '{reference}' names no object; expected s3://bucket/key.")
    return Line(line, told, attribute in told and isinstance(told.get(f"{attribute}-metadata"), dict))

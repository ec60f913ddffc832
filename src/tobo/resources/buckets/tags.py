"""Tags: key-value pairs of buckets and objects, as S3 restricts them (API Reference, "Tag")."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from tobo.kit.fault import Fault

OBJECT_LIMIT, BUCKET_LIMIT = 10, 50


def tags_of_header(header: str | None) -> dict[str, str]:
    """Of x-amz-tagging, URL query parameters: `part=marble&side=left`; raises Fault as `checked`, InvalidArgument."""
    if not header:
        return {}
    try:
        pairs = parse_qsl(header, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Fault(
            "InvalidArgument",
            f"The header x-amz-tagging '{header}' is not key=value&key=value, URL-encoded.",
            members={"ArgumentName": "x-amz-tagging", "ArgumentValue": header},
        ) from None
    return checked(pairs, OBJECT_LIMIT)


def tags_of_set(tag_set: Iterable[Mapping[str, str]], limit: int) -> dict[str, str]:
    """Of [{"Key": ..., "Value": ...}]. Raises Fault InvalidTag, BadRequest."""
    return checked([(tag["Key"], tag["Value"]) for tag in tag_set], limit)


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def checked(pairs: list[tuple[str, str]], limit: int) -> dict[str, str]:
    """The pairs as a mapping; raises Fault InvalidTag (too long, twice) or BadRequest (too many)."""
    if len(pairs) > limit:
        raise Fault("BadRequest", f"{len(pairs)} tags are too many; at most {limit} are allowed.")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise Fault(
                "InvalidTag", f"The tag '{key}' does not fit: a key has 1 to 128, a value up to 256 characters."
            )
    tags = dict(pairs)
    if len(tags) < len(pairs):
        raise Fault("InvalidTag", "Cannot provide multiple Tags with the same key.")
    return tags

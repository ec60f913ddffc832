"""An object's headers: which of a request's are kept with the bytes, and how an answer tells them."""

from datetime import datetime
from typing import Any

from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo
from tobo.operations.registry import Asked

METADATA_LIMIT = 2048
"""Bytes of all user-defined metadata, names and values (S3 User Guide, "Working with object metadata")."""

CONTENT = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Expires")
_TEXTS = (
    *CONTENT[:-1],
    "WebsiteRedirectLocation",
    "StorageClass",
    "ServerSideEncryption",
    "SSEKMSKeyId",
)
_UNBUILT = {
    "SSECustomerAlgorithm": "encryption with a customer's key (SSE-C)",
    "SSECustomerKey": "encryption with a customer's key (SSE-C)",
    "ObjectLockMode": "object lock",
    "ObjectLockRetainUntilDate": "object lock",
    "ObjectLockLegalHoldStatus": "object lock",
    "WriteOffsetBytes": "appending to an object",
}
"""What would be a broken promise if it were accepted without being done."""

_OVERRIDES = {f"Response{member}": member for member in CONTENT}


def check_built(asked: Asked) -> None:
    """Raises Fault NotImplemented, or AccessControlListNotSupported for an ACL that gives others a right."""
    for member, what in _UNBUILT.items():
        if asked.get(member) is not None:
            raise Fault("NotImplemented", f"{member} asks for {what}, which tobo has not; leave it out.")
    check_acl(asked)


def check_acl(asked: Asked) -> None:
    """Only ACLs that change nothing: buckets belong to their account alone (as AWS's default, BucketOwnerEnforced)."""
    grants = [member for member in asked if member.startswith("Grant")]
    if grants or asked.get("ACL") not in (None, "private", "bucket-owner-full-control"):
        raise Fault(
            "AccessControlListNotSupported",
            f"The bucket does not allow ACLs ({grants[0] if grants else asked['ACL']}); give rights by IAM policies.",
        )


def headers_of(asked: Asked) -> dict[str, str]:
    """The headers to store, by S3's member names; Expires as epoch seconds."""
    found = {member: str(asked[member]) for member in _TEXTS if asked.get(member) is not None}
    if (expires := asked.get("Expires")) is not None:
        found["Expires"] = str(int(_seconds(expires)))
    if asked.get("BucketKeyEnabled"):
        found["BucketKeyEnabled"] = "true"
    return found


def metadata_of(asked: Asked) -> dict[str, str]:
    """User metadata with lower-case names; raises Fault MetadataTooLarge."""
    metadata = {name.lower(): value for name, value in (asked.get("Metadata") or {}).items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > METADATA_LIMIT:
        raise Fault(
            "MetadataTooLarge",
            f"The metadata has {size} bytes; at most {METADATA_LIMIT} are allowed.",
            members={"Size": str(size), "MaxSizeAllowed": str(METADATA_LIMIT)},
        )
    return metadata


def describe(info: ObjectInfo, asked: Asked) -> dict[str, Any]:
    """What GetObject and HeadObject tell of an object, its response-* overrides applied."""
    answer: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": int(info.modified),
        "ETag": info.etag,
        "ContentType": "binary/octet-stream",
        **info.headers,
        **encryption(info),
        "Metadata": dict(info.metadata),
    }
    if answer.get("StorageClass") == "STANDARD":
        del answer["StorageClass"]
    if "Expires" in answer:
        answer["Expires"] = int(answer["Expires"])
    if info.tags:
        answer["TagCount"] = len(info.tags)
    answer.update({member: asked[name] for name, member in _OVERRIDES.items() if asked.get(name) is not None})
    return answer


def encryption(info: ObjectInfo) -> dict[str, Any]:
    """The encryption that was asked for, echoed: the folder's own encryption, if any, is the file system's."""
    answer: dict[str, Any] = {
        member: info.headers[member] for member in ("ServerSideEncryption", "SSEKMSKeyId") if member in info.headers
    }
    if "BucketKeyEnabled" in info.headers:
        answer["BucketKeyEnabled"] = True
    return answer


def stored(info: ObjectInfo) -> dict[str, Any]:
    """What an operation answers that has written a whole object."""
    return {"ETag": info.etag, **info.checksums, **encryption(info)}


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else moment

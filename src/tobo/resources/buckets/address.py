"""Addresses: which bucket and object a request names, as IAM resource, and whether it is the expected owner's."""

import hashlib
from typing import Any
from urllib.parse import unquote

from tobo.kit.fault import Fault
from tobo.objects.base import Bucket, ObjectInfo
from tobo.operations.context import Call
from tobo.operations.registry import Asked

KEY_LIMIT = 1024
"""Bytes of a key in UTF-8 (S3 User Guide, "Naming Amazon S3 objects")."""


def bucket_arn(call: Call, asked: Asked) -> str:
    return f"arn:aws:s3:::{asked['Bucket']}"


def object_arn(call: Call, asked: Asked) -> str:
    return f"arn:aws:s3:::{asked['Bucket']}/{asked['Key']}"


def every_arn(call: Call, asked: Asked) -> str:
    return "*"


def owner(call: Call) -> dict[str, str]:
    """The account as S3 names it: a canonical user id of 64 hexadecimal digits (DisplayName is gone since 2025)."""
    return {"ID": hashlib.sha256(call.space.account.encode()).hexdigest()}


def check_owner(call: Call, asked: Asked, member: str = "ExpectedBucketOwner") -> None:
    """Raises Fault AccessDenied where x-amz-expected-bucket-owner names another account."""
    expected = asked.get(member)
    if expected is not None and expected != call.space.account:
        raise Fault(
            "AccessDenied", f"The bucket belongs to account {call.space.account}, not to the expected {expected}.", 403
        )


def asked_bucket(call: Call, asked: Asked) -> Bucket:
    """The bucket of a request; raises Fault NoSuchBucket, AccessDenied."""
    bucket = call.context.objects.bucket(call.space, asked["Bucket"])
    check_owner(call, asked)
    return bucket


def asked_object(call: Call, asked: Asked) -> ObjectInfo:
    """The object of a request; raises Fault NoSuchBucket, NoSuchKey, NoSuchVersion, AccessDenied."""
    check_version(asked.get("VersionId"))
    check_owner(call, asked)
    return call.context.objects.head(call.space, asked["Bucket"], checked_key(asked["Key"]))


def checked_key(key: str) -> str:
    """The key, exactly as it is; raises Fault KeyTooLongError or, where it cannot be written as UTF-8, InvalidURI."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise Fault("InvalidURI", "The key is not UTF-8; percent-encode its UTF-8 bytes.") from None
    if size > KEY_LIMIT:
        raise Fault("KeyTooLongError", f"The key has {size} bytes in UTF-8; at most {KEY_LIMIT} are allowed.")
    return key


def check_version(version: str | None) -> None:
    """There is one version of each object, "null", as in a bucket whose versioning was never enabled."""
    if version not in (None, "null"):
        raise Fault(
            "NoSuchVersion", f"There is no version '{version}': this bucket is not versioned; leave VersionId out.", 404
        )


def copy_source(call: Call, asked: Asked) -> ObjectInfo:
    """The object that x-amz-copy-source names, asked through the door so that its own policy holds (s3:GetObject).

    Raises Fault InvalidArgument, NoSuchBucket, NoSuchKey, AccessDenied.
    """
    text, _, version = asked["CopySource"].partition("?versionId=")
    bucket, slash, key = unquote(text.removeprefix("/")).partition("/")
    if not bucket or not slash or not key or bucket.startswith("arn:"):
        raise Fault(
            "InvalidArgument",
            f"The copy source '{asked['CopySource']}' is not understood; give it as bucket/key, URL-encoded.",
            members={"ArgumentName": "x-amz-copy-source", "ArgumentValue": asked["CopySource"]},
        )
    check_owner(call, asked, "ExpectedSourceBucketOwner")
    members: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if version:
        members["VersionId"] = version
    call.call("s3", "HeadObject", **members)
    return call.context.objects.head(call.space, bucket, key)

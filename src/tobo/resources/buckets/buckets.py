"""CreateBucket, ListBuckets, HeadBucket, DeleteBucket, GetBucketLocation."""

import ipaddress
import re
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, bucket_arn, every_arn, owner
from tobo.resources.buckets.describing import check_acl
from tobo.resources.buckets.tags import BUCKET_LIMIT, tags_of_set
from tobo.resources.buckets.tokens import read_token, write_token

HOME = "us-east-1"
"""The region whose buckets have no LocationConstraint."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]\Z")
_RESERVED_STARTS = ("xn--", "sthree-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@operation("s3", "CreateBucket", resource=bucket_arn)
def create_bucket(call: Call, asked: Asked) -> dict[str, Any]:
    name, region = asked["Bucket"], call.space.region
    check_name(name)
    check_acl(asked)
    if asked.get("ObjectLockEnabledForBucket"):
        raise Fault("NotImplemented", "ObjectLockEnabledForBucket asks for object lock, which tobo has not.")
    configuration = asked.get("CreateBucketConfiguration") or {}
    _check_location(configuration.get("LocationConstraint"), region)
    tags = tags_of_set(configuration.get("Tags") or [], BUCKET_LIMIT)
    try:
        call.context.objects.create_bucket(call.space, name, tags)
    except Fault as fault:
        # A bucket that one has already is no error in us-east-1, as in AWS ("for legacy compatibility").
        if fault.code != "BucketAlreadyOwnedByYou" or region != HOME:
            raise
    return {"Location": f"/{name}", "BucketArn": f"arn:aws:s3:::{name}"}


@operation("s3", "ListBuckets", action="s3:ListAllMyBuckets", resource=every_arn)
def list_buckets(call: Call, asked: Asked) -> dict[str, Any]:
    region = call.space.region
    prefix, after = asked.get("Prefix") or "", read_token(asked.get("ContinuationToken"))
    limit = min(asked.get("MaxBuckets") or 10_000, 10_000)
    found = [
        bucket
        for bucket in call.context.objects.buckets(call.space)
        if bucket.name.startswith(prefix) and bucket.name > after and asked.get("BucketRegion") in (None, region)
    ]
    answer: dict[str, Any] = {
        "Buckets": [
            {
                "Name": bucket.name,
                "CreationDate": int(bucket.created),
                "BucketRegion": region,
                "BucketArn": f"arn:aws:s3:::{bucket.name}",
            }
            for bucket in found[:limit]
        ],
        "Owner": owner(call),
    }
    if prefix:
        answer["Prefix"] = prefix
    if len(found) > limit:
        answer["ContinuationToken"] = write_token(found[limit - 1].name)
    return answer


@operation("s3", "HeadBucket", action="s3:ListBucket", resource=bucket_arn)
def head_bucket(call: Call, asked: Asked) -> dict[str, Any]:
    bucket = asked_bucket(call, asked)
    return {
        "BucketRegion": call.space.region,
        "BucketArn": f"arn:aws:s3:::{bucket.name}",
        "AccessPointAlias": False,
    }


@operation("s3", "DeleteBucket", resource=bucket_arn)
def delete_bucket(call: Call, asked: Asked) -> dict[str, Any]:
    call.context.objects.delete_bucket(call.space, asked_bucket(call, asked).name)
    return {}


@operation("s3", "GetBucketLocation", resource=bucket_arn)
def get_bucket_location(call: Call, asked: Asked) -> dict[str, Any]:
    asked_bucket(call, asked)
    return {} if call.space.region == HOME else {"LocationConstraint": call.space.region}


def check_name(name: str) -> None:
    """Raises Fault InvalidBucketName (S3 User Guide, "General purpose bucket naming rules")."""
    if (
        not _NAME.match(name)
        or ".." in name
        or name.startswith(_RESERVED_STARTS)
        or name.endswith(_RESERVED_ENDS)
        or _is_address(name)
    ):
        raise Fault(
            "InvalidBucketName",
            f"'{name}' is no bucket name: 3 to 63 lower-case letters, digits, '.' and '-', beginning and ending with a"
            " letter or digit, not like an IP address and without S3's reserved prefixes and suffixes.",
            members={"BucketName": name},
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _check_location(constraint: str | None, region: str) -> None:
    named = "eu-west-1" if constraint == "EU" else constraint or HOME
    if named != region:
        raise Fault(
            "IllegalLocationConstraintException",
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint"
            f" this request was sent to; set CreateBucketConfiguration.LocationConstraint to '{region}'.",
        )

"""Access control lists, which say what AWS's default (BucketOwnerEnforced) says: everything is the account's own."""

from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, asked_object, bucket_arn, object_arn, owner
from tobo.resources.buckets.describing import check_acl


@operation("s3", "GetBucketAcl", resource=bucket_arn)
def get_bucket_acl(call: Call, asked: Asked) -> dict[str, Any]:
    asked_bucket(call, asked)
    return _own(call)


@operation("s3", "PutBucketAcl", resource=bucket_arn)
def put_bucket_acl(call: Call, asked: Asked) -> dict[str, Any]:
    asked_bucket(call, asked)
    return _unchanged(asked)


@operation("s3", "GetObjectAcl", resource=object_arn)
def get_object_acl(call: Call, asked: Asked) -> dict[str, Any]:
    asked_object(call, asked)
    return _own(call)


@operation("s3", "PutObjectAcl", resource=object_arn)
def put_object_acl(call: Call, asked: Asked) -> dict[str, Any]:
    asked_object(call, asked)
    return _unchanged(asked)


def _own(call: Call) -> dict[str, Any]:
    grantee = {"Type": "CanonicalUser", **owner(call)}
    return {"Owner": owner(call), "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}


def _unchanged(asked: Asked) -> dict[str, Any]:
    """Accepts the canned ACLs that change nothing; raises Fault AccessControlListNotSupported for all others."""
    check_acl(asked)
    if asked.get("AccessControlPolicy"):
        raise Fault(
            "AccessControlListNotSupported", "The bucket does not allow ACLs; give rights by IAM policies instead."
        )
    return {}

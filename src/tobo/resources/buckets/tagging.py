"""Tagging of buckets and of objects."""

from dataclasses import replace
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, asked_object, bucket_arn, object_arn
from tobo.resources.buckets.settings import change_bucket
from tobo.resources.buckets.tags import BUCKET_LIMIT, OBJECT_LIMIT, tag_set, tags_of_set


@operation("s3", "GetObjectTagging", resource=object_arn)
def get_object_tagging(call: Call, asked: Asked) -> dict[str, Any]:
    return {"TagSet": tag_set(asked_object(call, asked).tags)}


@operation("s3", "PutObjectTagging", resource=object_arn)
def put_object_tagging(call: Call, asked: Asked) -> dict[str, Any]:
    info = asked_object(call, asked)
    tags = tags_of_set(asked["Tagging"]["TagSet"], OBJECT_LIMIT)
    call.context.objects.change(call.space, replace(info, tags=tags))
    return {}


@operation("s3", "DeleteObjectTagging", resource=object_arn)
def delete_object_tagging(call: Call, asked: Asked) -> dict[str, Any]:
    call.context.objects.change(call.space, replace(asked_object(call, asked), tags={}))
    return {}


@operation("s3", "GetBucketTagging", resource=bucket_arn)
def get_bucket_tagging(call: Call, asked: Asked) -> dict[str, Any]:
    bucket = asked_bucket(call, asked)
    if not bucket.tags:
        raise Fault("NoSuchTagSet", f"Bucket '{bucket.name}' has no tags.", 404, {"BucketName": bucket.name})
    return {"TagSet": tag_set(bucket.tags)}


@operation("s3", "PutBucketTagging", resource=bucket_arn)
def put_bucket_tagging(call: Call, asked: Asked) -> dict[str, Any]:
    tags = tags_of_set(asked["Tagging"]["TagSet"], BUCKET_LIMIT)
    change_bucket(call, asked, lambda bucket: replace(bucket, tags=tags))
    return {}


@operation("s3", "DeleteBucketTagging", action="s3:PutBucketTagging", resource=bucket_arn)
def delete_bucket_tagging(call: Call, asked: Asked) -> dict[str, Any]:
    change_bucket(call, asked, lambda bucket: replace(bucket, tags={}))
    return {}

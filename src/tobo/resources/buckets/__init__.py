"""Buckets and objects: the S3 operations that boto3, the AWS CLI and both SageMaker SDKs use."""

from tobo.resources.buckets import (  # noqa: F401  importing them fills the dispatch table
    acl,
    attributes,
    buckets,
    copying,
    deletion,
    listing,
    multipart,
    objects,
    parts,
    subresources,
    tagging,
)

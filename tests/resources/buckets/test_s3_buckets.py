"""Buckets over boto3: names, regions, owners, what clients ask of them."""

import uuid
from typing import Any

import pytest

GOOD_NAMES = ["abc", "a.b-c", "0abc9", "sagemaker-us-east-1-123456789012", "a" * 63]
BAD_NAMES = ["Abc", "a_b", "-abc", "abc-", "a..b", "192.168.0.1", "xn--abc", "abc-s3alias", "ab", "a" * 64]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names(s3: Any, refused: Any, name: str) -> None:
    error = refused(400, "InvalidBucketName", s3.create_bucket, Bucket=name)
    assert name in error["Message"]


def test_the_life_of_a_bucket(s3: Any, refused: Any, bucket: str) -> None:
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    refused(409, "BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)
    refused(404, "404", s3.head_bucket, Bucket=bucket)
    for operation in (s3.delete_bucket, s3.list_objects_v2, s3.list_objects, s3.get_bucket_location, s3.get_bucket_acl):
        assert refused(404, "NoSuchBucket", operation, Bucket=bucket)["BucketName"] == bucket
    refused(404, "NoSuchBucket", s3.put_object, Bucket=bucket, Key="a", Body=b"x")
    refused(404, "NoSuchBucket", s3.get_object, Bucket=bucket, Key="a")


def test_creating_twice(server: Any, refused: Any) -> None:
    """Idempotent in us-east-1 alone, as in AWS."""
    name = f"twice-{uuid.uuid4().hex[:8]}"
    home, abroad = server.client("s3"), server.client("s3", region="eu-central-1")
    home.create_bucket(Bucket=name)
    home.create_bucket(Bucket=name)
    placed = {"LocationConstraint": "eu-central-1"}
    abroad.create_bucket(Bucket=name, CreateBucketConfiguration=placed)
    refused(409, "BucketAlreadyOwnedByYou", abroad.create_bucket, Bucket=name, CreateBucketConfiguration=placed)
    assert abroad.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-central-1"


@pytest.mark.parametrize(
    ("region", "constraint"), [("us-east-1", "eu-west-1"), ("eu-west-1", "us-west-2"), ("eu-west-1", None)]
)
def test_a_location_that_is_not_the_regions(server: Any, refused: Any, region: str, constraint: str | None) -> None:
    client = server.client("s3", region=region)
    more = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    error = refused(400, "IllegalLocationConstraintException", client.create_bucket, Bucket="misplaced", **more)
    assert region in error["Message"]


def test_listing_of_buckets_by_prefix_and_page(server: Any) -> None:
    client = server.client("s3", region="eu-north-1")
    names = [f"{prefix}-{number}" for prefix in ("alpha", "beta") for number in range(3)]
    for name in reversed(names):
        client.create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": "eu-north-1", "Tags": [{"Key": "n", "Value": name}]},
        )
    assert [found["Name"] for found in client.list_buckets()["Buckets"]] == names
    assert client.get_bucket_tagging(Bucket="beta-1")["TagSet"] == [{"Key": "n", "Value": "beta-1"}]
    pages = list(client.get_paginator("list_buckets").paginate(Prefix="beta", PaginationConfig={"PageSize": 2}))
    assert [[found["Name"] for found in page["Buckets"]] for page in pages] == [["beta-0", "beta-1"], ["beta-2"]]
    assert len(pages[0]["Owner"]["ID"]) == 64
    assert pages[0]["Buckets"][0]["BucketRegion"] == "eu-north-1"


def test_a_wrong_token(s3: Any, refused: Any, bucket: str) -> None:
    refused(400, "InvalidArgument", s3.list_buckets, ContinuationToken="no token!")
    refused(400, "InvalidArgument", s3.list_objects_v2, Bucket=bucket, ContinuationToken="no token!")


def test_the_expected_owner(s3: Any, server: Any, refused: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ExpectedBucketOwner=server.account)
    other = "999999999999"
    source = {"Bucket": bucket, "Key": "a"}
    for deed, more in (
        (s3.put_object, {"Key": "a", "Body": b"y"}),
        (s3.get_object, {"Key": "a"}),
        (s3.delete_object, {"Key": "a"}),
        (s3.copy_object, {"Key": "b", "CopySource": source}),
        (s3.create_multipart_upload, {"Key": "a"}),
        (s3.list_objects_v2, {}),
        (s3.delete_bucket, {}),
    ):
        refused(403, "AccessDenied", deed, Bucket=bucket, ExpectedBucketOwner=other, **more)
    refused(
        403, "AccessDenied", s3.copy_object, Bucket=bucket, Key="b", CopySource=source, ExpectedSourceBucketOwner=other
    )
    refused(403, "403", s3.head_bucket, Bucket=bucket, ExpectedBucketOwner=other)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"


def test_acl_is_the_owners(s3: Any, refused: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ACL="bucket-owner-full-control")
    for acl in (s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="a")):
        (grant,) = acl["Grants"]
        assert grant["Permission"] == "FULL_CONTROL"
        assert grant["Grantee"]["ID"] == acl["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    code = "AccessControlListNotSupported"
    refused(400, code, s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
    refused(400, code, s3.put_object_acl, Bucket=bucket, Key="a", ACL="public-read")
    refused(400, code, s3.put_object, Bucket=bucket, Key="a", ACL="public-read", Body=b"x")
    refused(400, code, s3.put_object, Bucket=bucket, Key="a", GrantRead="id=1", Body=b"x")
    refused(400, code, s3.create_bucket, Bucket="public", ACL="public-read-write")

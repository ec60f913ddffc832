"""A bucket's configurations over boto3: put, got back, deleted; and what is always or never so."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
RULE = {
    "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)},
    "ID": "old",
    "Filter": {"Prefix": ""},
    "Status": "Enabled",
}
KEPT: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    # noun of put and get, noun of delete, put members -> got members, code when missing
    ("bucket_policy", "bucket_policy", {"Policy": POLICY}, {"Policy": POLICY}, "NoSuchBucketPolicy"),
    (
        "bucket_encryption",
        "bucket_encryption",
        {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
            }
        },
        {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
            }
        },
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    (
        "bucket_cors",
        "bucket_cors",
        {
            "CORSConfiguration": {
                "CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 9}]
            }
        },
        {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 9}]},
        "NoSuchCORSConfiguration",
    ),
    (
        "bucket_lifecycle_configuration",
        "bucket_lifecycle",
        {"LifecycleConfiguration": {"Rules": [RULE]}},
        {"Rules": [RULE]},
        "NoSuchLifecycleConfiguration",
    ),
    (
        "public_access_block",
        "public_access_block",
        {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": False}},
        {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": False}},
        "NoSuchPublicAccessBlockConfiguration",
    ),
    (
        "bucket_ownership_controls",
        "bucket_ownership_controls",
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        "OwnershipControlsNotFoundError",
    ),
    (
        "bucket_website",
        "bucket_website",
        {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}},
        {"IndexDocument": {"Suffix": "index.html"}},
        "NoSuchWebsiteConfiguration",
    ),
]


@pytest.mark.parametrize(("noun", "deleted", "put", "got", "missing"), KEPT, ids=[entry[0] for entry in KEPT])
def test_what_is_kept(
    s3: Any, refused: Any, bucket: str, noun: str, deleted: str, put: dict[str, Any], got: dict[str, Any], missing: str
) -> None:
    get = getattr(s3, f"get_{noun}")
    refused(404, missing, get, Bucket=bucket)
    getattr(s3, f"put_{noun}")(Bucket=bucket, **put)
    found = get(Bucket=bucket)
    assert {name: found[name] for name in got} == got
    getattr(s3, f"delete_{deleted}")(Bucket=bucket)
    refused(404, missing, get, Bucket=bucket)
    refused(404, "NoSuchBucket", get, Bucket="no-such-bucket-here")


def test_versioning_is_never_enabled(s3: Any, refused: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    enabled = {"VersioningConfiguration": {"Status": "Enabled"}}
    assert bucket in refused(400, "NotImplemented", s3.put_bucket_versioning, Bucket=bucket, **enabled)["Message"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"


def test_a_configuration_that_is_left_out(s3: Any, refused: Any, bucket: str) -> None:
    refused(400, "MalformedXML", s3.put_bucket_lifecycle_configuration, Bucket=bucket)


def test_a_policy_that_is_none(s3: Any, refused: Any, bucket: str) -> None:
    for text in ("no json", "[]", '{"Version": "2012-10-17"}'):
        refused(400, "MalformedPolicy", s3.put_bucket_policy, Bucket=bucket, Policy=text)
    s3.put_bucket_policy(Bucket=bucket, Policy=POLICY)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}


def test_notifications(s3: Any, bucket: str) -> None:
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    topic = {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Events": ["s3:ObjectCreated:*"], "Id": "n"}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [topic]})
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["TopicConfigurations"] == [topic]


def test_what_is_always_or_never_so(s3: Any, refused: Any, bucket: str) -> None:
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    refused(404, "ReplicationConfigurationNotFoundError", s3.get_bucket_replication, Bucket=bucket)
    refused(404, "ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration, Bucket=bucket)


def test_configurations_put_at_once_are_all_kept(s3: Any, bucket: str) -> None:
    puts = [entry for entry in KEPT if entry[0] != "bucket_policy"]
    with ThreadPoolExecutor(len(puts)) as pool:
        list(pool.map(lambda entry: getattr(s3, f"put_{entry[0]}")(Bucket=bucket, **entry[2]), puts))
    for noun, _, _, got, _ in puts:
        found = getattr(s3, f"get_{noun}")(Bucket=bucket)
        assert {name: found[name] for name in got} == got

"""Which IAM actions on which ARNs the operations ask for: users with narrow policies, over boto3."""

import json
import uuid
from typing import Any

import pytest


@pytest.fixture
def user(server: Any, bucket: str) -> Any:
    """user(*actions, on=...): a client of a new user who may do just these, on keys under allowed/ or on `on`."""
    iam = server.client("iam")

    def make(*actions: str, on: str = "{bucket}/allowed/*") -> Any:
        name = f"worker-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:s3:::{on.format(bucket=bucket)}"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="narrow", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return server.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

    return make


def test_an_object_policy(s3: Any, user: Any, refused: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="secret", Body=b"x")
    worker = user("s3:PutObject", "s3:GetObject")
    allowed = {"Bucket": bucket, "Key": "allowed/a"}
    worker.put_object(Body=b"mine", **allowed)
    assert worker.get_object(**allowed)["Body"].read() == b"mine"
    worker.head_object(**allowed)
    upload = worker.create_multipart_upload(**allowed)["UploadId"]
    worker.upload_part(UploadId=upload, PartNumber=1, Body=b"x", **allowed)
    refused(403, "AccessDenied", worker.abort_multipart_upload, UploadId=upload, **allowed)
    refused(403, "AccessDenied", worker.get_object, Bucket=bucket, Key="secret")
    refused(403, "403", worker.head_object, Bucket=bucket, Key="secret")
    refused(403, "AccessDenied", worker.put_object, Bucket=bucket, Key="secret", Body=b"")
    refused(403, "AccessDenied", worker.delete_object, **allowed)
    refused(403, "AccessDenied", worker.list_objects_v2, Bucket=bucket)
    refused(403, "AccessDenied", worker.list_buckets)
    worker.copy_object(Bucket=bucket, Key="allowed/b", CopySource=allowed)
    secret = {"Bucket": bucket, "Key": "secret"}
    refused(403, "AccessDenied", worker.copy_object, Bucket=bucket, Key="allowed/c", CopySource=secret)


def test_deleting_many_asks_for_each(s3: Any, user: Any, refused: Any, bucket: str) -> None:
    for key in ("allowed/a", "secret"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    worker = user("s3:DeleteObject")
    both = [{"Key": "allowed/a"}, {"Key": "secret"}]
    answer = worker.delete_objects(Bucket=bucket, Delete={"Objects": both})
    assert [found["Key"] for found in answer["Deleted"]] == ["allowed/a"]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("secret", "AccessDenied")]
    assert s3.get_object(Bucket=bucket, Key="secret")["Body"].read() == b"x"
    refused(403, "AccessDenied", worker.delete_objects, Bucket=bucket, Delete={"Objects": both[1:]})


def test_a_bucket_policy(user: Any, refused: Any, bucket: str) -> None:
    worker = user("s3:ListBucket", "s3:GetEncryptionConfiguration", on="{bucket}")
    worker.head_bucket(Bucket=bucket)
    worker.list_objects(Bucket=bucket)
    worker.list_objects_v2(Bucket=bucket)
    code = "ServerSideEncryptionConfigurationNotFoundError"
    refused(404, code, worker.get_bucket_encryption, Bucket=bucket)
    refused(403, "AccessDenied", worker.list_object_versions, Bucket=bucket)
    refused(403, "AccessDenied", worker.delete_bucket, Bucket=bucket)
    refused(403, "AccessDenied", worker.get_bucket_cors, Bucket=bucket)

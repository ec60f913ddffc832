"""Tags of buckets and objects over boto3."""

from typing import Any

import pytest


def tag_set(**tags: str) -> dict[str, list[dict[str, str]]]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}


def test_tags_of_an_object(s3: Any, bucket: str) -> None:
    where = {"Bucket": bucket, "Key": "a"}
    s3.put_object(Body=b"x", Tagging="line=1&part=glass+marble&empty=", **where)
    assert s3.get_object_tagging(**where)["TagSet"] == tag_set(line="1", part="glass marble", empty="")["TagSet"]
    before = s3.head_object(**where)
    s3.put_object_tagging(Tagging=tag_set(line="2"), **where)
    assert s3.get_object_tagging(**where)["TagSet"] == tag_set(line="2")["TagSet"]
    after = s3.head_object(**where)
    assert (after["ETag"], after["LastModified"], after["TagCount"]) == (before["ETag"], before["LastModified"], 1)
    assert s3.delete_object_tagging(**where)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object_tagging(**where)["TagSet"] == []


def test_tags_of_a_bucket(s3: Any, refused: Any, bucket: str) -> None:
    refused(404, "NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tag_set(team="line 1"))
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tag_set(team="line 1")["TagSet"]
    s3.delete_bucket_tagging(Bucket=bucket)
    refused(404, "NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("&".join(f"k{number}=v" for number in range(11)), "BadRequest"),
        ("a=1&a=2", "InvalidTag"),
        ("k" * 129 + "=v", "InvalidTag"),
        ("k=" + "v" * 257, "InvalidTag"),
        ("no-equals-sign", "InvalidArgument"),
    ],
)
def test_tags_that_are_refused(s3: Any, refused: Any, bucket: str, header: str, code: str) -> None:
    refused(400, code, s3.put_object, Bucket=bucket, Key="a", Body=b"x", Tagging=header)

"""Objects over boto3: bytes, headers, keys, ranges, conditions, deletion."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

KEYS = [
    "plain.jpg",
    "/leading",
    "trailing/",
    "//",
    "a//b",
    "..",
    "../up/../../etc/passwd",
    "./here",
    "space and+plus",
    "percent%20%2F",
    "q?a=b&c#d",
    "ünï/日本語/\U0001f600",
    "quote\"'<&>",
    "semi;colon:@=,$!*()",
    "\\back\\slash",
    "k" * 1024,
    "é" * 512,
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_exact(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": "copy"}]})
    assert {found["Key"] for found in deleted["Deleted"]} == {key, "copy"}
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_key_of_more_than_1024_bytes(s3: Any, refused: Any, bucket: str) -> None:
    refused(400, "KeyTooLongError", s3.put_object, Bucket=bucket, Key="é" * 513, Body=b"x")
    refused(400, "KeyTooLongError", s3.create_multipart_upload, Bucket=bucket, Key="é" * 513)


def test_headers_and_metadata_come_back(s3: Any, bucket: str) -> None:
    expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    asked = {
        "ContentType": "image/jpeg",
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="marble.jpg"',
        "ContentEncoding": "identity",
        "ContentLanguage": "en",
        "WebsiteRedirectLocation": "/other",
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "alias/marbles",
        "BucketKeyEnabled": True,
        "Metadata": {"camera": "left", "line-2": "a b"},
    }
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"abc", Expires=expires, Tagging="k=v&l=w", **asked)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", "alias/marbles")
    for found in (s3.get_object(Bucket=bucket, Key="a"), s3.head_object(Bucket=bucket, Key="a")):
        assert {name: found[name] for name in asked} == asked
        assert found["Expires"] == expires
        assert (found["ContentLength"], found["ETag"]) == (3, put["ETag"])
        assert found["AcceptRanges"] == "bytes"
        assert abs(found["LastModified"] - datetime.now(UTC)) < timedelta(minutes=5)
    assert s3.head_object(Bucket=bucket, Key="a")["TagCount"] == 2


def test_defaults(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty")
    found = s3.get_object(Bucket=bucket, Key="empty")
    assert (found["Body"].read(), found["ContentLength"], found["Metadata"]) == (b"", 0, {})
    assert found["ContentType"] == "binary/octet-stream"
    assert found["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    assert not {"StorageClass", "ServerSideEncryption", "ContentRange", "TagCount", "PartsCount"} & found.keys()


def test_response_overrides(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentType="image/png")
    found = s3.get_object(
        Bucket=bucket,
        Key="a",
        ResponseContentType="text/plain",
        ResponseContentDisposition="inline",
        ResponseCacheControl="no-store",
        ResponseContentLanguage="de",
        ResponseExpires=datetime(2031, 1, 1, tzinfo=UTC),
    )
    assert (found["ContentType"], found["ContentDisposition"]) == ("text/plain", "inline")
    assert (found["CacheControl"], found["ContentLanguage"]) == ("no-store", "de")
    assert found["Expires"] == datetime(2031, 1, 1, tzinfo=UTC)


RANGES = [
    # Range, bytes, Content-Range (None: the whole object, 200)
    ("bytes=0-3", b"0123", "bytes 0-3/10"),
    ("bytes=4-", b"456789", "bytes 4-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"),
    ("bytes=-30", b"0123456789", "bytes 0-9/10"),
    ("bytes=8-100", b"89", "bytes 8-9/10"),
    ("bytes=9-9", b"9", "bytes 9-9/10"),
    ("bytes=0-0,2-3", b"0123456789", None),
    ("bytes=5-2", b"0123456789", None),
    ("bytes=-", b"0123456789", None),
    ("lines=1-2", b"0123456789", None),
    ("bytes=0-" + "9" * 5000, b"0123456789", None),
]


@pytest.mark.parametrize(("header", "data", "content_range"), RANGES)
def test_ranges(s3: Any, bucket: str, header: str, data: bytes, content_range: str | None) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    found = s3.get_object(Bucket=bucket, Key="a", Range=header)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == (206 if content_range else 200)
    assert (found["Body"].read(), found["ContentLength"]) == (data, len(data))
    assert found.get("ContentRange") == content_range
    assert s3.head_object(Bucket=bucket, Key="a", Range=header)["ContentLength"] == len(data)


@pytest.mark.parametrize(("data", "header"), [(b"0123", "bytes=4-"), (b"0123", "bytes=-0"), (b"", "bytes=0-")])
def test_ranges_outside(s3: Any, refused: Any, bucket: str, data: bytes, header: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=data)
    error = refused(416, "InvalidRange", s3.get_object, Bucket=bucket, Key="a", Range=header)
    assert (error["ActualObjectSize"], error["RangeRequested"]) == (str(len(data)), header)


HOUR = timedelta(hours=1)
READ_CONDITIONS: list[tuple[Mapping[str, Any], int]] = [
    ({"IfMatch": "{etag}"}, 200),
    ({"IfMatch": "*"}, 200),
    ({"IfMatch": '"other"'}, 412),
    ({"IfNoneMatch": '"other"'}, 200),
    ({"IfNoneMatch": "{etag}"}, 304),
    ({"IfNoneMatch": "*"}, 304),
    ({"IfModifiedSince": -HOUR}, 200),
    ({"IfModifiedSince": timedelta()}, 304),
    ({"IfUnmodifiedSince": -HOUR}, 412),
    ({"IfUnmodifiedSince": timedelta()}, 200),
    ({"IfMatch": "{etag}", "IfUnmodifiedSince": -HOUR}, 200),
    ({"IfNoneMatch": '"other"', "IfModifiedSince": timedelta()}, 200),
    ({"IfNoneMatch": "{etag}", "IfModifiedSince": -HOUR}, 304),
]


@pytest.mark.parametrize(("conditions", "status"), READ_CONDITIONS)
def test_conditional_reads(s3: Any, refused: Any, bucket: str, conditions: Mapping[str, Any], status: int) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc")
    head = s3.head_object(Bucket=bucket, Key="a")
    asked = {
        name: head["LastModified"] + value if isinstance(value, timedelta) else value.replace("{etag}", head["ETag"])
        for name, value in conditions.items()
    }
    if status == 200:
        assert s3.get_object(Bucket=bucket, Key="a", **asked)["Body"].read() == b"abc"
        s3.head_object(Bucket=bucket, Key="a", **asked)
    else:
        code = {304: "304", 412: "PreconditionFailed"}[status]
        refused(status, code, s3.get_object, Bucket=bucket, Key="a", **asked)
        refused(status, str(status), s3.head_object, Bucket=bucket, Key="a", **asked)


def test_conditional_writes(s3: Any, refused: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
    refused(412, "PreconditionFailed", s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")
    second = s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfMatch=first["ETag"])
    refused(412, "PreconditionFailed", s3.put_object, Bucket=bucket, Key="a", Body=b"3", IfMatch=first["ETag"])
    refused(404, "NoSuchKey", s3.put_object, Bucket=bucket, Key="b", Body=b"3", IfMatch=first["ETag"])
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"
    refused(412, "PreconditionFailed", s3.delete_object, Bucket=bucket, Key="a", IfMatch=first["ETag"])
    s3.delete_object(Bucket=bucket, Key="a", IfMatch=second["ETag"])
    refused(404, "404", s3.head_object, Bucket=bucket, Key="a")


def test_what_is_not_there(s3: Any, refused: Any, bucket: str) -> None:
    assert refused(404, "NoSuchKey", s3.get_object, Bucket=bucket, Key="none")["Key"] == "none"
    refused(404, "404", s3.head_object, Bucket=bucket, Key="none")
    refused(404, "NoSuchKey", s3.get_object_tagging, Bucket=bucket, Key="none")
    refused(404, "NoSuchKey", s3.copy_object, Bucket=bucket, Key="a", CopySource={"Bucket": bucket, "Key": "none"})
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_versions_other_than_null(s3: Any, refused: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="a", VersionId="null")["Body"].read() == b"x"
    refused(404, "NoSuchVersion", s3.get_object, Bucket=bucket, Key="a", VersionId="v1")
    refused(404, "NoSuchVersion", s3.delete_object, Bucket=bucket, Key="a", VersionId="v1")
    refused(400, "NotImplemented", s3.delete_object, Bucket=bucket, Key="a", IfMatchSize=7)
    s3.delete_object(Bucket=bucket, Key="a", VersionId="null")


def test_deleting_many(s3: Any, refused: Any, bucket: str) -> None:
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=str(number), Body=b"x")
    wanted: list[dict[str, Any]] = [
        {"Key": "0"},
        {"Key": "1", "VersionId": "v1"},
        {"Key": "2", "ETag": '"other"'},
        {"Key": "never"},
    ]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert [found["Key"] for found in answer["Deleted"]] == ["0", "never"]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [
        ("1", "NoSuchVersion"),
        ("2", "PreconditionFailed"),
    ]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "1"}, {"Key": "2"}], "Quiet": True})
    assert not {"Deleted", "Errors"} & quiet.keys()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    too_many = [{"Key": str(number)} for number in range(1001)]
    refused(400, "MalformedXML", s3.delete_objects, Bucket=bucket, Delete={"Objects": too_many})


def test_metadata_has_a_limit(s3: Any, refused: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", Metadata={"k": "v" * 2047})
    refused(400, "MetadataTooLarge", s3.put_object, Bucket=bucket, Key="a", Body=b"x", Metadata={"k": "v" * 2048})


UNBUILT: list[Mapping[str, Any]] = [
    {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime(2030, 1, 1, tzinfo=UTC)},
    {"ObjectLockLegalHoldStatus": "ON"},
    {"WriteOffsetBytes": 10},
]


@pytest.mark.parametrize("more", UNBUILT)
def test_promises_that_could_not_be_kept_are_refused(
    s3: Any, refused: Any, bucket: str, more: Mapping[str, Any]
) -> None:
    refused(400, "NotImplemented", s3.put_object, Bucket=bucket, Key="a", Body=b"x", **more)


def test_attributes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc", ChecksumAlgorithm="SHA256")
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    found = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=wanted)
    assert (found["ETag"], found["ObjectSize"]) == ("900150983cd24fb0d6963f7d28e17f72", 3)
    assert found["StorageClass"] == "STANDARD"
    assert found["Checksum"] == {
        "ChecksumSHA256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        "ChecksumType": "FULL_OBJECT",
    }
    assert "ObjectParts" not in found
    only = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=["ObjectSize"])
    assert not {"ETag", "Checksum", "StorageClass"} & only.keys()

"""CopyObject over boto3: directives, conditions, sources."""

from collections.abc import Mapping
from typing import Any

import pytest


@pytest.fixture
def source(s3: Any, bucket: str) -> dict[str, str]:
    s3.put_object(
        Bucket=bucket,
        Key="from here",
        Body=b"abc",
        ContentType="image/png",
        CacheControl="no-cache",
        Metadata={"of": "source"},
        Tagging="of=source",
        ServerSideEncryption="AES256",
    )
    return {"Bucket": bucket, "Key": "from here"}


NEW = {"ContentType": "text/plain", "Metadata": {"of": "request"}, "Tagging": "of=request"}
DIRECTIVES: list[tuple[Mapping[str, Any], str, str | None, str, str]] = [
    # asked -> ContentType, CacheControl, metadata, tag
    ({}, "image/png", "no-cache", "source", "source"),
    ({"MetadataDirective": "COPY", "TaggingDirective": "COPY", **NEW}, "image/png", "no-cache", "source", "source"),
    ({"MetadataDirective": "REPLACE", **NEW}, "text/plain", None, "request", "source"),
    ({"TaggingDirective": "REPLACE", **NEW}, "image/png", "no-cache", "source", "request"),
]


@pytest.mark.parametrize(("asked", "content_type", "cache", "metadata", "tag"), DIRECTIVES)
def test_directives(
    s3: Any,
    source: dict[str, str],
    asked: Mapping[str, Any],
    content_type: str,
    cache: str | None,
    metadata: str,
    tag: str,
) -> None:
    bucket = source["Bucket"]
    result = s3.copy_object(Bucket=bucket, Key="to", CopySource=source, **asked)["CopyObjectResult"]
    found = s3.get_object(Bucket=bucket, Key="to")
    assert found["Body"].read() == b"abc"
    assert (found["ETag"], found["LastModified"]) == (result["ETag"], result["LastModified"])
    assert (found["ContentType"], found.get("CacheControl")) == (content_type, cache)
    assert found["Metadata"] == {"of": metadata}
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "of", "Value": tag}]
    assert "ServerSideEncryption" not in found  # the request's, never the source's


def test_onto_itself(s3: Any, refused: Any, source: dict[str, str]) -> None:
    error = refused(400, "InvalidRequest", s3.copy_object, CopySource=source, **source)
    assert "MetadataDirective" in error["Message"]
    s3.copy_object(CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"}, **source)
    found = s3.get_object(**source)
    assert (found["Body"].read(), found["Metadata"]) == (b"abc", {"new": "1"})


CONDITIONS: list[tuple[Mapping[str, str], bool]] = [
    ({"CopySourceIfMatch": "{etag}"}, True),
    ({"CopySourceIfMatch": "other"}, False),
    ({"CopySourceIfNoneMatch": "other"}, True),
    ({"CopySourceIfNoneMatch": "{etag}"}, False),
    ({"CopySourceIfModifiedSince": "2001-01-01"}, True),
    ({"CopySourceIfUnmodifiedSince": "2001-01-01"}, False),
]


@pytest.mark.parametrize(("asked", "copies"), CONDITIONS)
def test_conditions_of_the_source(
    s3: Any, refused: Any, source: dict[str, str], asked: Mapping[str, str], copies: bool
) -> None:
    etag = s3.head_object(**source)["ETag"]
    target = {"Bucket": source["Bucket"], "Key": "to", "CopySource": source}
    target.update({name: value.replace("{etag}", etag) for name, value in asked.items()})
    if copies:
        s3.copy_object(**target)
    else:
        refused(412, "PreconditionFailed", s3.copy_object, **target)


def test_condition_of_the_target(s3: Any, refused: Any, source: dict[str, str]) -> None:
    target = {"Bucket": source["Bucket"], "Key": "to", "CopySource": source, "IfNoneMatch": "*"}
    s3.copy_object(**target)
    refused(412, "PreconditionFailed", s3.copy_object, **target)


@pytest.mark.parametrize("text", ["bucket-only", "/", "arn:aws:s3:us-east-1:1:accesspoint/a/object/b"])
def test_sources_that_are_none(s3: Any, refused: Any, bucket: str, text: str) -> None:
    refused(400, "InvalidArgument", s3.copy_object, Bucket=bucket, Key="to", CopySource=text)


def test_a_source_as_text(s3: Any, source: dict[str, str]) -> None:
    bucket = source["Bucket"]
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"/{bucket}/from here?versionId=null")
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == b"abc"


def test_a_checksum_of_the_copy(s3: Any, source: dict[str, str]) -> None:
    result = s3.copy_object(Bucket=source["Bucket"], Key="to", CopySource=source, ChecksumAlgorithm="SHA256")
    assert result["CopyObjectResult"]["ChecksumSHA256"] == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    kept = s3.copy_object(Bucket=source["Bucket"], Key="kept", CopySource=source)["CopyObjectResult"]
    assert kept["ChecksumCRC32"] == s3.head_object(ChecksumMode="ENABLED", **source)["ChecksumCRC32"]

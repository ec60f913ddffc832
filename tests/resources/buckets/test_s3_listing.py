"""Listings over boto3: pages, delimiters, encodings, versions."""

from typing import Any

import pytest

KEYS = ["a", "a b/1", "a+b/2", "photos/ko/1.jpg", "photos/ko/2.jpg", "photos/ok/1.jpg", "ä/1", "z"]


@pytest.fixture(scope="module")
def filled(s3: Any) -> str:
    s3.create_bucket(Bucket="listing-filled")
    for key in KEYS:
        s3.put_object(Bucket="listing-filled", Key=key, Body=key.encode())
    return "listing-filled"


ORDERED = sorted(KEYS, key=str.encode)
ROOT = (["a", "z"], ["a b/", "a+b/", "photos/", "ä/"])
PAGERS = ["list_objects", "list_objects_v2", "list_object_versions"]


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("operation", PAGERS)
def test_pages(s3: Any, filled: str, operation: str, size: int) -> None:
    """botocore asks for EncodingType=url by itself, and decodes."""
    pager = s3.get_paginator(operation)
    assert _found(pager.paginate(Bucket=filled, PaginationConfig={"PageSize": size})) == (ORDERED, [])
    assert _found(pager.paginate(Bucket=filled, Delimiter="/", PaginationConfig={"PageSize": size})) == ROOT


def _found(pages: Any) -> tuple[list[str], list[str]]:
    keys: list[str] = []
    prefixes: list[str] = []
    for page in pages:
        keys += [found["Key"] for found in page.get("Contents", page.get("Versions", []))]
        prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
    return keys, prefixes


def test_encoding(s3: Any, filled: str) -> None:
    """Who asks for the encoding itself gets it undecoded."""
    page = s3.list_objects_v2(Bucket=filled, EncodingType="url", Delimiter="/")
    assert page["CommonPrefixes"] == [{"Prefix": text} for text in ("a%20b/", "a%2Bb/", "photos/", "%C3%A4/")]
    assert page["EncodingType"] == "url"


def test_members_of_v2(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, Prefix="photos/", Delimiter="/", MaxKeys=1, FetchOwner=True)
    assert (page["Name"], page["Prefix"], page["Delimiter"], page["MaxKeys"]) == (filled, "photos/", "/", 1)
    assert (page["KeyCount"], page["IsTruncated"]) == (1, True)
    rest = s3.list_objects_v2(
        Bucket=filled, Prefix="photos/", Delimiter="/", ContinuationToken=page["NextContinuationToken"]
    )
    assert rest["CommonPrefixes"] == [{"Prefix": "photos/ok/"}]
    assert (rest["IsTruncated"], rest["ContinuationToken"]) == (False, page["NextContinuationToken"])
    assert "NextContinuationToken" not in rest
    (entry,) = s3.list_objects_v2(Bucket=filled, Prefix="z", FetchOwner=True)["Contents"]
    head = s3.head_object(Bucket=filled, Key="z")
    assert (entry["Size"], entry["ETag"], entry["StorageClass"]) == (1, head["ETag"], "STANDARD")
    assert entry["LastModified"] == head["LastModified"]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == (["CRC32"], "FULL_OBJECT")
    assert len(entry["Owner"]["ID"]) == 64
    assert "Owner" not in s3.list_objects_v2(Bucket=filled, Prefix="z")["Contents"][0]


def test_start_after_and_marker(s3: Any, filled: str) -> None:
    behind = s3.list_objects_v2(Bucket=filled, StartAfter="photos/ko/1.jpg")
    assert [found["Key"] for found in behind["Contents"]] == ORDERED[ORDERED.index("photos/ko/2.jpg") :]
    assert behind["StartAfter"] == "photos/ko/1.jpg"
    marked = s3.list_objects(Bucket=filled, Marker="photos/ko/1.jpg", MaxKeys=1)
    assert [found["Key"] for found in marked["Contents"]] == ["photos/ko/2.jpg"]
    assert (marked["IsTruncated"], marked["Marker"]) == (True, "photos/ko/1.jpg")


def test_no_keys_asked_for(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (0, False, 0)
    assert s3.list_objects_v2(Bucket=filled, MaxKeys=5000)["MaxKeys"] == 1000


def test_versions_are_null(s3: Any, filled: str) -> None:
    (version,) = s3.list_object_versions(Bucket=filled, Prefix="z")["Versions"]
    assert (version["VersionId"], version["IsLatest"], version["Size"]) == ("null", True, 1)

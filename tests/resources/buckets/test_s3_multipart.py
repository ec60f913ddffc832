"""Multipart uploads over boto3."""

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

LEAST = 5 << 20
HEAD, TAIL = bytes(range(256)) * (LEAST // 256), b"the tail"


def started(s3: Any, bucket: str, key: str = "big", **more: Any) -> dict[str, Any]:
    return {
        "Bucket": bucket,
        "Key": key,
        "UploadId": s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"],
    }


def sent(s3: Any, upload: Mapping[str, Any], number: int, data: bytes, **more: Any) -> dict[str, Any]:
    answer = s3.upload_part(PartNumber=number, Body=data, **upload, **more)
    checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
    return {"PartNumber": number, "ETag": answer["ETag"], **checksums}


def complete(s3: Any, upload: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], **more: Any) -> Any:
    return s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload, **more)


def test_an_upload(s3: Any, refused: Any, bucket: str) -> None:
    upload = started(
        s3, bucket, "a/big", ContentType="image/tiff", Metadata={"k": "v"}, Tagging="t=1", ServerSideEncryption="AES256"
    )
    parts = [sent(s3, upload, 2, HEAD), sent(s3, upload, 5, TAIL)]
    refused(404, "404", s3.head_object, Bucket=bucket, Key="a/big")
    listed = s3.list_parts(**upload)
    assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed["Parts"]] == [
        (2, LEAST, parts[0]["ETag"]),
        (5, len(TAIL), parts[1]["ETag"]),
    ]
    done = complete(s3, upload, parts, MpuObjectSize=LEAST + len(TAIL))
    md5 = hashlib.md5(hashlib.md5(HEAD).digest() + hashlib.md5(TAIL).digest()).hexdigest()
    assert (done["ETag"], done["Bucket"], done["Key"]) == (f'"{md5}-2"', bucket, "a/big")
    assert done["Location"].endswith(f"/{bucket}/a/big")
    assert done["ServerSideEncryption"] == "AES256"
    found = s3.get_object(Bucket=bucket, Key="a/big")
    assert found["Body"].read() == HEAD + TAIL
    assert (found["ContentType"], found["Metadata"], found["TagCount"]) == ("image/tiff", {"k": "v"}, 1)
    for deed in (s3.list_parts, s3.abort_multipart_upload):
        refused(404, "NoSuchUpload", deed, **upload)


def test_a_completion_is_safe_to_repeat(s3: Any, refused: Any, bucket: str) -> None:
    """The client's connection broke before the answer: it asks again and hears the same."""
    upload = started(s3, bucket)
    parts = [sent(s3, upload, 1, HEAD), sent(s3, upload, 2, TAIL)]
    first, again = (complete(s3, upload, parts, IfNoneMatch="*") for _ in range(2))
    del first["ResponseMetadata"], again["ResponseMetadata"]
    assert first == again
    refused(404, "NoSuchUpload", complete, s3=s3, upload=upload, parts=parts[:1])
    s3.put_object(Bucket=bucket, Key="big", Body=b"other")
    refused(404, "NoSuchUpload", complete, s3=s3, upload=upload, parts=parts)


def test_getting_by_part(s3: Any, refused: Any, bucket: str) -> None:
    upload = started(s3, bucket)
    complete(s3, upload, [sent(s3, upload, 1, HEAD), sent(s3, upload, 2, TAIL)])
    where = {"Bucket": bucket, "Key": "big"}
    second = s3.get_object(PartNumber=2, **where)
    assert (second["Body"].read(), second["PartsCount"]) == (TAIL, 2)
    assert second["ContentRange"] == f"bytes {LEAST}-{LEAST + len(TAIL) - 1}/{LEAST + len(TAIL)}"
    assert s3.head_object(PartNumber=1, **where)["ContentLength"] == LEAST
    refused(416, "InvalidPartNumber", s3.get_object, PartNumber=3, **where)
    refused(400, "InvalidRequest", s3.get_object, PartNumber=1, Range="bytes=0-1", **where)
    parts = s3.get_object_attributes(ObjectAttributes=["ObjectParts"], MaxParts=1, **where)["ObjectParts"]
    assert (parts["TotalPartsCount"], parts["IsTruncated"], parts["NextPartNumberMarker"]) == (2, True, 1)
    assert [(part["PartNumber"], part["Size"]) for part in parts["Parts"]] == [(1, LEAST)]


def test_completions_that_are_refused(s3: Any, refused: Any, bucket: str) -> None:
    upload = started(s3, bucket)
    small, last = sent(s3, upload, 1, b"too small"), sent(s3, upload, 2, TAIL)
    error = refused(400, "EntityTooSmall", complete, s3=s3, upload=upload, parts=[small, last])
    assert (error["ProposedSize"], error["MinSizeAllowed"], error["PartNumber"]) == ("9", str(LEAST), "1")
    for code, parts in (
        ("MalformedXML", []),
        ("InvalidPartOrder", [last, small]),
        ("InvalidPartOrder", [small, small]),
        ("InvalidPart", [{**small, "ETag": last["ETag"]}]),
        ("InvalidPart", [{**small, "PartNumber": 3}]),
        ("InvalidPart", [{**small, "ChecksumCRC32": "AAAAAA=="}]),
    ):
        refused(400, code, complete, s3=s3, upload=upload, parts=parts)
    refused(400, "InvalidRequest", complete, s3=s3, upload=upload, parts=[last], MpuObjectSize=1)
    s3.put_object(Bucket=bucket, Key="big", Body=b"there")
    refused(412, "PreconditionFailed", complete, s3=s3, upload=upload, parts=[last], IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == b"there"
    complete(s3, upload, [last])
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == TAIL


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_numbers(s3: Any, refused: Any, bucket: str, number: int) -> None:
    upload = started(s3, bucket)
    refused(400, "InvalidArgument", s3.upload_part, PartNumber=number, Body=b"x", **upload)


def test_an_unknown_upload(s3: Any, refused: Any, bucket: str) -> None:
    upload = {"Bucket": bucket, "Key": "big", "UploadId": "none"}
    refused(404, "NoSuchUpload", s3.upload_part, PartNumber=1, Body=b"x", **upload)
    refused(404, "NoSuchUpload", complete, s3=s3, upload=upload, parts=[{"PartNumber": 1, "ETag": "x"}])
    mine = started(s3, bucket)
    refused(404, "NoSuchUpload", s3.list_parts, **{**mine, "Key": "other"})


def test_aborting(s3: Any, refused: Any, bucket: str) -> None:
    upload = started(s3, bucket)
    sent(s3, upload, 1, TAIL)
    s3.abort_multipart_upload(**upload)
    refused(404, "NoSuchUpload", s3.upload_part, PartNumber=1, Body=b"x", **upload)
    s3.delete_bucket(Bucket=bucket)


def test_parts_by_page(s3: Any, bucket: str) -> None:
    upload = started(s3, bucket)
    for number in (1, 2, 9):
        sent(s3, upload, number, TAIL)
    pages = list(s3.get_paginator("list_parts").paginate(PaginationConfig={"PageSize": 2}, **upload))
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[1, 2], [9]]


def test_uploads_by_page(s3: Any, bucket: str) -> None:
    keys = ["a", "b", "b", "photos/1", "photos/2", "z"]
    ids = [started(s3, bucket, key)["UploadId"] for key in keys]
    pager = s3.get_paginator("list_multipart_uploads")
    for size in (1, 2, 1000):
        found = [
            (upload["Key"], upload["UploadId"])
            for page in pager.paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
            for upload in page.get("Uploads", [])
        ]
        assert sorted(found) == sorted(zip(keys, ids, strict=True))
        assert [key for key, _ in found] == keys
        rolled = list(pager.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}))
        assert [found["Key"] for page in rolled for found in page.get("Uploads", [])] == ["a", "b", "b", "z"]
        assert [found["Prefix"] for page in rolled for found in page.get("CommonPrefixes", [])] == ["photos/"]
    prefixed = s3.list_multipart_uploads(Bucket=bucket, Prefix="photos/")
    assert [upload["Key"] for upload in prefixed["Uploads"]] == ["photos/1", "photos/2"]


def test_copying_parts(s3: Any, refused: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=HEAD + TAIL)
    upload = started(s3, bucket)
    source = {"Bucket": bucket, "Key": "source"}

    def copied(number: int, **more: Any) -> dict[str, Any]:
        result = s3.upload_part_copy(PartNumber=number, CopySource=source, **upload, **more)["CopyPartResult"]
        return {"PartNumber": number, "ETag": result["ETag"]}

    parts = [copied(1), copied(2, CopySourceRange=f"bytes={LEAST}-{LEAST + 2}")]
    complete(s3, upload, parts)
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == HEAD + TAIL + TAIL[:3]
    assert s3.get_object(**source)["Body"].read() == HEAD + TAIL
    upload = started(s3, bucket)
    for header in ("bytes=0-99999999", "bytes=5-", "bytes=-5", "bytes=3-2", "0-5"):
        refused(
            400,
            "InvalidArgument",
            s3.upload_part_copy,
            PartNumber=1,
            CopySource=source,
            CopySourceRange=header,
            **upload,
        )
    refused(
        412,
        "PreconditionFailed",
        s3.upload_part_copy,
        PartNumber=1,
        CopySource=source,
        CopySourceIfMatch="other",
        **upload,
    )


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


CRC_HEAD, CRC_TAIL = (zlib.crc32(data).to_bytes(4, "big") for data in (HEAD, TAIL))
CHECKSUMS = [
    # algorithm, type asked, type given, value given (None: only that the client's own check of the download holds)
    ("CRC32", None, "COMPOSITE", b64(zlib.crc32(CRC_HEAD + CRC_TAIL).to_bytes(4, "big")) + "-2"),
    ("CRC32", "FULL_OBJECT", "FULL_OBJECT", b64(zlib.crc32(HEAD + TAIL).to_bytes(4, "big"))),
    ("CRC32C", "FULL_OBJECT", "FULL_OBJECT", None),
    ("CRC64NVME", None, "FULL_OBJECT", None),
    (
        "SHA1",
        None,
        "COMPOSITE",
        b64(hashlib.sha1(hashlib.sha1(HEAD).digest() + hashlib.sha1(TAIL).digest()).digest()) + "-2",
    ),
    ("SHA256", "COMPOSITE", "COMPOSITE", None),
]


@pytest.mark.parametrize(("algorithm", "asked", "given", "value"), CHECKSUMS)
def test_checksums_of_the_whole(
    s3: Any, refused: Any, bucket: str, algorithm: str, asked: str | None, given: str, value: str | None
) -> None:
    more = {"ChecksumType": asked} if asked else {}
    upload = started(s3, bucket, ChecksumAlgorithm=algorithm, **more)
    parts = [sent(s3, upload, n, data, ChecksumAlgorithm=algorithm) for n, data in ((1, HEAD), (2, TAIL))]
    member = f"Checksum{algorithm}"
    assert all(member in part for part in parts)
    wrong = b64(bytes(len(base64.b64decode(parts[0][member]))))
    refused(400, "BadDigest", complete, s3=s3, upload=upload, parts=parts, **{member: wrong})
    done = complete(s3, upload, parts)
    assert done["ChecksumType"] == given
    assert value is None or done[member] == value
    found = s3.get_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")
    assert found["Body"].read() == HEAD + TAIL  # botocore compares FULL_OBJECT ones
    assert (found[member], found["ChecksumType"]) == (done[member], given)


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("SHA256", "FULL_OBJECT"), ("SHA1", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")]
)
def test_checksum_types_that_cannot_be(s3: Any, refused: Any, bucket: str, algorithm: str, kind: str) -> None:
    refused(
        400,
        "InvalidRequest",
        s3.create_multipart_upload,
        Bucket=bucket,
        Key="big",
        ChecksumAlgorithm=algorithm,
        ChecksumType=kind,
    )

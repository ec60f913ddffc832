"""Checksums over boto3: computed by the client, verified, kept and given back; wrong ones refused."""

import base64
import hashlib
import zlib
from typing import Any

import pytest

DATA = b"123456789"
CHECK_VALUES = {
    # The check values of "123456789": reveng's catalogue of CRCs; hashes by hashlib.
    "CRC32": bytes.fromhex("cbf43926"),
    "CRC32C": bytes.fromhex("e3069283"),
    "CRC64NVME": bytes.fromhex("ae8b14860a799888"),
    "SHA1": hashlib.sha1(DATA).digest(),
    "SHA256": hashlib.sha256(DATA).digest(),
    "SHA512": hashlib.sha512(DATA).digest(),
    "MD5": hashlib.md5(DATA).digest(),
}


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("algorithm", CHECK_VALUES)
def test_a_checksum_is_kept(s3: Any, bucket: str, algorithm: str) -> None:
    member, value = f"Checksum{algorithm}", b64(CHECK_VALUES[algorithm])
    put = s3.put_object(Bucket=bucket, Key="a", Body=DATA, **{member: value})
    assert (put[member], put["ChecksumType"]) == (value, "FULL_OBJECT")
    for operation in (s3.get_object, s3.head_object):
        assert operation(Bucket=bucket, Key="a", ChecksumMode="ENABLED")[member] == value
    assert member not in s3.get_object(Bucket=bucket, Key="a", Range="bytes=0-3", ChecksumMode="ENABLED")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_what_the_client_computes_is_verified(s3: Any, bucket: str, algorithm: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="a", Body=DATA, ChecksumAlgorithm=algorithm)
    assert put[f"Checksum{algorithm}"] == b64(CHECK_VALUES[algorithm])
    (entry,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert entry["ChecksumAlgorithm"] == [algorithm]


@pytest.mark.parametrize("algorithm", CHECK_VALUES)
def test_a_wrong_checksum(s3: Any, refused: Any, bucket: str, algorithm: str) -> None:
    right = CHECK_VALUES[algorithm]
    for wrong, code in ((b64(bytes(len(right))), "BadDigest"), (b64(b"short"), "InvalidRequest")):
        refused(400, code, s3.put_object, Bucket=bucket, Key="a", Body=DATA, **{f"Checksum{algorithm}": wrong})
    refused(404, "404", s3.head_object, Bucket=bucket, Key="a")


def test_two_checksums(s3: Any, refused: Any, bucket: str) -> None:
    two = {f"Checksum{name}": b64(CHECK_VALUES[name]) for name in ("SHA1", "CRC32C")}
    refused(400, "InvalidRequest", s3.put_object, Bucket=bucket, Key="a", Body=DATA, **two)


@pytest.mark.parametrize(
    ("claimed", "code"), [(b64(bytes(16)), "BadDigest"), ("nonsense!", "InvalidDigest"), (b64(b"x"), "InvalidDigest")]
)
def test_a_wrong_content_md5(s3: Any, refused: Any, bucket: str, claimed: str, code: str) -> None:
    refused(400, code, s3.put_object, Bucket=bucket, Key="a", Body=DATA, ContentMD5=claimed)
    s3.put_object(Bucket=bucket, Key="a", Body=DATA, ContentMD5=b64(CHECK_VALUES["MD5"]))


def test_a_wrong_part(s3: Any, refused: Any, bucket: str) -> None:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="a", ChecksumAlgorithm="SHA256")["UploadId"]
    asked = {"Bucket": bucket, "Key": "a", "UploadId": upload_id, "PartNumber": 1, "Body": DATA}
    refused(400, "BadDigest", s3.upload_part, ChecksumSHA256=b64(bytes(32)), **asked)
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="a", UploadId=upload_id)


def test_large_bodies_are_verified_from_their_file(s3: Any, refused: Any, bucket: str) -> None:
    """Above the spooling limit the body is a file; its digests must be the same."""
    data = bytes(3 << 20)
    right = b64(zlib.crc32(data).to_bytes(4, "big"))
    assert s3.put_object(Bucket=bucket, Key="a", Body=data, ChecksumCRC32=right)["ChecksumCRC32"] == right
    refused(400, "BadDigest", s3.put_object, Bucket=bucket, Key="a", Body=data, ChecksumSHA1=b64(bytes(20)))
    md5 = hashlib.md5(data)
    assert (
        s3.put_object(Bucket=bucket, Key="a", Body=data, ContentMD5=b64(md5.digest()))["ETag"] == f'"{md5.hexdigest()}"'
    )

"""Objects over what boto3's high-level functions and other clients send: many parts, presigned URLs, hosts, chunks."""

import base64
import hashlib
import http.client
import os
import urllib.parse
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, (8 << 20) - 1, 20_000_000])
def test_files_go_up_and_come_down(s3: Any, bucket: str, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "up").write_bytes(data)
    s3.upload_file(str(tmp_path / "up"), bucket, "file", ExtraArgs={"Metadata": {"k": "v"}})
    s3.download_file(bucket, "file", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == data
    head = s3.head_object(Bucket=bucket, Key="file", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["Metadata"]) == (size, {"k": "v"})
    assert ("-3" in head["ETag"]) == (size == 20_000_000)
    assert "ChecksumCRC32" in head


def test_a_managed_copy_in_parts(s3: Any, bucket: str) -> None:
    data = os.urandom(12 << 20)
    s3.put_object(Bucket=bucket, Key="from", Body=data)
    parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20)
    s3.copy({"Bucket": bucket, "Key": "from"}, bucket, "to", Config=parts)
    found = s3.get_object(Bucket=bucket, Key="to")
    assert found["Body"].read() == data
    assert found["ETag"].endswith('-2"')


def test_a_large_body_that_is_refused(server: Any, s3: Any, bucket: str) -> None:
    """Its spooled file is gone afterwards, whether the refusal came before or after the store had taken it over."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"first")
    for more in ({"IfNoneMatch": "*"}, {"ACL": "public-read"}):
        with pytest.raises(ClientError):
            s3.put_object(Bucket=bucket, Key="a", Body=bytes(3 << 20), **more)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"first"
    assert not list((server.state / "tmp").glob("body-*"))


def test_presigned_urls(s3: Any, bucket: str) -> None:
    where = {"Bucket": bucket, "Key": "a b/ü"}
    put = s3.generate_presigned_url("put_object", Params={**where, "ContentType": "text/plain"})
    request = urllib.request.Request(put, b"by url", {"Content-Type": "text/plain"}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={**where, "ResponseContentDisposition": "attachment"})
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"by url"
        assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("text/plain", "attachment")


def test_virtual_hosts(server: Any, s3: Any, bucket: str) -> None:
    """The bucket in the host's name, as the JS and Java SDKs have it; the name need not resolve here."""
    s3.put_object(Bucket=bucket, Key="folder/a", Body=b"virtual")
    port = urllib.parse.urlsplit(server.endpoint).port
    client = server.client(
        "s3",
        endpoint_url=f"http://localhost:{port}",
        config=Config(s3={"addressing_style": "virtual"}, signature_version="s3v4"),
    )
    url = urllib.parse.urlsplit(
        client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "folder/a"})
    )
    assert url.hostname == f"{bucket}.localhost"
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"{url.path}?{url.query}", headers={"Host": url.netloc})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"virtual")
    connection.close()


def test_a_chunked_body_with_a_trailing_checksum(server: Any, s3: Any, bucket: str) -> None:
    """What SDKs send over TLS: aws-chunked framing, which is never stored, and the checksum behind the bytes."""
    data = os.urandom(3_000_000)
    crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    assert _send_chunked(server, bucket, data, crc) == 200
    found = s3.get_object(Bucket=bucket, Key="chunked", ChecksumMode="ENABLED")
    assert found["Body"].read() == data
    assert (found["ChecksumCRC32"], found["ETag"]) == (crc, f'"{hashlib.md5(data).hexdigest()}"')
    assert found["ContentEncoding"] == "gzip"
    assert _send_chunked(server, bucket, b"other", crc) == 400
    assert s3.get_object(Bucket=bucket, Key="chunked")["Body"].read() == data


def _send_chunked(server: Any, bucket: str, data: bytes, crc: str) -> int:
    pieces = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    body += b"0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % crc.encode()
    headers = {
        "Content-Encoding": "gzip,aws-chunked",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "X-Amz-Decoded-Content-Length": str(len(data)),
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
    request = AWSRequest("PUT", f"{server.endpoint}/{bucket}/chunked", headers)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
    S3SigV4Auth(Credentials(*server.keys), "s3", "us-east-1").add_auth(request)
    url = urllib.parse.urlsplit(server.endpoint)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    connection.request("PUT", f"/{bucket}/chunked", body, dict(request.headers))
    status = connection.getresponse().status
    connection.close()
    return status

"""What a program of the loop reads and writes over S3, with the keys of its job's role."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

from tobo.kit.fault import Fault
from tobo.kit.guest import UserError
from tobo.kit.s3_uri import S3Uri, parse_s3_uri

AT_A_TIME = 8


class Source:
    """boto clients of the server that AWS_ENDPOINT_URL names."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        region = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
        self._s3: Any = session.create_client("s3", region_name=region)
        self.sagemaker: Any = session.create_client("sagemaker", region_name=region)

    def read(self, address: str) -> bytes:
        """A whole object; raises UserError where it is not there."""
        return self._get(address)[0]

    def read_with_tag(self, address: str) -> tuple[bytes, str] | None:
        """(the object, its ETag), None where there is none."""
        at = _parsed(address)
        try:
            answer = self._s3.get_object(Bucket=at.bucket, Key=at.key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise UserError(f"{address} cannot be read: {error.response['Error'].get('Message')}") from None
        return answer["Body"].read(), answer["ETag"]

    def write(self, address: str, body: bytes, tag: str | None) -> bool:
        """Writes it unless it is no longer what had the ETag `tag` (None: not there); False then."""
        at = _parsed(address)
        condition: dict[str, Any] = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        try:
            self._s3.put_object(Bucket=at.bucket, Key=at.key, Body=body, **condition)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 409, 412):
                return False
            raise
        return True

    def below(self, prefix: str) -> Iterator[str]:
        """The addresses of all objects below a folder."""
        at = _parsed(prefix)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=at.bucket, Prefix=at.key)
        try:
            for page in pages:
                yield from (f"s3://{at.bucket}/{one['Key']}" for one in page.get("Contents", []))
        except ClientError as error:
            raise UserError(f"{prefix} cannot be listed: {error.response['Error'].get('Message')}") from None

    def hashes(self, addresses: list[str]) -> dict[str, str]:
        """SHA-256 of each object's bytes, by address."""
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            found = threads.map(lambda address: sha256(self.read(address)).hexdigest(), addresses)
            return dict(zip(addresses, found, strict=True))

    def _get(self, address: str) -> tuple[bytes, str]:
        found = self.read_with_tag(address)
        if found is None:
            raise UserError(f"There is no object {address}; put it back, or take it out of the manifest that names it.")
        return found


def _parsed(address: str) -> S3Uri:
    try:
        return parse_s3_uri(address, "the loop's data")
    except Fault as fault:
        raise UserError(fault.message) from None

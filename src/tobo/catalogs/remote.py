"""A catalogue in an S3 bucket elsewhere: another server's, or any that speaks S3."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tobo.catalogs.base import CatalogError, Missing, check_name, pour
from tobo.kit.s3_uri import S3Uri

_PATIENCE = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3})


class RemoteCatalog:
    """The objects below `place` at `endpoint`, with the keys of a profile of ~/.aws; without one it is read as anybody may."""

    def __init__(self, place: S3Uri, endpoint: str, profile: str) -> None:
        self._place = place
        self._endpoint = endpoint
        self._profile = profile

    def names(self, prefix: str) -> Iterator[str]:
        root = self._key("")
        with self._speaking() as s3:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._place.bucket, Prefix=root + prefix)
            names = [each["Key"][len(root) :] for page in pages for each in page.get("Contents", ())]
        yield from (name for name in names if not name.endswith("/"))

    def read(self, name: str, limit: int) -> bytes:
        with self._speaking(name) as s3:
            data: bytes = s3.get_object(Bucket=self._place.bucket, Key=self._key(name))["Body"].read(limit + 1)
        if len(data) > limit:
            raise CatalogError(f"{self._place.below(name)} is longer than the {limit} bytes that it should have.")
        return data

    def fetch(self, name: str, path: Path, limit: int) -> None:
        with self._speaking(name) as s3:
            body = s3.get_object(Bucket=self._place.bucket, Key=self._key(name))["Body"]
            pour(body, path, limit, str(self._place.below(name)))

    def write(self, name: str, content: bytes | Path) -> None:
        with self._speaking(name) as s3, contextlib.ExitStack() as opened:
            body = content if isinstance(content, bytes) else opened.enter_context(content.open("rb"))
            s3.put_object(Bucket=self._place.bucket, Key=self._key(name), Body=body)

    def remove(self, name: str) -> None:
        with self._speaking(name) as s3:
            s3.delete_object(Bucket=self._place.bucket, Key=self._key(name))

    @contextlib.contextmanager
    def _speaking(self, name: str | None = None) -> Iterator[Any]:
        """A client; what it raises becomes a CatalogError."""
        if name is not None:
            check_name(name)
        try:
            session = botocore.session.Session(profile=self._profile or None)
            config = _PATIENCE if self._profile else _PATIENCE.merge(Config(signature_version=UNSIGNED))
            region = session.get_config_variable("region") or "us-east-1"
            yield session.create_client("s3", region_name=region, endpoint_url=self._endpoint, config=config)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise Missing(f"There is no {self._place.below(name or '')} at {self._endpoint}.") from None
            said = error.response["Error"].get("Message", error)
            raise CatalogError(f"The catalogue {self._place} at {self._endpoint} refuses: {said}") from None
        except BotoCoreError as error:
            raise CatalogError(f"The catalogue {self._place} at {self._endpoint} does not answer: {error}") from None

    def _key(self, name: str) -> str:
        return f"{self._place.key.rstrip('/')}/{name}" if self._place.key else name

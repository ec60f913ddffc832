"""A catalogue in a bucket of this server, in the account and region of who asks."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from tobo.catalogs.base import CatalogError, Missing, check_name, pour
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri
from tobo.objects.base import ObjectInfo, Objects, every_object
from tobo.wire.body import Body


class OwnCatalog:
    """The objects below `place`; `temporary` is a folder on the state folder's file system."""

    def __init__(self, objects: Objects, space: Namespace, place: S3Uri, temporary: Path) -> None:
        self._objects = objects
        self._space = space
        self._place = place
        self._temporary = temporary

    def names(self, prefix: str) -> Iterator[str]:
        root = self._key("")
        try:
            for info in every_object(self._objects, self._space, self._place.bucket, root + prefix):
                yield info.key[len(root) :]
        except Fault as fault:
            raise CatalogError(f"The catalogue {self._place} cannot be read: {fault.message}") from None

    def read(self, name: str, limit: int) -> bytes:
        path = self._path(name)
        if path.stat().st_size > limit:
            raise CatalogError(f"{self._place.below(name)} is longer than the {limit} bytes that it should have.")
        return path.read_bytes()

    def fetch(self, name: str, path: Path, limit: int) -> None:
        with self._path(name).open("rb") as source:
            pour(source, path, limit, str(self._place.below(name)))

    def write(self, name: str, content: bytes | Path) -> None:
        info = ObjectInfo(self._place.bucket, self._key(check_name(name)), 0, "", 0.0)
        try:
            if isinstance(content, bytes):
                self._objects.put(self._space, info, Body(len(content), content))
                return
            self._temporary.mkdir(parents=True, exist_ok=True)
            taken = self._temporary / uuid.uuid4().hex  # the store takes a file over, and `content` is the caller's
            shutil.copyfile(content, taken)
            self._objects.put(self._space, info, Body(taken.stat().st_size, path=taken))
        except Fault as fault:
            raise CatalogError(f"The catalogue {self._place} cannot be written: {fault.message}") from None

    def remove(self, name: str) -> None:
        try:
            self._objects.delete(self._space, self._place.bucket, [self._key(check_name(name))])
        except Fault as fault:
            raise CatalogError(f"The catalogue {self._place} cannot be written: {fault.message}") from None

    def _path(self, name: str) -> Path:
        key = self._key(check_name(name))
        try:
            return self._objects.path(self._space, self._objects.head(self._space, self._place.bucket, key))
        except Fault:
            raise Missing(f"There is no {self._place.below(name)}.") from None

    def _key(self, name: str) -> str:
        return f"{self._place.key.rstrip('/')}/{name}" if self._place.key else name

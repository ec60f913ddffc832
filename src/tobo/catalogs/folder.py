"""A catalogue in a folder: of this machine, of a memory stick, of a share."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tobo.catalogs.base import CatalogError, Missing, check_name, pour
from tobo.kit.strangers import open_below

_DRAFT = ".draft-"
"""Begins the names of files that are being written; no name of a catalogue's file begins with a dot."""


class FolderCatalog:
    """The files below `folder`, which must be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, prefix: str) -> Iterator[str]:
        if not self._folder.is_dir():
            raise CatalogError(f"The catalogue's folder {self._folder} is not there.")
        folder = prefix.rpartition("/")[0]
        found = []
        for at, folders, files in os.walk(self._folder / folder):
            folders[:] = [name for name in folders if not (Path(at) / name).is_symlink()]
            for file in files:
                path = Path(at) / file
                name = path.relative_to(self._folder).as_posix()
                if name.startswith(prefix) and not file.startswith(".") and path.is_file() and not path.is_symlink():
                    found.append(name)
        yield from sorted(found)

    def read(self, name: str, limit: int) -> bytes:
        with self._open(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise CatalogError(f"{self._folder / name} is longer than the {limit} bytes that it should have.")
        return data

    def fetch(self, name: str, path: Path, limit: int) -> None:
        with self._open(name) as file:
            pour(file, path, limit, str(self._folder / name))

    def write(self, name: str, content: bytes | Path) -> None:
        path = self._folder / check_name(name)
        draft = path.with_name(f"{_DRAFT}{uuid.uuid4().hex}")
        try:
            self._make(path.parent)
            with draft.open("xb") as out:
                if isinstance(content, bytes):
                    out.write(content)
                else:
                    with content.open("rb") as source:
                        while chunk := source.read(1 << 20):
                            out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise CatalogError(f"{path} cannot be written: {error.strerror}.") from None

    def remove(self, name: str) -> None:
        path = self._folder / check_name(name)
        try:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty
                for folder in path.parents:
                    if folder == self._folder:
                        break
                    folder.rmdir()
        except OSError as error:
            raise CatalogError(f"{path} cannot be removed: {error.strerror}.") from None

    def _make(self, folder: Path) -> None:
        """No folder on the way is a link out of the place."""
        if not self._folder.is_dir():
            raise CatalogError(f"The catalogue's folder {self._folder} is not there.")
        at = self._folder
        for part in folder.relative_to(self._folder).parts:
            at /= part
            if at.is_symlink():
                raise CatalogError(f"{at} is a link; a catalogue has plain folders and files.")
            at.mkdir(exist_ok=True)

    def _open(self, name: str) -> IO[bytes]:
        path = self._folder / check_name(name)
        try:
            return open_below(self._folder, path)
        except FileNotFoundError:
            raise Missing(f"There is no {path}.") from None
        except OSError as error:
            raise CatalogError(f"{path} cannot be read: {error.strerror or error}.") from None

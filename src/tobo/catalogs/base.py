"""A catalogue's promise: named files in a place that sellers and buyers share, who need not trust it.

Names are paths with slashes, of NAME's letters. Guaranteed by every adapter (tests/contract/test_catalogs.py):

- A file appears whole or not at all, and `write` replaces it in one step.
- `names` tells what is there below a prefix, in order; what is no plain file is not there.
- `read` and `fetch` give no more than the bytes that they are told to: who offers a file may lie about its size.
- Nothing outside the place is read or written, whatever lies in it.
- Errors are CatalogErrors with a sentence that names the place; Missing where there is no such file.
- All methods may be called from any thread, and may block.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")

_CHUNK = 1 << 20


class CatalogError(Exception):
    """The catalogue cannot be read or written; the message is one sentence."""


class Missing(CatalogError):
    """There is no such file."""


class Catalog(Protocol):
    """See the module's docstring for what is guaranteed."""

    def names(self, prefix: str) -> Iterator[str]:
        """Whole names of the files whose name begins with `prefix` (a folder's with its slash)."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """A small file; raises CatalogError where it is longer than `limit` bytes."""
        ...

    def fetch(self, name: str, path: Path, limit: int) -> None:
        """A file as a new file of this machine; raises CatalogError where it is longer than `limit` bytes."""
        ...

    def write(self, name: str, content: bytes | Path) -> None:
        """Makes or replaces a file."""
        ...

    def remove(self, name: str) -> None:
        """One that is not there is no error."""
        ...


def check_name(name: str) -> str:
    """Raises CatalogError."""
    if not NAME.fullmatch(name):
        raise CatalogError(f"'{name[:200]}' is no name of a catalogue's file.")
    return name


def pour(source: IO[bytes], path: Path, limit: int, what: str) -> None:
    """`source` into a new file, of `limit` bytes at most; raises CatalogError and leaves none."""
    left = limit
    with path.open("xb") as out:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            out.write(chunk)
    if left < 0:
        path.unlink()
        raise CatalogError(f"{what} is longer than the {limit} bytes that it should have.")

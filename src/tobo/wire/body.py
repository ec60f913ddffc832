"""Body: the bytes of a request, in memory when small, in a temporary file when large; digests are taken on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SPOOL_LIMIT = 1 << 20
"""Bodies above this many bytes go to a temporary file."""


@dataclass(frozen=True)
class Body:
    """`data` or, for large ones, `path` (a temporary file on the state folder's file system; whoever keeps it renames
    it, else the gateway removes it). `digests` are raw digests by lower-case name: md5, sha256, crc32, crc32c,
    crc64nvme, sha1."""

    size: int
    data: bytes | None = None
    path: Path | None = None
    digests: Mapping[str, bytes] = field(default_factory=dict)

    def read(self) -> bytes:
        """All bytes in memory; for protocols that need them whole."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()


@dataclass(frozen=True)
class FileBody:
    """An answer's body that is a slice of a file. Opened by who answers, so that overwriting cannot tear it; the
    gateway closes it."""

    file: int
    """An open file descriptor."""
    offset: int
    length: int

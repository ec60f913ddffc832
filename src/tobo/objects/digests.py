"""Digests of a body: those the gateway took on the way, the others computed from its bytes."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Protocol

from tobo.wire.body import Body

_PIECE = 1 << 20


@cache
def _crt() -> ModuleType:
    """AWS's C runtime, loaded when first needed: 30 ms that most servers' starts can do without."""
    from awscrt import checksums

    return checksums  # type: ignore[no-any-return]


class Running(Protocol):
    """A digest being taken, as hashlib's objects do it."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc:
    """A CRC over pieces, with hashlib's two methods."""

    def __init__(self, function: Callable[[bytes, int], int], width: int) -> None:
        self._function, self._width, self._value = function, width, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class _XxHash:
    """AWS CRT's XXHash, with hashlib's two methods."""

    def __init__(self, constructor: str) -> None:
        self._running = getattr(_crt().XXHash, constructor)()

    def update(self, data: bytes, /) -> None:
        self._running.update(data)

    def digest(self) -> bytes:
        return bytes(self._running.finalize())


ALGORITHMS: dict[str, Callable[[], Running]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "crc32": lambda: _Crc(zlib.crc32, 4),
    "crc32c": lambda: _Crc(_crt().crc32c, 4),
    "crc64nvme": lambda: _Crc(_crt().crc64nvme, 8),
    "xxhash64": lambda: _XxHash("new_xxhash64"),
    "xxhash3": lambda: _XxHash("new_xxhash3_64"),
    "xxhash128": lambda: _XxHash("new_xxhash3_128"),
}
"""By the lower-case names that `Body.digests` uses. CRCs are big-endian, as S3 writes them."""


def digest(body: Body, algorithm: str) -> bytes:
    """The raw digest of the body's bytes; `algorithm` is a name of ALGORITHMS."""
    if known := body.digests.get(algorithm):
        return known
    running = ALGORITHMS[algorithm]()
    for piece in _pieces(body):
        running.update(piece)
    return running.digest()


COMBINABLE = {"crc32": 4, "crc32c": 4, "crc64nvme": 8}
"""Algorithms whose digest of a whole follows from those of its parts, with the digest's width in bytes."""


def combined(algorithm: str, first: bytes, second: bytes, second_size: int) -> bytes:
    """The digest of two parts in a row, of their digests and the second one's size in bytes."""
    combine = getattr(_crt(), f"combine_{algorithm}")
    value: int = combine(int.from_bytes(first, "big"), int.from_bytes(second, "big"), second_size)
    return value.to_bytes(COMBINABLE[algorithm], "big")


def etag_of_parts(etags: Iterable[str]) -> str:
    """A multipart object's ETag: the MD5 of its parts' MD5s, "-" and their number. Raises ValueError."""
    digests = [bytes.fromhex(etag.strip('"')) for etag in etags]
    return f'"{hashlib.md5(b"".join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"'


def _pieces(body: Body) -> Iterator[bytes]:
    if body.data is not None:
        yield body.data
        return
    assert body.path is not None
    with body.path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece

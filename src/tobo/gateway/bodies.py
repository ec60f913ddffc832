"""Bodies: taken in while they are hashed; what is larger than 1 MB goes to a temporary file in the state folder."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Executor
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from tobo.gateway.chunks import Chunks
from tobo.kit.fault import Fault
from tobo.objects.digests import ALGORITHMS
from tobo.objects.refusals import naming_a_full_disk
from tobo.wire.body import SPOOL_LIMIT, Body

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""ASGI's receive."""

PATIENCE = 60.0
"""Seconds without a byte of a body that is not whole yet."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


def wanted_digests(service: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """sha256 always; for S3 also md5 (the ETag) and the checksums that the headers or the announced trailer name."""
    if service != "s3":
        return ("sha256",)
    names = ["sha256", "md5"]
    announced = headers.get("x-amz-trailer", "").lower()
    algorithm = (headers.get("x-amz-sdk-checksum-algorithm") or headers.get("x-amz-checksum-algorithm") or "").lower()
    for name in ("crc32", "crc32c", "crc64nvme", "sha1"):
        header = f"x-amz-checksum-{name}"
        if header in headers or header in announced.split(",") or name == algorithm:
            names.append(name)
    return tuple(names)


async def take_body(
    receive: Receive, folder: Path, pool: Executor, digests: Iterable[str], limit: int, chunks: Chunks | None = None
) -> Body:
    """The whole body, framing taken off where there is some.

    Raises ClientGone; Fault EntityTooLarge (more than `limit` bytes), RequestTimeout, IncompleteBody, InsufficientStorage.
    """
    message = await receive()
    data: bytes = message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise ClientGone
    if chunks is None and not message.get("more_body") and len(data) <= SPOOL_LIMIT:
        if len(data) > limit:
            raise too_large(limit)
        return Body(len(data), data, None, {name: digest_of(name, data) for name in digests})
    return await _take_long(receive, message, folder, pool, digests, limit, chunks)


def digest_of(name: str, data: bytes) -> bytes:
    """One digest of bytes in memory."""
    if name == "sha256":
        return hashlib.sha256(data).digest()
    digest = ALGORITHMS[name]()
    digest.update(data)
    return digest.digest()


def too_large(limit: int) -> Fault:
    return Fault("EntityTooLarge", f"The body is larger than {limit:,} bytes, the most that is taken here.", 413)


async def _take_long(
    receive: Receive,
    message: MutableMapping[str, Any],
    folder: Path,
    pool: Executor,
    names: Iterable[str],
    limit: int,
    chunks: Chunks | None,
) -> Body:
    loop = asyncio.get_running_loop()
    spool = _Spool(folder, names)
    try:
        while True:
            data = message.get("body", b"")
            spool.add(chunks.feed(data) if chunks else data)
            if spool.size > limit:
                raise too_large(limit)
            if spool.waiting >= SPOOL_LIMIT:
                # Hashing and writing a megabyte takes milliseconds: not on the loop that serves everybody else.
                with naming_a_full_disk(folder):
                    await loop.run_in_executor(pool, spool.drain)
            if not message.get("more_body"):
                break
            message = await _next(receive)
        if chunks is not None and not chunks.finished:
            raise Fault("IncompleteBody", "The aws-chunked body ends before its last chunk.")
        if spool.file is None:
            return spool.body()
        with naming_a_full_disk(folder):
            return await loop.run_in_executor(pool, spool.body)
    except BaseException:
        spool.drop()
        raise


async def _next(receive: Receive) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(PATIENCE):
            message = await receive()
    except TimeoutError:
        raise Fault(
            "RequestTimeout", f"No byte of the body came for {PATIENCE:.0f} seconds; send the request again.", 400
        ) from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


class _Spool:
    """A body on its way: hashed piece by piece, in memory until it is larger than SPOOL_LIMIT."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder
        self._digests = {name: ALGORITHMS[name]() for name in names}
        self._pieces: list[bytes] = []
        self._path: Path | None = None
        self.file: int | None = None
        self.size = 0
        self.waiting = 0

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece)
        self.waiting += len(piece)

    def drain(self) -> None:
        """Hashes and writes what waits. Raises Fault InsufficientStorage where the disk is full."""
        data = b"".join(self._pieces)
        self._pieces, self.waiting = [], 0
        for digest in self._digests.values():
            digest.update(data)
        with naming_a_full_disk(self._folder):
            if self.file is None:
                self.file, name = mkstemp(dir=self._folder, prefix="body-")
                self._path = Path(name)
            view = memoryview(data)
            while view:
                view = view[os.write(self.file, view) :]

    def body(self) -> Body:
        if self.file is not None:
            self.drain()
            os.close(self.file)
            self.file = None
            return Body(self.size, None, self._path, self._finished())
        data = b"".join(self._pieces)
        for digest in self._digests.values():
            digest.update(data)
        return Body(self.size, data, None, self._finished())

    def _finished(self) -> Mapping[str, bytes]:
        return {name: digest.digest() for name, digest in self._digests.items()}

    def drop(self) -> None:
        if self.file is not None:
            os.close(self.file)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

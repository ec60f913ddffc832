"""Outputs on their way into the object store, in groups: a put costs a third where many share what makes it durable.

An output that waits for its group stands in the group's journal meanwhile, so that a server that is killed costs no
answer: the next one writes what the journals hold. They are not synced, a power cut may take the last group's answers.
"""

import asyncio
import contextlib
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from tobo.kit import frames
from tobo.objects.refusals import naming_a_full_disk
from tobo.resources.transform_jobs.assembling import Output
from tobo.wire.body import Body

_MOST, _MOST_BYTES = 64, 1 << 20
"""A group is written when it has so many outputs or bytes."""

_LINGER = 0.5
"""Seconds for which a group waits for more."""

_WRITERS = 4
"""Groups that are written at a time, beside the one that gathers."""

_OUTPUT = 1
"""A journal is frames (kit/frames.py) of this code; an output's path is the text, their checksum the id."""

Put = Callable[[Sequence[tuple[str, Body]]], None]
"""Stores outputs, by their path below the job's S3OutputPath, durably; safe to repeat."""


class _Group:
    """Outputs that are put together, and their journal."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.outputs: list[tuple[str, Output]] = []
        self._size = 0
        self._file: BinaryIO | None = None

    @property
    def full(self) -> bool:
        return len(self.outputs) >= _MOST or self._size >= _MOST_BYTES

    def add(self, relative: str, output: Output) -> None:
        """Large outputs are not copied into the journal, and make the group full. Raises Fault InsufficientStorage."""
        self.outputs.append((relative, output))
        self._size += output.size
        body = output.body()
        if body.data is not None:
            with naming_a_full_disk(self.journal.parent):
                if self._file is None:
                    self._file = self.journal.open("ab")
                self._file.write(frames.pack(_checksum(relative, body.data), _OUTPUT, (relative,), body.data))
                self._file.flush()

    def close(self) -> None:
        """Outputs that nobody has taken are gone; the journal stays."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # the disk is full, which has been said
                self._file.close()
        for _, output in self.outputs:
            output.discard()


class Writer:
    """The outputs of one job. `add` and `write` live in one event loop; journals are files of `folder`."""

    def __init__(self, folder: Path, put: Put) -> None:
        self._folder = folder
        self._put = put
        self._threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="transform-write")
        self._begun = 0
        self._group = self._begin()
        self._finished = False
        self._turn = asyncio.Lock()
        self._some, self._enough, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def add(self, relative: str, output: Output) -> None:
        """Returns when the output outlives this process, and is the writer's to discard; waits while it has enough."""
        try:
            while self._group.full:
                self._room.clear()
                await self._room.wait()
        except BaseException:
            output.discard()
            raise
        self._group.add(relative, output)
        self._some.set()
        if self._group.full:
            self._enough.set()

    def finish(self) -> None:
        """There is no more to come."""
        self._finished = True
        self._some.set()
        self._enough.set()

    async def write(self) -> None:
        """Writes until `finish` and all is written. Raises what the store does."""
        async with asyncio.TaskGroup() as writers:
            for _ in range(_WRITERS):
                writers.create_task(self._write())

    def close(self) -> None:
        """Returns when nothing is written any more; journals of what was not written stay."""
        self._threads.shutdown(wait=True)
        self._group.close()

    def recover(self) -> None:
        """Writes what journals hold; not beside `write`. Some of it may be in the store already."""
        for journal in self._folder.glob("*.journal"):
            if outputs := _read(journal):
                self._put(outputs)
            journal.unlink()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            async with self._turn:
                await self._some.wait()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._enough.wait(), _LINGER)
                group, self._group = self._group, self._begin()
                self._room.set()
                if not self._finished:
                    self._some.clear()
                    self._enough.clear()
            try:
                if group.outputs:
                    await loop.run_in_executor(self._threads, self._store, group)
            finally:
                group.close()
            if self._finished and not self._group.outputs:
                return

    def _begin(self) -> _Group:
        self._begun += 1
        return _Group(self._folder / f"{self._begun}.journal")

    def _store(self, group: _Group) -> None:
        self._put([(relative, output.body()) for relative, output in group.outputs])
        group.journal.unlink(missing_ok=True)


def _checksum(relative: str, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(relative.encode() + b"\0"))


def _read(journal: Path) -> list[tuple[str, Body]]:
    """The outputs that stand whole in a journal."""
    try:
        found = frames.Reader().feed(journal.read_bytes())
    except ValueError:  # what a power cut leaves may be anything
        return []
    read = [(one, "\0".join(one.texts)) for one in found if one.code == _OUTPUT]
    return [
        (relative, Body(len(one.body), one.body)) for one, relative in read if one.id == _checksum(relative, one.body)
    ]

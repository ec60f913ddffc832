"""The event loop's end of a replica: one connection, many requests at once, each under its id."""

import asyncio
import itertools
from pathlib import Path
from typing import cast

from tobo.hosting.base import Answer, Invocation
from tobo.kit import frames


class Lost(Exception):
    """The replica went before its answer was whole."""


class Connection(asyncio.Protocol):
    """Frames (kit/frames.py) over one Unix socket; lives in the loop that opened it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: dict[int, asyncio.Future[Answer]] = {}
        self.usable = False
        """Takes new requests: open, and the replica did not say that it will end."""
        self._reader = frames.Reader()
        self._ids = itertools.cycle(range(1, 1 << 32))
        self._transport: asyncio.WriteTransport | None = None
        self._closing = False

    async def ask(self, invocation: Invocation, timeout: float) -> Answer:
        """Raises Lost, TimeoutError after `timeout` seconds, or ConnectionError where the connection is not usable."""
        if not self.usable or self._transport is None:
            raise ConnectionError("the replica takes no requests")
        id = next(self._ids)
        self._transport.write(frames.pack(id, frames.INVOCATIONS, invocation.texts, invocation.body))
        answered: asyncio.Future[Answer] = self.loop.create_future()
        self.waiting[id] = answered
        timer = self.loop.call_later(timeout, _time_out, answered)
        try:
            return await answered
        finally:
            timer.cancel()
            self.waiting.pop(id, None)
            self._close_when_done()

    def close(self) -> None:
        """At once; who waits gets Lost."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without deriving from it
        self.usable = True

    def data_received(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            if frame.code == frames.CLOSING:
                self.usable, self._closing = False, True
                continue
            answered = self.waiting.get(frame.id)
            if answered is not None and not answered.done():
                content_type, custom_attributes = frame.texts
                answered.set_result(Answer(frame.code, frame.body, content_type, custom_attributes))
        self._close_when_done()

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        for answered in self.waiting.values():
            if not answered.done():
                answered.set_exception(Lost("the replica went away"))

    def _close_when_done(self) -> None:
        """A replica that will end waits for us to hang up; we do when its last answer is here."""
        if self._closing and not self.waiting and self._transport is not None:
            self._transport.close()


async def connect(path: Path) -> Connection:
    """Raises OSError where nobody listens."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_unix_connection(lambda: Connection(loop), str(path))
    return connection


def _time_out(answered: asyncio.Future[Answer]) -> None:
    if not answered.done():
        answered.set_exception(TimeoutError())

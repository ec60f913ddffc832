"""An answer in parts: one request on a connection of its own, so that its flow control is the stream's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tobo.hosting.base import Answer, Invocation, StreamBroken, Streamed
from tobo.hosting.connection import Lost
from tobo.kit import frames

_PIECE = 1 << 16


async def ask_for_stream(
    path: Path, invocation: Invocation, timeout: float, over: Callable[[], None]
) -> Answer | Streamed:
    """Raises OSError where nobody listens, Lost where the replica went before the first part, TimeoutError.

    `over` is called when an answer that came whole is here, and once the parts of another are closed.
    """
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        read = _frames(reader)
        writer.write(frames.pack(1, frames.STREAM, invocation.texts, invocation.body))
        async with asyncio.timeout(timeout):
            first = await anext(read, None)
        if first is None:
            raise Lost("the replica went away")
        content_type, custom_attributes = first.texts
        if first.code == frames.PART:
            return Streamed(content_type, custom_attributes, _Parts(first, read, writer, timeout, over))
    except BaseException:
        writer.close()
        raise
    writer.close()
    over()
    return Answer(first.code, first.body, content_type, custom_attributes)


class _Parts:
    """See base.Parts. Hanging up is what tells the replica to stop."""

    def __init__(
        self,
        first: frames.Frame,
        read: AsyncIterator[frames.Frame],
        writer: asyncio.StreamWriter,
        timeout: float,
        over: Callable[[], None],
    ) -> None:
        self._first: frames.Frame | None = first
        self._read = read
        self._writer = writer
        self._timeout = timeout
        self._over = over
        self._closed = False

    def __aiter__(self) -> "_Parts":
        return self

    async def __anext__(self) -> bytes:
        frame, self._first = self._first, None
        if frame is None:
            async with asyncio.timeout(self._timeout):
                frame = await anext(self._read, None)
        if frame is None:
            raise StreamBroken("The model's process died while it answered.", told=False)
        if frame.code >= 400:
            raise StreamBroken(frame.body.decode("utf-8", "replace"), told=True)
        if frame.code != frames.PART:
            raise StopAsyncIteration
        return frame.body

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._writer.close()
            self._over()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[frames.Frame]:
    """Until the replica hangs up. Its socket is not read while nobody wants a frame."""
    cut = frames.Reader()
    try:
        while data := await reader.read(_PIECE):
            for frame in cut.feed(data):
                if frame.code != frames.CLOSING:
                    yield frame
    except (OSError, ValueError):
        return  # it is gone, or talks nonsense: both end the stream early

"""An answer in parts on its way to who asked: a part is only made when the one before it has been taken."""

import contextlib
import socket
import traceback
from collections.abc import Iterator

from tobo.inference.invocations import Response
from tobo.kit import frames


class Parts:
    """The rest of one streamed answer; `iterator` is closed with it."""

    def __init__(self, id: int, response: Response, iterator: Iterator[bytes]) -> None:
        self._id = id
        self._iterator = iterator
        self._texts = (response.content_type, response.custom_attributes)
        self._pending = memoryview(b"")
        self._ended = False

    def advance(self, asker: socket.socket) -> bool:
        """Sends what the socket takes now, without waiting; False when all is sent. Raises OSError where nobody reads."""
        if not self._pending and not self._ended:
            self._pending = memoryview(self._next())
        if self._pending:
            with contextlib.suppress(BlockingIOError):
                self._pending = self._pending[asker.send(self._pending, socket.MSG_DONTWAIT) :]
        return bool(self._pending) or not self._ended

    def close(self) -> None:
        """Ends the model's generator where it stands."""
        self._ended = True
        close = getattr(self._iterator, "close", None)
        if close is not None:
            try:
                close()
            except Exception:  # the user's own `finally`
                traceback.print_exc()

    def _next(self) -> bytes:
        """The frame of the next part, or the one that ends the stream."""
        try:
            return frames.pack(self._id, frames.PART, self._texts, next(self._iterator))
        except StopIteration:
            self._ended = True
            return frames.pack(self._id, 200, self._texts)
        except Exception as error:
            traceback.print_exc()
            self._ended = True
            return frames.pack(self._id, 500, ("text/plain", ""), (str(error) or type(error).__name__).encode())

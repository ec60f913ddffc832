"""Serves one model over frames (kit/frames.py) on Unix sockets until SIGTERM; then what is in flight is answered, and
it ends.

Environment: TOBO_ML_ROOT names the /opt/ml tree, whose model/ is loaded; TOBO_SOCKET is the socket's path, pings are
answered on `<path>.ping`; TOBO_MODEL_SERVER ("module:factory", called with the model folder, returns a Handler) is what
answers, by default the picture model; TOBO_MODEL_CACHE_BYTES says that there are several models (multi_model.py). One
thread reads, predicts and writes, which costs no hand-over; another answers pings meanwhile. Answers in parts are made
between other requests, as fast as they are read. Pings are refused while one request holds the model for too long
(TOBO_ANSWER_SECONDS).
"""

import contextlib
import importlib
import os
import selectors
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tobo.inference.invocations import Handler, Request, Response, refusal, stuck_seconds
from tobo.inference.listening import listen
from tobo.inference.multi_model import CACHE_BYTES, Models
from tobo.inference.parts import Parts
from tobo.inference.sealed import unseal
from tobo.kit import frames
from tobo.kit.guest import run_guest
from tobo.kit.memory import keep_freed_memory
from tobo.kit.paths import MlPaths

_CHUNK = 1 << 18


def main() -> None:
    """The entry of a replica; a model that cannot be loaded is told in the tree's output/failure."""
    run_guest(_serve)


def _serve() -> None:
    path = Path(os.environ["TOBO_SOCKET"])
    factory = load_factory(os.environ.get("TOBO_MODEL_SERVER", "tobo.inference.invocations:picture_handler"))
    started = time.monotonic()
    keep_freed_memory()
    paths, cache = MlPaths.from_environment(), os.environ.get(CACHE_BYTES)
    if paths.sealed.is_file():
        unseal(paths, path)
    server = Server(path, factory(paths.model) if cache is None else Models(paths, factory, int(cache)))
    signal.signal(signal.SIGTERM, lambda number, frame: server.close())
    print(f"Ready after {time.monotonic() - started:.2f} s.", flush=True)
    server.serve()


def load_factory(name: str) -> Callable[[Path], Handler]:
    """The function of "module:function"."""
    module, _, function = name.partition(":")
    found: Callable[[Path], Handler] = getattr(importlib.import_module(module), function)
    return found


class Server:
    """Listens from its construction on; `serve` in the main thread until `close`, which a signal handler may call."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._handler = handler
        self._selector = selectors.DefaultSelector()
        self._readers: dict[socket.socket, frames.Reader] = {}
        self._streams: dict[socket.socket, Parts] = {}
        self._wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._closing = False
        self._busy_since: float | None = None
        self._stuck = stuck_seconds()
        ping_path = path.with_name(path.name + ".ping")
        self._paths = (ping_path, path)
        self._pings = listen(ping_path)
        self._listener = listen(path)
        for readable in (self._listener, self._wake):
            self._selector.register(readable, selectors.EVENT_READ)
        threading.Thread(target=self._answer_pings, daemon=True).start()

    def close(self) -> None:
        """No new connections; `serve` returns when those that are open have been closed by their askers."""
        self._closing = True
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    def serve(self) -> None:
        while self._readers or not self._closing:
            for key, ready in self._selector.select():
                asker = key.fileobj
                assert isinstance(asker, socket.socket)
                if asker.fileno() < 0:  # closed by what came before it in this round
                    continue
                if ready & selectors.EVENT_WRITE:
                    self._stream_on(asker, hung_up=bool(ready & selectors.EVENT_READ))
                elif asker is self._listener:
                    self._accept()
                elif asker is self._wake:
                    self._begin_closing()
                else:
                    self._answer(asker)
        self._pings.close()

    def _accept(self) -> None:
        asker, _ = self._listener.accept()
        self._readers[asker] = frames.Reader()
        self._selector.register(asker, selectors.EVENT_READ)

    def _begin_closing(self) -> None:
        self._wake.recv(1)
        self._selector.unregister(self._wake)
        self._selector.unregister(self._listener)
        for path in self._paths:
            path.unlink(missing_ok=True)
        while select_now(self._listener):  # who is connected already is served
            self._accept()
        self._listener.close()
        for asker in self._readers.keys() - self._streams.keys():
            self._send(asker, frames.pack(0, frames.CLOSING))

    def _answer(self, asker: socket.socket) -> None:
        """Reads what has come and answers the requests that are whole."""
        try:
            data = asker.recv(_CHUNK)
            asked = self._readers[asker].feed(data) if data else None
        except (OSError, ValueError):
            asked = None
        if asked is None:
            self._drop(asker)
            return
        for frame in asked:
            self._busy_since = time.monotonic()
            response = self._respond(frame)
            self._busy_since = None
            texts = (response.content_type, response.custom_attributes)
            if not isinstance(response.body, bytes):
                self._streams[asker] = Parts(frame.id, response, response.body)
                self._selector.modify(asker, selectors.EVENT_READ | selectors.EVENT_WRITE)
            elif not self._send(asker, frames.pack(frame.id, response.status, texts, response.body)):
                return

    def _respond(self, frame: frames.Frame) -> Response:
        """Never raises: a request must not end the replica. In parts only where a stream was asked for."""
        try:
            response = self._handler(Request(frame.body, *frame.texts))
            if not isinstance(response.body, bytes) and (frame.code != frames.STREAM or response.status >= 400):
                response = response._replace(body=b"".join(response.body))
        except Exception as error:
            traceback.print_exc()
            return refusal(500, str(error) or type(error).__name__)
        if response.status >= 400 and isinstance(response.body, bytes):
            print(f"Answered {response.status}: {response.body[:1000].decode('utf-8', 'replace')}", flush=True)
        return response

    def _stream_on(self, asker: socket.socket, hung_up: bool) -> None:
        """Sends on what the asker has room for; who asked for a stream has nothing more to say but farewell."""
        if hung_up:
            self._drop(asker)
            return
        self._busy_since = time.monotonic()
        try:
            goes_on = self._streams[asker].advance(asker)
        except OSError:
            self._drop(asker)
            return
        finally:
            self._busy_since = None
        if not goes_on:
            self._streams.pop(asker).close()
            self._selector.modify(asker, selectors.EVENT_READ)

    def _send(self, asker: socket.socket, data: bytes) -> bool:
        try:
            asker.sendall(data)
        except OSError:
            self._drop(asker)
            return False
        return True

    def _drop(self, asker: socket.socket) -> None:
        self._selector.unregister(asker)
        del self._readers[asker]
        if asker in self._streams:
            self._streams.pop(asker).close()
        asker.close()

    def _answer_pings(self) -> None:
        """One ping a connection: answered 200, or 503 while one request has held the model for too long."""
        while True:
            try:
                asker, _ = self._pings.accept()
            except OSError:
                return
            with asker, contextlib.suppress(OSError, ValueError):
                asker.settimeout(1.0)
                for frame in frames.Reader().feed(asker.recv(_CHUNK)):
                    asker.sendall(self._pong(frame.id))

    def _pong(self, id: int) -> bytes:
        since = self._busy_since
        if since is not None and time.monotonic() - since > self._stuck:
            sentence = f"One request has held the model for more than {self._stuck:g} s."
            return frames.pack(id, 503, ("text/plain", ""), sentence.encode())
        return frames.pack(id, 200, ("text/plain", ""))


def select_now(readable: socket.socket) -> bool:
    """Whether something waits to be read or accepted."""
    with selectors.DefaultSelector() as selector:
        selector.register(readable, selectors.EVENT_READ)
        return bool(selector.select(0))

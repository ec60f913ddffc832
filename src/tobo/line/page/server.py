"""The page's server: static files, a stream of snapshots as server-sent events, the marbles' photos."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from tobo.inference.pictures import encode_jpeg
from tobo.kit.page import PageHandler, PageServer
from tobo.line.twin import Line

INTERVAL = 1 / 15
"""Seconds between two snapshots."""


@dataclass(frozen=True)
class Shown:
    """A line and its name; `extra` tells what the line itself does not know, as words beside words: model, version, update.

    It is asked with every snapshot, from the page's threads.
    """

    name: str
    line: Line
    extra: Callable[[], Mapping[str, str]] = dict


class Page:
    """Serves the lines on `host`:`port` (0: a free one) from a thread, until it is closed. It only shows."""

    def __init__(self, lines: Sequence[Shown], host: str = "127.0.0.1", port: int = 0) -> None:
        self.lines = tuple(lines)
        self.closing = threading.Event()
        self._server = _Server((host, port), self)
        self.host, self.port = host, self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="line-page", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}/"

    def snapshots(self) -> list[dict[str, Any]]:
        """What the page draws, a line each."""
        return [
            shown.line.snapshot() | {"name": shown.name, "extra": {str(k): str(v) for k, v in shown.extra().items()}}
            for shown in self.lines
        ]

    def close(self) -> None:
        """Ends the streams and frees the port."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(PageServer):
    def __init__(self, address: tuple[str, int], page: Page) -> None:
        self.page = page
        super().__init__(address, _Handler)


class _Handler(PageHandler):
    server: _Server
    server_version = "tobo"
    folder = files("tobo.line.page") / "static"
    names = frozenset({"index.html", "page.js", "belt.js", "icon.svg", "page.css"})

    def do_GET(self) -> None:
        if not self._addressed():
            return self.answer(HTTPStatus.MISDIRECTED_REQUEST, b"This page is for this machine.\n", "text/plain")
        path = self.path.partition("?")[0]
        if self.answer_file(path):
            return None
        if path == "/events":
            return self._stream()
        photo = self._photo(path)
        if photo is None:
            return self.answer(HTTPStatus.NOT_FOUND, b"There is nothing here.\n", "text/plain")
        return self.answer(HTTPStatus.OK, photo, "image/jpeg")

    def _addressed(self) -> bool:
        """Whether the browser means this machine: a foreign name that leads here is another site's trick."""
        if self.server.page.host not in ("127.0.0.1", "localhost"):
            return True
        port = self.server.page.port
        return self.headers.get("Host", "") in (f"127.0.0.1:{port}", f"localhost:{port}")

    def _photo(self, path: str) -> bytes | None:
        match path.split("/"):
            case ["", "photos", line, name] if line.isdecimal() and name.removesuffix(".jpg").isdecimal():
                lines = self.server.page.lines
                if int(line) < len(lines):
                    pixels = lines[int(line)].line.photo(int(name.removesuffix(".jpg")))
                    return None if pixels is None else encode_jpeg(pixels, 90)
        return None

    def _stream(self) -> None:
        page = self.server.page
        self.close_connection = True
        self.begin(HTTPStatus.OK, {"Content-Type": "text/event-stream", "Connection": "close"})
        try:
            while not page.closing.is_set():
                told = json.dumps(page.snapshots(), separators=(",", ":"))
                self.wfile.write(f"data: {told}\n\n".encode())
                page.closing.wait(INTERVAL)
        except OSError:
            """The reader has gone."""

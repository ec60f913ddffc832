"""What the pages of guests have in common: a server for one small page, its files, and headers that keep other sites out."""

import logging
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources.abc import Traversable

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class PageServer(ThreadingHTTPServer):
    """A thread a request; none is waited for at the end."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no fault; anything else is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class PageHandler(BaseHTTPRequestHandler):
    """`names` are the files of `folder` that are the page; "/" is index.html."""

    protocol_version = "HTTP/1.1"
    sys_version = ""
    folder: Traversable
    names: frozenset[str]

    def log_message(self, format: str, *args: object) -> None:
        """A page that is looked at is no news."""
        log.debug(format, *args)

    def answer_file(self, path: str) -> bool:
        """Answers with a file of the page; False where `path` is none."""
        name = path.removeprefix("/") or "index.html"
        if name not in self.names:
            return False
        self.answer(200, self.folder.joinpath(name).read_bytes(), _KINDS[name.rpartition(".")[2]])
        return True

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.begin(status, {"Content-Type": kind, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def begin(self, status: int, headers: dict[str, str]) -> None:
        """Everything up to the body."""
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

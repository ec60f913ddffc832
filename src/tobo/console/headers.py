"""Security headers: nothing of the console is framed, sniffed, or runs code that is not a file of ours."""

import re
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from tobo.console import ROOT

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy (W3C CSP 3): neither unsafe-inline nor unsafe-eval anywhere."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class SecurityHeaders:
    """Adds them to every answer that does not bring its own of the name; pages are not kept by caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scripts, frames = source(scope, f"{ROOT}/static/"), source(scope, f"{ROOT}/frames/")
        policy = f"{POLICY}; script-src {scripts}; frame-src {frames}".encode()

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message["headers"])
                there = {name for name, _ in headers}
                headers += [pair for pair in HEADERS if pair[0] not in there]
                if b"content-security-policy" not in there:
                    headers.append((b"content-security-policy", policy))
                if b"cache-control" not in there:
                    headers.append((b"cache-control", b"no-store"))
            await send(message)

        await self._app(scope, receive, sending)


_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")


def source(scope: Scope, path: str) -> str:
    """A CSP source: what lies at or below this path of the server, and not any object of S3, which is on the same origin."""
    host = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"), "")
    return f"{scope.get('scheme', 'http')}://{host}{path}" if _HOST.fullmatch(host) else "'self'"

"""Front: the server's ASGI application, which shows people the console or their notebook, and everybody else the door."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from tobo.console import ROOT
from tobo.operations.context import Context

if TYPE_CHECKING:
    from tobo.console.app import Console

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


_NOTEBOOK = re.compile(r"/notebook/([A-Za-z0-9-]+)(/.*)?")


class Wing(Protocol):
    """An application that knows which requests are its own, by their host name."""

    def asked(self, scope: Mapping[str, Any]) -> bool: ...
    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None: ...


class Front:
    """`door` answers programs, `notebooks` shows notebooks, under host names where nothing else is.

    The console is imported when somebody first looks: a script's server starts without it.
    """

    def __init__(self, context: Context, door: Application, notebooks: Wing) -> None:
        self._context = context
        self._door = door
        self._notebooks = notebooks
        self._console: Console | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope["path"]
        if self._notebooks.asked(scope):
            await self._notebooks(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif path == "/" and _is_browser(scope):
            await _redirect(send, f"{ROOT}/")
        elif (named := _NOTEBOOK.fullmatch(path)) and _is_browser(scope):
            await _redirect(send, f"{ROOT}/notebooks/{named[1]}")
        elif (path == ROOT or path.startswith(f"{ROOT}/")) and not _is_signed(scope):
            await (await self._opened()).app(scope, receive, send)
        else:
            await self._door(scope, receive, send)

    def close(self) -> None:
        if self._console is not None:
            self._console.close()

    async def _opened(self) -> "Console":
        async with self._opening:
            if self._console is None:
                self._console = await asyncio.to_thread(_open, self._context)
        return self._console


def _open(context: Context) -> "Console":
    from tobo.console.app import Console

    return Console(context)


def _is_signed(scope: Mapping[str, Any]) -> bool:
    """Signed requests are S3's, whatever an object is called."""
    return b"X-Amz-Signature" in scope["query_string"] or any(name == b"authorization" for name, _ in scope["headers"])


def _is_browser(scope: Mapping[str, Any]) -> bool:
    """Somebody has typed the server's address: no client of S3's root asks for HTML."""
    accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope["method"] == "GET" and b"text/html" in accepted and not _is_signed(scope)


async def _redirect(send: Any, to: str) -> None:
    headers = [(b"location", to.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

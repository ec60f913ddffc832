"""Notebooks: the way to the JupyterLab of an instance, for browsers that have entered with a presigned URL.

A notebook's page runs what its cells print, so nothing else is served under its host name, and nothing is taken from pages
of another origin: neither a notebook's own nor the console's.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tobo.gateway.answers import Send, send_answer
from tobo.gateway.bodies import ClientGone, Receive
from tobo.operations.context import Context
from tobo.resources.notebook_instances.sessions import Entered, find, host_pattern, redeem
from tobo.wire.response import Response

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger("tobo.notebooks")

COOKIE = "tobo_notebook"

REMEMBERED = 2.0
"""Seconds for which a session that was looked up counts: a page asks for hundreds of files at once."""

WHOLE = 1 << 20
"""Bytes up to which an answer is sent in one piece."""

OPEN_SECONDS = 10.0
"""For a WebSocket to JupyterLab."""

_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
"""RFC 9110, 7.6.1."""
_OURS = ("date", "server")
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class _Asked:
    """A request's line and headers; names in lower case."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    named: Mapping[str, str]

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "_Asked":
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        return cls(scope.get("method", "GET"), path, query, headers, dict(headers))

    @property
    def host(self) -> str:
        """host[:port]"""
        return self.named.get("host", "").lower()

    @property
    def hostname(self) -> str:
        """Without the port: a tunnel or the TLS port has another one."""
        return self.host.split(":")[0]

    @property
    def cookie(self) -> str:
        """That of the session; "" where there is none."""
        try:
            found = SimpleCookie(self.named.get("cookie", "")).get(COOKIE)
        except CookieError:
            return ""
        return found.value if found else ""

    @property
    def is_of_its_own_origin(self) -> bool:
        """Whether the page that has asked, if it says which, lies under the host name that is asked."""
        origin = self.named.get("origin")
        return origin is None or origin.partition("://")[2] == self.host

    @property
    def is_from_its_own_page(self) -> bool:
        """Whether no page of another origin has asked: by Origin, and by what browsers say beside it (Fetch Metadata)."""
        if not self.is_of_its_own_origin:
            return False
        if self.named.get("sec-fetch-site", "none") in ("same-origin", "none"):
            return True
        return self.method in _SAFE and self.named.get("sec-fetch-mode") == "navigate"

    def passed_on(self, token: str) -> list[tuple[str, str]]:
        """The headers for JupyterLab: its token instead of the session."""
        kept = [
            (name, _without_session(value) if name == "cookie" else value)
            for name, value in self.headers
            if name not in _HOP_BY_HOP and name != "authorization" and not name.startswith("sec-websocket-")
        ]
        return [*kept, ("authorization", f"token {token}")]


class Notebooks:
    """The ASGI application. `pool` runs what blocks."""

    def __init__(self, context: Context, pool: Executor) -> None:
        self._context = context
        self._pool = pool
        self._host = re.compile(host_pattern(context.settings))
        self._known: dict[str, tuple[float, Entered | None]] = {}
        self._ways: dict[Path, aiohttp.ClientSession] = {}

    def asked(self, scope: Mapping[str, Any]) -> bool:
        """Whether a request is for a notebook's host name."""
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return self._host.fullmatch(host.decode("latin-1").lower().split(":")[0]) is not None

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        asked = _Asked.of(scope)
        if scope["type"] == "websocket":
            await self._carry_messages(scope, asked, receive, send)
            return
        with suppress(ClientGone):
            await send_answer(send, await self._answer(asked, receive), self._pool, receive)

    async def _answer(self, asked: _Asked, receive: Receive) -> Response:
        if asked.method == "GET" and (token := parse_qs(asked.query).get("authToken")):
            return await self._enter(asked, token[0])
        entered = await self._entered(asked)
        if entered is None:
            return _page(401, "This notebook is closed to you", _HOW)
        if not asked.is_from_its_own_page:
            return _page(403, "Refused", "A page of another origin has asked for this.")
        return await self._ask(asked, entered, receive)

    async def _enter(self, asked: _Asked, token: str) -> Response:
        """Not a redirect: a browser that comes from the console's page would not send a strict cookie along with it."""
        opened = await asyncio.get_running_loop().run_in_executor(self._pool, redeem, self._context, token)
        if opened is None:
            return _page(
                403, "This link does not work any more", f"It opens a notebook once, within five minutes. {_HOW}"
            )
        cookie, seconds, entered = opened
        address = entered.address
        if asked.hostname != address.hostname:
            return _page(403, "Refused", "This link is another notebook's.")
        secure = "; Secure" if address.origin.startswith("https:") else ""
        kept = f"{COOKIE}={cookie}; Max-Age={seconds}; Path={address.base}; HttpOnly; SameSite=Strict{secure}"
        page = _page(200, "Opening …", "", f'<meta http-equiv="refresh" content="0; url={escape(address.base)}lab">')
        page.headers.append(("set-cookie", kept))
        return page

    async def _entered(self, asked: _Asked) -> Entered | None:
        """What the request's session opens, if it is what is asked for."""
        cookie, now = asked.cookie, time.monotonic()
        if not cookie:
            return None
        seen, entered = self._known.get(cookie, (-REMEMBERED, None))
        if now - seen >= REMEMBERED:
            entered = await asyncio.get_running_loop().run_in_executor(self._pool, find, self._context, cookie)
            self._known = {one: known for one, known in self._known.items() if now - known[0] < REMEMBERED}
            self._known[cookie] = (now, entered)
        if entered is None or asked.hostname != entered.address.hostname:
            return None
        return entered if asked.path.startswith(entered.address.base) else None

    async def _ask(self, asked: _Asked, entered: Entered, receive: Receive) -> Response:
        import aiohttp
        from yarl import URL

        path = f"{asked.path}?{asked.query}" if asked.query else asked.path
        has_body = "content-length" in asked.named or "transfer-encoding" in asked.named
        try:
            way = await self._way(entered.socket)
            answer = await way.request(
                asked.method,
                URL(f"http://{asked.host}{path}", encoded=True),
                headers=asked.passed_on(entered.token),
                data=_body(receive) if has_body else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
            told = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.raw_headers]
            told = [(name, value) for name, value in told if name not in _HOP_BY_HOP and name not in _OURS]
            length = dict(told).get("content-length", "")
            if asked.method != "HEAD" and length.isdigit() and int(length) <= WHOLE:
                return Response(answer.status, told, await answer.read())
            return Response(answer.status, told, _parts(answer))
        except (aiohttp.ClientError, ValueError) as error:
            log.info("JupyterLab behind %s did not answer: %s", entered.address.base, error)
            return _page(502, "JupyterLab does not answer", "It may be starting again; load the page once more.")

    async def _way(self, socket: Path) -> "aiohttp.ClientSession":
        import aiohttp

        if socket not in self._ways:
            for gone in [path for path in self._ways if not path.exists()]:
                await self._ways.pop(gone).close()
            self._ways[socket] = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(socket)),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=OPEN_SECONDS),
                auto_decompress=False,
            )
        return self._ways[socket]

    async def close(self) -> None:
        """Hangs up on every JupyterLab."""
        for way in self._ways.values():
            await way.close()

    async def _carry_messages(self, scope: Mapping[str, Any], asked: _Asked, receive: Receive, send: Send) -> None:
        """A WebSocket from the handshake to its end, or to that of the session."""
        from websockets.asyncio.client import unix_connect
        from websockets.exceptions import ConnectionClosed, WebSocketException
        from websockets.typing import Origin, Subprotocol

        await receive()
        entered = await self._entered(asked)
        origin = asked.named.get("origin")
        if entered is None or origin is None or not asked.is_of_its_own_origin:
            await send({"type": "websocket.close", "code": 1008})
            return
        query = f"?{asked.query}" if asked.query else ""
        kept = [(name, value) for name, value in asked.passed_on(entered.token) if name not in ("host", "origin")]
        try:
            inner = await unix_connect(
                str(entered.socket),
                f"ws://{asked.host}{asked.path}{query}",
                origin=Origin(origin),
                additional_headers=kept,
                subprotocols=[Subprotocol(name) for name in scope.get("subprotocols", ())] or None,
                user_agent_header=None,
                compression=None,
                proxy=None,
                max_size=None,
                ping_interval=None,
                open_timeout=OPEN_SECONDS,
            )
        except (OSError, WebSocketException, TimeoutError) as error:
            log.info("JupyterLab behind %s took no WebSocket: %s", entered.address.base, error)
            await send({"type": "websocket.close", "code": 1011})
            return
        await send({"type": "websocket.accept", "subprotocol": inner.subprotocol})

        async def outward() -> None:
            async for message in inner:
                kind = "text" if isinstance(message, str) else "bytes"
                await send({"type": "websocket.send", kind: message})
            await send({"type": "websocket.close", "code": inner.close_code or 1000})

        async def inward() -> None:
            while (event := await receive())["type"] == "websocket.receive":
                text = event.get("text")
                await inner.send(event["bytes"] if text is None else text)

        both = [asyncio.create_task(outward()), asyncio.create_task(inward())]
        try:
            left = max(0.0, entered.until - self._context.clock.now())
            done, _ = await asyncio.wait(both, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with suppress(ConnectionClosed):
                    task.result()
            if not done:
                await send({"type": "websocket.close", "code": 1008})
        finally:
            for task in both:
                task.cancel()
            await inner.close()


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        more = event.get("more_body", False)
        if part := event.get("body", b""):
            yield part


async def _parts(answer: "aiohttp.ClientResponse") -> AsyncIterator[bytes]:
    try:
        async for part in answer.content.iter_any():
            yield part
    finally:
        answer.close()


def _without_session(cookies: str) -> str:
    return "; ".join(one for one in re.split(r";\s*", cookies) if not one.startswith(f"{COOKIE}="))


_HOW = "Open it in the console, or with the AuthorizedUrl of CreatePresignedNotebookInstanceUrl."


def _page(status: int, title: str, words: str, head: str = "") -> Response:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}'
        f"</head><body><h1>{title}</h1><p>{words}</p></body></html>"
    ).encode()
    headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-length", str(len(text))),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ]
    return Response(status, headers, text)

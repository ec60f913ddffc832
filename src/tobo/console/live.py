"""Live pages: one stream of server-sent events a page; what many look at is looked up once.

A page names its regions: the address of each (a fragment or JSON of the console) and what it depends on: kinds of
resources, or `every:<seconds>` for what no row tells, such as metrics. Once a second the hub looks which of these
changed, asks for those regions in the name of the viewer's key, and sends what is new to all who look at it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message

from tobo.console import ROOT
from tobo.console.routing import Rooms, region_of, run, session_of
from tobo.console.sessions import Session
from tobo.kit.arn import Namespace
from tobo.resources.identity.keyring import EVERYWHERE

TICK = 1.0
"""Seconds between two looks."""

SILENCE = 20.0
"""Seconds after which an empty comment shows that both ends are there."""

MOST_REGIONS = 12
"""Of one page."""

MOST_PAGES = 1000
"""Open at a time."""


@dataclass(frozen=True)
class Place:
    """What is looked at, by whose key and in which region: the same for all who share them."""

    access_key_id: str
    token: str | None
    region: str
    source: str
    depends: tuple[str, ...]


@dataclass(eq=False)
class Viewer:
    """One open page; `news` holds the newest of each source until it is sent."""

    session: Session
    places: tuple[Place, ...]
    news: dict[str, bytes] = field(default_factory=dict)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False

    def tell(self, source: str, event: bytes) -> None:
        self.news[source] = event
        self.waiting.set()


@dataclass
class Seen:
    """What was last found at a place."""

    stamp: tuple[int, ...] | None = None
    body: bytes = b""


class Hub:
    """The streams of one server. `app` answers the regions' addresses; `close` ends every stream."""

    def __init__(self, rooms: Rooms, app: ASGIApp) -> None:
        self._rooms = rooms
        self._app = app
        self._viewers: set[Viewer] = set()
        self._seen: dict[Place, Seen] = {}
        self._ticking: asyncio.Task[None] | None = None
        self._closed = False

    async def serve(self, request: Request) -> Response:
        """GET .../stream?r=<depends>|<source>&r=..."""
        session = await run(self._rooms, session_of, self._rooms, request)
        principal = None if session is None else await run(self._rooms, self._rooms.sessions.principal, session)
        if session is None or principal is None:
            return Response(status_code=204)  # an EventSource that gets 204 does not try again
        wanted = request.query_params.getlist("r")
        if len(wanted) > MOST_REGIONS or len(self._viewers) >= MOST_PAGES or self._closed:
            return Response("There are too many live pages; close some.\n", 503, media_type="text/plain")
        region = region_of(request)
        places = tuple(place for text in wanted if (place := _place(session, region, text)) is not None)
        if not places:
            return Response(status_code=204)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(session, places), media_type="text/event-stream", headers=headers)

    def close(self) -> None:
        self._closed = True
        for viewer in self._viewers:
            viewer.gone = True
            viewer.waiting.set()

    async def _stream(self, session: Session, places: tuple[Place, ...]) -> AsyncIterator[bytes]:
        viewer = Viewer(session, places)
        for place in places:
            seen = self._seen.get(place)
            # What was found before the last viewer left may be old by now.
            if seen is not None and seen.body and seen.stamp == self._stamp(session, place):
                viewer.tell(place.source, seen.body)
        self._viewers.add(viewer)
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        try:
            yield b"retry: 2000\n\n"
            while not (viewer.gone or self._closed):
                try:
                    async with asyncio.timeout(SILENCE):
                        await viewer.waiting.wait()
                except TimeoutError:
                    yield b":\n\n"
                    continue
                viewer.waiting.clear()
                news, viewer.news = viewer.news, {}
                for event in news.values():
                    yield event
        finally:
            self._viewers.discard(viewer)

    async def _tick(self) -> None:
        """Runs while somebody looks."""
        while self._viewers and not self._closed:
            viewers = {place: viewer for viewer in self._viewers for place in viewer.places}
            self._seen = {place: self._seen.get(place, Seen()) for place in viewers}
            for place, viewer in viewers.items():
                stamp = self._stamp(viewer.session, place)
                seen = self._seen[place]
                if stamp != seen.stamp:
                    seen.stamp = stamp
                    await self._look(place, viewer.session, seen)
            await asyncio.sleep(TICK)

    async def _look(self, place: Place, session: Session, seen: Seen) -> None:
        status, body = await self._fetch(place, session)
        if status == 401:
            event = b"event: over\ndata: {}\n\n"
        else:
            told = {"source": place.source, "status": status, "body": body.decode("utf-8", "replace")}
            event = b"event: region\ndata: " + orjson.dumps(told) + b"\n\n"
        if event != seen.body:
            seen.body = event
            for viewer in self._viewers:
                if place in viewer.places:
                    viewer.tell(place.source, event)

    def _stamp(self, session: Session, place: Place) -> tuple[int, ...]:
        """Equal as long as nothing that the place depends on has changed."""
        account = self._account(session)
        found = []
        for name in place.depends:
            kind, _, seconds = name.partition(":")
            if kind == "every":
                period = max(int(seconds) if seconds.isdigit() else 5, 1)
                found.append(int(self._rooms.context.clock.now() // period))
            else:
                spaces = (Namespace(account, place.region), Namespace(account, ""), EVERYWHERE)
                found.append(sum(self._rooms.context.store.changes(space, kind) for space in spaces))
        return tuple(found)

    def _account(self, session: Session) -> str:
        principal = self._rooms.sessions.principal(session)
        return "" if principal is None else principal.account

    async def _fetch(self, place: Place, session: Session) -> tuple[int, bytes]:
        """The region as its own request would give it."""
        path, _, query = place.source.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"cookie", f"tobo_region={place.region}".encode()), (b"hx-request", b"true")],
            "client": None,
            "server": None,
            "tobo.session": session,
        }
        status, parts = 500, []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, b"".join(parts)


def _place(session: Session, region: str, text: str) -> Place | None:
    """None for what is not an address of the console's own, or is this stream itself."""
    depends, _, source = text.partition("|")
    if not source.startswith(f"{ROOT}/") or source.startswith(f"{ROOT}/stream") or len(source) > 2000:
        return None
    return Place(session.access_key_id, session.token, region, source, tuple(sorted(set(depends.split(",")))))

"""Routing: from an address to a screen's function, through sign-in, CSRF and the words for what is refused."""

import asyncio
import hmac
import logging
import re
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tobo.console import ROOT
from tobo.console.rendering import Rendering
from tobo.console.sessions import COOKIE, Session, Sessions
from tobo.console.visit import Visit
from tobo.kit.fault import Fault
from tobo.operations.context import Context

log = logging.getLogger("tobo.console")

Found = TypeVar("Found")

REGION = "us-east-1"
"""Shown until another one is chosen: the one that `tobo env` exports."""

BODY_LIMIT = 25 << 20
"""Bytes of what a page posts: InvokeEndpoint's largest payload. Files for S3 go by a presigned link instead."""

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,2}-\d{1,2}")

Serve = Callable[[Visit], Response]
"""A screen's function; it runs in a worker thread."""


@dataclass(frozen=True)
class Screen:
    """One address of the console. POSTs change something and show the session's CSRF token."""

    path: str
    serve: Serve
    methods: tuple[str, ...]


def shown(path: str) -> Callable[[Serve], Screen]:
    """A page or a piece of one: GET."""
    return lambda serve: Screen(path, serve, ("GET",))


def posted(path: str) -> Callable[[Serve], Screen]:
    """What a form or an element sends: POST."""
    return lambda serve: Screen(path, serve, ("POST",))


@dataclass(frozen=True)
class Rooms:
    """What every request of the console needs."""

    context: Context
    sessions: Sessions
    rendering: Rendering
    pool: Executor


def route(rooms: Rooms, screen: Screen) -> Route:
    return Route(ROOT + screen.path, partial(_answer, rooms, screen), methods=list(screen.methods))


async def _answer(rooms: Rooms, screen: Screen, request: Request) -> Response:
    session = await run(rooms, session_of, rooms, request)
    principal = None if session is None else await run(rooms, rooms.sessions.principal, session)
    if session is None or principal is None:
        return _to_entrance(request)
    visit = Visit(
        request,
        rooms.context,
        rooms.sessions,
        session,
        principal,
        region_of(request),
        rooms.rendering,
        asyncio.get_running_loop(),
    )
    try:
        if request.method == "POST":
            await _take(visit)
        return await run(rooms, screen.serve, visit)
    except Fault as fault:
        return await run(rooms, _refused, visit, fault)
    except Exception:
        log.exception("page %s %s failed", request.method, request.url.path)
        broken = Fault("InternalFailure", "Something went wrong inside tobo; its log has the trace.", 500)
        return await run(rooms, _refused, visit, broken)


async def run(rooms: Rooms, function: Callable[..., Found], *arguments: Any) -> Found:
    """In a worker thread: the store's reads block."""
    return await asyncio.get_running_loop().run_in_executor(rooms.pool, function, *arguments)


def session_of(rooms: Rooms, request: Request) -> Session | None:
    """Whose cookie it is; a page that is replaced while it is shown brings its session along."""
    if (known := request.scope.get("tobo.session")) is not None:
        return known  # type: ignore[no-any-return]
    cookie = request.cookies.get(COOKIE)
    return rooms.sessions.find(cookie) if cookie else None


def region_of(request: Request) -> str:
    """The chosen one; the first where none or nonsense was chosen."""
    chosen = request.cookies.get("tobo_region", REGION)
    return chosen if _REGION.fullmatch(chosen) else REGION


def known_region(name: str) -> bool:
    return _REGION.fullmatch(name) is not None


async def _take(visit: Visit) -> None:
    """The form or the body, once its CSRF token is the session's. Raises Fault."""
    request = visit.request
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_LIMIT:
        raise Fault("ValidationException", f"A body must say its length, of at most {BODY_LIMIT:,} bytes.", 413)
    token = request.headers.get("x-csrf-token")
    kind = request.headers.get("content-type", "").split(";")[0]
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            visit.form = await request.form(max_files=0, max_fields=5000, max_part_size=1 << 20)
        except (MultiPartException, HTTPException) as error:
            raise Fault("ValidationException", f"The form cannot be read: {error}.") from None
        token = token or str(visit.form.get("csrf", ""))
        visit.form = FormData([(name, value) for name, value in visit.form.multi_items() if name != "csrf"])
    else:
        visit.body = await request.body()
    if not hmac.compare_digest((token or "").encode(), visit.session.csrf.encode()):
        raise Fault(
            "InvalidCsrfToken", "This form is not of your session; load the page again and send it once more.", 403
        )


def _to_entrance(request: Request) -> Response:
    at = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    entrance = f"{ROOT}/enter?next={quote(at, safe='')}" if request.method == "GET" else f"{ROOT}/enter"
    if "hx-request" in request.headers or "tobo.session" in request.scope:
        return Response(status_code=401, headers={"HX-Redirect": f"{ROOT}/enter"})
    return RedirectResponse(entrance, 303)


def _refused(visit: Visit, fault: Fault) -> Response:
    """A refusal in the place where one looks for it: the page, the fragment, or the form's own line."""
    values = {"code": fault.code, "message": fault.message, "status": fault.status}
    whole = visit.request.method == "GET" and "hx-request" not in visit.request.headers
    if whole and "fragment" not in visit.query:
        return visit.page("error.html", fault.status, **values)
    return HTMLResponse(visit.rendering.page("parts/refusal.html", values), fault.status)

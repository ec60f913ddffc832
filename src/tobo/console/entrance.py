"""The entrance: signing in with an access key or by the link that `tobo serve` prints, and signing out."""

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tobo.console import ROOT
from tobo.console.links import Links
from tobo.console.routing import BODY_LIMIT, Rooms, run, session_of
from tobo.console.sessions import COOKIE, LIFETIME, check_key
from tobo.console.visit import fields_of
from tobo.kit.fault import Fault

PAUSE = 0.5
"""Seconds that a wrong key waits for its answer."""


class Entrance:
    """Sign-in needs no session, and never takes one over: each begins with a new cookie."""

    def __init__(self, rooms: Rooms, links: Links) -> None:
        self._rooms = rooms
        self._links = links

    async def show(self, request: Request) -> Response:
        """The form; with a link that works, the way in."""
        link = request.query_params.get("link")
        if link is None:
            return self._form(request)
        if not self._links.use(link, self._rooms.context.clock.now()):
            refusal = "This link was used already, or is older than ten minutes; `tobo console` prints another one."
            return self._form(request, refusal, 403)
        key = self._rooms.context.settings.root_access_key_id
        assert key is not None
        return await self._open(request, key, None)

    async def sign_in(self, request: Request) -> Response:
        """With an access key, its secret and, for temporary ones, the session token."""
        length = request.headers.get("content-length", "")
        # A page of somebody else's must not sign a browser in, either: the browser says where a form comes from.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return self._form(request, "This form came from another site.", 403)
        if not length.isdigit() or int(length) > min(BODY_LIMIT, 64 << 10):
            return self._form(request, "The form is too large.", 413)
        form = fields_of(await request.form(max_files=0, max_fields=10))
        key, secret = form.get("access_key_id", ""), form.get("secret_access_key", "")
        token = form.get("session_token")
        try:
            await run(self._rooms, check_key, self._rooms.context, key, secret, token)
        except Fault as fault:
            await asyncio.sleep(PAUSE)
            return self._form(request, fault.message, fault.status, key, form.get("next", ""))
        return await self._open(request, key, token, form.get("next", ""))

    async def sign_out(self, request: Request) -> Response:
        session = await run(self._rooms, session_of, self._rooms, request)
        form = await request.form(max_files=0, max_fields=10)
        if session is not None and form.get("csrf") == session.csrf:
            await run(self._rooms, self._rooms.sessions.close, session)
        answer = RedirectResponse(f"{ROOT}/enter", 303)
        answer.delete_cookie(COOKIE, path=ROOT)
        return answer

    async def _open(self, request: Request, key: str, token: str | None, then: str = "") -> Response:
        old = await run(self._rooms, session_of, self._rooms, request)
        if old is not None:
            await run(self._rooms, self._rooms.sessions.close, old)
        _, cookie = await run(self._rooms, self._rooms.sessions.open, key, token)
        if not then.startswith(f"{ROOT}/"):
            then = f"{ROOT}/"
        # Not a redirect: a browser that comes from somebody else's page would not send a strict cookie along with it.
        answer = HTMLResponse(self._rooms.rendering.page("entered.html", {"then": then}))
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(LIFETIME),
            path=ROOT,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _form(
        self, request: Request, refusal: str = "", status: int = 200, key: str = "", then: str | None = None
    ) -> Response:
        values = {
            "refusal": refusal,
            "key": key,
            "next": request.query_params.get("next", "") if then is None else then,
            "endpoint": str(request.base_url).rstrip("/"),
        }
        return HTMLResponse(self._rooms.rendering.page("enter.html", values), status)

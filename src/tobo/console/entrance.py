"""The entrance: signing in with an access key or by the link that `tobo serve` prints, and signing out."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tobo.console import ROOT
from tobo.console.links import Links
from tobo.console.oidc import leaving
from tobo.console.routing import BODY_LIMIT, REGION, Rooms, region_of, run, session_of
from tobo.console.sessions import COOKIE, LIFETIME, Session, check_key
from tobo.console.visit import fields_of
from tobo.console.workers import Federated, NewPassword, principal_of, sign_in, worker_of
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.auditing import note_sign_in
from tobo.operations.context import Call, Principal
from tobo.operations.workers import workforce_of
from tobo.resources.identity.keyring import BadToken, UnknownKey, ring_of

PAUSE = 0.5
"""Seconds that a wrong key waits for its answer."""


MINUTE = 60.0
MOST_STRANGERS = 60
"""Sign-ins of nobody known that a minute's audit log has."""


class Entrance:
    """Sign-in needs no session, and never takes one over: each begins with a new cookie."""

    def __init__(self, rooms: Rooms, links: Links) -> None:
        self._rooms = rooms
        self._links = links
        self._strangers: list[float] = []
        self._passwords = asyncio.Semaphore(2)

    async def show(self, request: Request) -> Response:
        """The form; with a link that works, the way in."""
        link = request.query_params.get("link")
        if link is None:
            return await self._form(request)
        if not self._links.use(link, self._rooms.context.clock.now()):
            refusal = "This link was used already, or is older than ten minutes; `tobo console` prints another one."
            await run(self._rooms, self._note, request, None, None, Fault("ExpiredToken", refusal, 403), "link")
            return await self._form(request, refusal, 403)
        key = self._rooms.context.settings.root_access_key_id
        assert key is not None
        await run(self._rooms, self._note, request, key, None, None, "link")
        return await self._open(request, key, None)

    async def sign_in(self, request: Request) -> Response:
        """With an access key, its secret and, for temporary ones, the session token."""
        length = request.headers.get("content-length", "")
        # A page of somebody else's must not sign a browser in, either: the browser says where a form comes from.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return await self._form(request, "This form came from another site.", 403)
        if not length.isdigit() or int(length) > min(BODY_LIMIT, 64 << 10):
            return await self._form(request, "The form is too large.", 413)
        form = fields_of(await request.form(max_files=0, max_fields=10))
        if "username" in form:
            return await self._sign_in_worker(request, form)
        key, secret = form.get("access_key_id", ""), form.get("secret_access_key", "")
        token = form.get("session_token")
        try:
            await run(self._rooms, check_key, self._rooms.context, key, secret, token)
        except Fault as fault:
            await run(self._rooms, self._note, request, key, token, fault, "access key")
            await asyncio.sleep(PAUSE)
            return await self._form(request, fault.message, fault.status, key, form.get("next", ""))
        await run(self._rooms, self._note, request, key, token, None, "access key")
        return await self._open(request, key, token, form.get("next", ""))

    async def _sign_in_worker(self, request: Request, form: Mapping[str, str]) -> Response:
        """With a name and a password. Two at a time: what makes a password hard to guess costs a third of a second."""
        context, name = self._rooms.context, form["username"]
        space = Namespace(context.settings.account_id or "", region_of(request))
        address = request.client.host if request.client else ""
        try:
            async with self._passwords:
                worker = await run(self._rooms, sign_in, context, space, form, address)
        except NewPassword:
            refusal = "This password is for one time; choose one of your own."
            return await self._form(request, refusal, 200, then=form.get("next", ""), worker=name, new=True)
        except Fault as fault:
            return await self.refuse_worker(request, fault, "password", form)
        return await self.admit(request, worker.mark, "password", LIFETIME, form.get("next", ""))

    async def refuse_worker(
        self, request: Request, fault: Fault, by: str, form: Mapping[str, str] | None = None
    ) -> Response:
        """The form again, with the reason, half a second later; `by` is how it was tried."""
        await run(self._rooms, self._note, request, None, None, fault, by)
        await asyncio.sleep(PAUSE)
        typed = form or {}
        its, then = typed.get("username", ""), typed.get("next", "")
        return await self._form(
            request, fault.message, fault.status, then=then, worker=its, new="new_password" in typed
        )

    async def admit(self, request: Request, mark: str, by: str, lifetime: float, then: str = "") -> Response:
        """The session of a worker, who is led to the work."""
        await run(self._rooms, self._note, request, mark, None, None, by)
        work = f"{ROOT}/work"
        return await self._open(request, mark, None, then if then.startswith(work) else work, lifetime)

    async def sign_out(self, request: Request) -> Response:
        session = await run(self._rooms, session_of, self._rooms, request)
        form = await request.form(max_files=0, max_fields=10)
        answer: Response = RedirectResponse(f"{ROOT}/enter", 303)
        if session is not None and form.get("csrf") == session.csrf:
            await run(self._rooms, self._rooms.sessions.close, session)
            if then := await run(self._rooms, self._provider_exit, request, session):
                # A page that goes on, for the console's forms lead nowhere but to the console.
                answer = HTMLResponse(self._rooms.rendering.page("entered.html", {"then": then, "said": "Signed out."}))
        answer.delete_cookie(COOKIE, path=ROOT)
        return answer

    def _provider_exit(self, request: Request, session: Session) -> str:
        """Where the session of the identity provider ends that has let this person in; "" for others."""
        person, context = worker_of(session.access_key_id), self._rooms.context
        if not isinstance(person, Federated):
            return ""
        workforce = workforce_of(context, Namespace(context.settings.account_id or "", person.region))
        back = f"{request.url.scheme}://{request.url.netloc}{ROOT}/enter"
        return leaving(workforce["OidcConfig"], back) if workforce and "OidcConfig" in workforce else ""

    def _note(self, request: Request, key: str | None, token: str | None, refusal: Fault | None, by: str) -> None:
        """Into the audit log; of those that nobody is known of, so many a minute that they do not fill the disk."""
        context = self._rooms.context
        now = context.clock.now()
        try:
            worker = worker_of(key or "")
            found = principal_of(context, context.settings.account_id or "", worker) if worker else None
            if key is None or (worker and found is None):
                raise UnknownKey
            principal = found or ring_of(context).find(key, token).principal
        except (UnknownKey, BadToken):
            self._strangers = [at for at in self._strangers if 0 <= now - at < MINUTE]
            if len(self._strangers) >= MOST_STRANGERS:
                return
            self._strangers.append(now)
            principal = Principal(context.settings.account_id or "", "", "")
        where = Namespace(principal.account, REGION)
        source = request.client.host if request.client else ""
        call = Call(context, principal, where, source=source, agent=request.headers.get("user-agent", "")[:1024])
        note_sign_in(call, refusal, by)

    async def _open(
        self, request: Request, key: str, token: str | None, then: str = "", lifetime: float = LIFETIME
    ) -> Response:
        old = await run(self._rooms, session_of, self._rooms, request)
        if old is not None:
            await run(self._rooms, self._rooms.sessions.close, old)
        _, cookie = await run(self._rooms, self._rooms.sessions.open, key, token, lifetime)
        if not then.startswith(f"{ROOT}/"):
            then = f"{ROOT}/"
        # Not a redirect: a browser that comes from somebody else's page would not send a strict cookie along with it.
        answer = HTMLResponse(self._rooms.rendering.page("entered.html", {"then": then}))
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(lifetime),
            path=ROOT,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def _form(
        self,
        request: Request,
        refusal: str = "",
        status: int = 200,
        key: str = "",
        then: str | None = None,
        worker: str | None = None,
        new: bool = False,
    ) -> Response:
        """`worker` is the name that was typed into the form of people who label, `new` asks for a password of one's own."""
        context = self._rooms.context
        space = Namespace(context.settings.account_id or "", region_of(request))
        workforce = await run(self._rooms, workforce_of, context, space)
        issuer = (workforce or {}).get("OidcConfig", {}).get("Issuer", "")
        values = {
            "provider": urlsplit(issuer).hostname or "",
            "refusal": refusal,
            "key": key,
            "worker": worker,
            "new": new,
            "next": request.query_params.get("next", "") if then is None else then,
            "endpoint": str(request.base_url).rstrip("/"),
        }
        return HTMLResponse(self._rooms.rendering.page("enter.html", values), status)

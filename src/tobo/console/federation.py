"""Federation: people of a workforce's identity provider sign in there, and come back as who they are."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tobo.console import ROOT, oidc
from tobo.console.entrance import Entrance
from tobo.console.routing import Rooms, region_of, run
from tobo.console.workers import Federated, principal_of
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.workers import may_work_from, oidc_secret, workforce_of

COOKIE = "tobo_sign_in"

ANSWER = f"{ROOT}/enter/answer"
"""The redirect URI that the provider has to know."""

LIFETIME = 3600.0
"""Seconds after which the provider is asked again who it is: it alone knows who has left a group."""

PATIENCE = 600.0
"""Seconds that somebody may take to sign in at the provider."""

MOST = 1000
"""Sign-ins that wait at a time; then the oldest begins anew."""


@dataclass(frozen=True)
class Waiting:
    """A sign-in that one browser has begun."""

    begun: oidc.Begun
    region: str
    then: str
    until: float


class Federation:
    """Sign-ins that have begun are kept in memory: after a restart one begins again."""

    def __init__(self, rooms: Rooms, entrance: Entrance) -> None:
        self._rooms = rooms
        self._entrance = entrance
        self._waiting: dict[str, Waiting] = {}
        self._asking = asyncio.Semaphore(4)

    async def begin(self, request: Request) -> Response:
        """To the provider, with a cookie that the answer has to come back with."""
        now = self._rooms.context.clock.now()
        try:
            workforce, _ = await run(self._rooms, self._workforce, request, region_of(request))
            redirect = f"{request.url.scheme}://{request.url.netloc}{ANSWER}"
            address, begun = await run(self._rooms, oidc.begin, workforce["OidcConfig"], redirect)
        except Fault as fault:
            return await self._entrance.refuse_worker(request, fault, "OpenID Connect")
        self._waiting = {name: one for name, one in [*self._waiting.items()][-MOST + 1 :] if one.until > now}
        cookie = secrets.token_urlsafe(32)
        self._waiting[cookie] = Waiting(begun, region_of(request), request.query_params.get("next", ""), now + PATIENCE)
        answer = RedirectResponse(address, 303)
        secure = request.url.scheme == "https"
        # Lax: the provider sends the browser back from another site, and this cookie has to come along.
        answer.set_cookie(
            COOKIE, cookie, int(PATIENCE), path=f"{ROOT}/enter", httponly=True, samesite="lax", secure=secure
        )
        return answer

    async def answer(self, request: Request) -> Response:
        """What the provider has told the browser to bring back."""
        given = dict(request.query_params)
        try:
            person, then = await self._person(request, given)
        except Fault as fault:
            return await self._entrance.refuse_worker(request, fault, "OpenID Connect")
        answer = await self._entrance.admit(request, person.mark, "OpenID Connect", LIFETIME, then)
        answer.delete_cookie(COOKIE, path=f"{ROOT}/enter")
        return answer

    async def _person(self, request: Request, given: Mapping[str, str]) -> tuple[Federated, str]:
        """Who it is, and the page that he wanted. Raises Fault."""
        waiting = self._waiting.pop(request.cookies.get(COOKIE, ""), None)
        now = self._rooms.context.clock.now()
        stale = waiting is None or waiting.until <= now
        if waiting is None or stale or not secrets.compare_digest(waiting.begun.state, given.get("state", "")):
            raise Fault(
                "AccessDeniedException", "This is no answer to a sign-in that this browser has begun; begin again.", 403
            )
        workforce, secret = await run(self._rooms, self._workforce, request, waiting.region)
        config = workforce["OidcConfig"]
        async with self._asking:
            found = await run(self._rooms, oidc.finish, config, secret, waiting.begun, given)
        person = Federated(waiting.region, config["Issuer"], found.subject, found.groups)
        space = self._space(waiting.region)
        if await run(self._rooms, principal_of, self._rooms.context, space.account, person) is None:
            its = ", ".join(found.groups[:20]) or "none"
            raise Fault(
                "AccessDeniedException",
                f"{found.name} is in no work team: the provider tells of these groups: {its}. Ask who made the team.",
                403,
            )
        return person, waiting.then

    def _workforce(self, request: Request, region: str) -> tuple[Mapping[str, Any], str]:
        """A region's workforce that has an OidcConfig, and the secret of its client. Raises Fault."""
        context, space = self._rooms.context, self._space(region)
        workforce = workforce_of(context, space)
        if workforce is None or "OidcConfig" not in workforce:
            raise Fault(
                "AccessDeniedException", f"No identity provider is set up in {region} (docs/workforce.md).", 403
            )
        address = request.client.host if request.client else ""
        if not may_work_from(workforce, address):
            raise Fault("AccessDeniedException", f"The workforce may not work from {address}.", 403)
        return workforce, oidc_secret(context, space, workforce["WorkforceName"])

    def _space(self, region: str) -> Namespace:
        return Namespace(self._rooms.context.settings.account_id or "", region)

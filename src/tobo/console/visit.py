"""Visit: one request of somebody who is signed in, and everything that a page may do with it."""

import asyncio
import inspect
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tobo.console import ROOT
from tobo.console.navigation import NAVIGATION, WORKERS, Group
from tobo.console.rendering import Rendering
from tobo.console.sessions import Session, Sessions
from tobo.console.snippets import Made
from tobo.console.workers import worker_of
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, Principal, resource_of, serve
from tobo.operations.registry import TABLE


@dataclass
class Visit:
    """What a screen's function gets. It runs in a worker thread; `loop` is the server's."""

    request: Request
    context: Context
    sessions: Sessions
    session: Session
    principal: Principal
    region: str
    rendering: Rendering
    loop: asyncio.AbstractEventLoop
    form: FormData = field(default_factory=FormData)
    body: bytes = b""
    made: list[Made] = field(default_factory=list)
    """What was asked on the way, for "copy as"."""

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters of the route."""
        return self.request.path_params

    @property
    def as_code(self) -> bool:
        """The form is not to be sent, but shown as the code that would do what it does."""
        return self.request.method == "POST" and self.query.get("as") == "code"

    def call(self, service: str, name: str, /, **asked: Any) -> Any:
        """Asks an operation, by the one door, and remembers that it did. Raises its Faults."""
        self.made.append(Made(service, name, asked))
        return self.quietly(service, name, **asked)

    def quietly(self, service: str, name: str, /, **asked: Any) -> Any:
        """The same where the call is not what the page is about, and its code would only be in the way."""
        client, agent = self.request.client, self.request.headers.get("user-agent", "")
        space = Namespace(self.principal.account, self.region)
        by = Call(self.context, self.principal, space, source=client.host if client else "", agent=agent)
        given = serve(by, service, name, asked)
        if inspect.isawaitable(given):
            return asyncio.run_coroutine_threadsafe(_awaited(given), self.loop).result()
        return given

    def attempt(self, service: str, name: str, /, **asked: Any) -> Any:
        """`call` whose refusal is no matter: None then, and its code is not shown."""
        try:
            return self.call(service, name, **asked)
        except Fault:
            self.made.pop()
            return None

    def change(self, service: str, name: str, /, **asked: Any) -> Any:
        """A call that a form makes; nothing happens where the form is only to be shown as code: {} then."""
        if self.as_code:
            self.made.append(Made(service, name, asked))
            return {}
        return self.call(service, name, **asked)

    def done(self, then: str, said: str) -> Response:
        """A form's end: `said` is told on the page `then` (as `url` gives it); or the code of its calls."""
        if self.as_code:
            return HTMLResponse(self.rendering.code(self.made, self.region))
        self.sessions.tell(self.session, ("good", said))
        if "hx-request" in self.request.headers:
            return Response(status_code=204, headers={"HX-Redirect": then})
        return RedirectResponse(then, 303)

    def may(self, service: str, name: str, /, **asked: Any) -> bool:
        """Whether the signed-in key is allowed to ask this; buttons that it may not press are not shown."""
        operation = TABLE.get((service, name))
        if operation is None:
            return False
        call = Call(self.context, self.principal, Namespace(self.principal.account, self.region))
        resource = operation.resource(call, asked) if operation.resource else resource_of(call, service, name, asked)
        return self.principal.allows(operation.action, resource)

    @property
    def navigation(self) -> tuple[Group, ...]:
        """Every screen; to a worker the one that is his."""
        return NAVIGATION if worker_of(self.session.access_key_id) is None else WORKERS

    def page(self, template: str, status: int = 200, /, **data: Any) -> Response:
        """A template, whole, or the block of it that `?fragment=` names."""
        values = {
            "visit": self,
            "may": self.may,
            "url": url,
            "told": () if "fragment" in self.query else self.sessions.told(self.session),
            "account": self.principal.account,
            "who": self.principal.arn.rsplit(":", 1)[-1].removeprefix("user/").rpartition("/user/")[-1],
            "navigation": self.navigation,
            **data,
        }
        if "fragment" in self.query:
            return HTMLResponse(self.rendering.block(template, self.query["fragment"], values), status)
        theme = self.request.cookies.get("tobo_theme", "")
        values["theme"] = theme if theme in ("light", "dark") else "auto"
        return HTMLResponse(self.rendering.page(template, values), status)


async def _awaited(given: Awaitable[Any]) -> Any:
    return await given


def url(*path: str, **query: Any) -> str:
    """An address of the console: parts of the path are quoted, members of the query that are None or "" left out."""
    at = "/".join([ROOT, *(quote(part, safe="") for part in path)])
    pairs = [(name, value) for name, value in query.items() if value not in (None, "", [])]
    return f"{at}?{urlencode(pairs, doseq=True)}" if pairs else at


def fields_of(form: FormData) -> dict[str, str]:
    """The texts of a form that were filled in, white space at their ends taken off."""
    found = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    return {name: value for name, value in found.items() if value}


def all_of(form: FormData, name: str) -> Sequence[str]:
    """Every text of a field that may be there several times, such as the ticks of a table."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


def whole(fields: Mapping[str, str], name: str, what: str) -> int:
    """A field of a form as a whole number. Raises Fault ValidationException, which calls the field `what`."""
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise Fault("ValidationException", f"{what}: '{text[:40]}' is not a whole number.")
    return int(text)

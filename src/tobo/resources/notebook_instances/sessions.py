"""Who may enter a notebook instance: links that work once, and the sessions that they open.

A notebook's page runs whatever code its cells print, so it must not share an origin with the console or with another
notebook: each has a host name of its own, by default `<name>.notebook.<region>.localhost`, which browsers lead to this
machine by themselves (RFC 6761, 6.3). TOBO_NOTEBOOK_URL says another one where people come from other machines.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tobo.hosting.processes import socket_folder
from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.operations.rows import rows_of
from tobo.settings import Settings
from tobo.store.base import Conflict, Key, Row

LINK_SECONDS = 300.0
"""A presigned URL's life (API reference, CreatePresignedNotebookInstanceUrl)."""

LONGEST_SESSION = 43_200
"""Seconds; SessionExpirationDurationInSeconds' default and most."""

_EVERYWHERE = Namespace("", "")
_LINK, _SESSION = "notebook-link", "notebook-session"


@dataclass(frozen=True)
class Address:
    """Where browsers reach a notebook: `origin` is scheme://host[:port], `base` the path under which all of it lies."""

    origin: str
    base: str

    @property
    def host(self) -> str:
        """host[:port], as browsers send it."""
        return urlsplit(self.origin).netloc

    @property
    def hostname(self) -> str:
        """Without the port."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True)
class Entered:
    """An open session: the notebook's address, the socket and the token of its JupyterLab, and when it ends."""

    address: Address
    socket: Path
    token: str
    until: float


def address_of(settings: Settings, key: Key) -> Address:
    """By the name and region of an instance."""
    origin = _pattern(settings).format(name=key.name.lower(), region=key.space.region)
    return Address(origin, f"/notebook/{key.name}/")


def host_pattern(settings: Settings) -> str:
    """A regular expression of every notebook's host name, in lower case."""
    host = urlsplit(_pattern(settings)).hostname or ""
    return re.escape(host).replace(r"\{name\}", "[a-z0-9-]+").replace(r"\{region\}", "[a-z0-9-]+")


def _pattern(settings: Settings) -> str:
    return settings.notebook_url or f"http://{{name}}.notebook.{{region}}.localhost:{settings.port}"


def folder_of(settings: Settings, row: Row) -> Path:
    """Of everything that an instance has on disk."""
    return settings.state / "notebooks" / str(row.id)


def socket_of(settings: Settings, row: Row) -> Path:
    """Where the JupyterLab of an instance's present start listens; its folder is shown to that instance alone."""
    return socket_folder(settings.state / "notebooks") / f"{row.id}-{row.found['_start']}" / "s"


def token_of(settings: Settings, row: Row) -> str:
    """What its JupyterLab of the present start asks for; the gateway alone shows it."""
    secret = (settings.root_secret_access_key or "").encode()
    return hmac.new(secret, f"notebook/{row.id}/{row.found['_start']}".encode(), hashlib.sha256).hexdigest()


def issue_link(context: Context, row: Row, seconds: int) -> str:
    """An address that opens a session of `seconds`, once; what is over is forgotten on the occasion."""
    now = context.clock.now()
    for kind in (_LINK, _SESSION):
        for old in rows_of(context.store, _EVERYWHERE, kind):
            if old.found["Expires"] <= now:
                _delete(context, old)
    address = address_of(context.settings, row.key)
    token = _keep(context, _LINK, row, now + LINK_SECONDS, seconds)
    return f"{address.origin}{address.base}?authToken={token}"


def redeem(context: Context, token: str) -> tuple[str, int, Entered] | None:
    """A session's cookie value, its seconds and what it opens; None for a link that was used, is over or is none."""
    now = context.clock.now()
    link = context.store.get(Key(_EVERYWHERE, _LINK, _hash(token)))
    if link is None or link.found["Expires"] <= now or not _delete(context, link):
        return None
    row = _instance(context, link)
    if row is None:
        return None
    seconds = int(link.asked["Seconds"])
    cookie = _keep(context, _SESSION, row, now + seconds, seconds)
    return cookie, seconds, _entered(context, row, now + seconds)


def find(context: Context, cookie: str) -> Entered | None:
    """What a session's cookie opens; None where it is over, or the notebook is not in service."""
    session = context.store.get(Key(_EVERYWHERE, _SESSION, _hash(cookie)))
    if session is None or session.found["Expires"] <= context.clock.now():
        return None
    row = _instance(context, session)
    return None if row is None else _entered(context, row, session.found["Expires"])


def _entered(context: Context, row: Row, until: float) -> Entered:
    settings = context.settings
    return Entered(address_of(settings, row.key), socket_of(settings, row), token_of(settings, row), until)


def _instance(context: Context, kept: Row) -> Row | None:
    """The instance in service that a link or a session is of; one that was made anew under the name is another one."""
    account, region, kind, name = kept.asked["Key"]
    row = context.store.get(Key(Namespace(account, region), kind, name))
    return row if row is not None and row.id == kept.asked["Row"] and row.state == "InService" else None


def _keep(context: Context, kind: str, row: Row, expires: float, seconds: int) -> str:
    """A new secret, of which the hash alone is kept."""
    secret, now = secrets.token_urlsafe(32), context.clock.now()
    asked = {"Key": [*row.key.space, row.key.kind, row.key.name], "Row": row.id, "Seconds": seconds}
    context.store.insert(
        Row(Key(_EVERYWHERE, kind, _hash(secret)), "", asked, {"Expires": expires}, "Active", "Active", now, now)
    )
    return secret


def _delete(context: Context, row: Row) -> bool:
    """False where somebody else has."""
    try:
        context.store.delete(row)
    except Conflict:
        return False
    return True


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

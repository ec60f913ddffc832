"""Sessions: who is signed in to the console, by a random cookie whose hash alone is kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from tobo.console.workers import REMEMBERED, Federated, Worker, principal_of, worker_of
from tobo.kit.fault import Fault
from tobo.operations.context import Context, Principal
from tobo.operations.rows import rows_of
from tobo.resources.identity.keyring import EVERYWHERE, BadToken, UnknownKey, ring_of
from tobo.store.base import AlreadyExists, Conflict, Key, Row

COOKIE = "tobo_session"

LIFETIME = 12 * 3600.0
"""Seconds after which one signs in again."""

KIND = "console-session"


@dataclass(frozen=True)
class Session:
    """One browser's. `id` is the hash that is kept; `csrf` what its forms must show; a worker's mark in the key's place."""

    id: str
    csrf: str
    access_key_id: str
    token: str | None
    expires: float


Sentence = tuple[Literal["good", "bad"], str]
"""What was done, told on the next page."""


class Sessions:
    """Those of one server; they outlast it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: dict[str, list[Sentence]] = {}
        self._workers: dict[Worker | Federated, tuple[float, Principal | None]] = {}

    def open(self, access_key_id: str, token: str | None = None, lifetime: float = LIFETIME) -> tuple[Session, str]:
        """A new session and its cookie's value; old ones that nobody can use any more are forgotten."""
        now = self._context.clock.now()
        for row in rows_of(self._context.store, EVERYWHERE, KIND):
            if row.found["Expires"] <= now:
                self._delete(row)
        cookie = secrets.token_urlsafe(32)
        session = _session(cookie, access_key_id, token, now + lifetime)
        asked = {"AccessKeyId": access_key_id, "SessionToken": token}
        row = Row(
            Key(EVERYWHERE, KIND, session.id), "", asked, {"Expires": session.expires}, "Active", "Active", now, now
        )
        try:
            self._context.store.insert(row)
        except AlreadyExists:  # 256 random bits
            raise RuntimeError("a session's id was drawn twice") from None
        return session, cookie

    def find(self, cookie: str) -> Session | None:
        """None for what is none, or none any more."""
        row = self._context.store.get(Key(EVERYWHERE, KIND, _hash(cookie)))
        if row is None or row.found["Expires"] <= self._context.clock.now():
            return None
        return _session(cookie, row.asked["AccessKeyId"], row.asked["SessionToken"], row.found["Expires"])

    def close(self, session: Session) -> None:
        self._told.pop(session.id, None)
        row = self._context.store.get(Key(EVERYWHERE, KIND, session.id))
        if row is not None:
            self._delete(row)

    def of_key(self, session: Session) -> list[tuple[float, float, bool]]:
        """(since, until, whether it is this one) of every session of the same access key, epoch seconds."""
        now = self._context.clock.now()
        return [
            (row.created, row.found["Expires"], row.key.name == session.id)
            for row in rows_of(self._context.store, EVERYWHERE, KIND)
            if row.asked["AccessKeyId"] == session.access_key_id and row.found["Expires"] > now
        ]

    def close_all(self, session: Session) -> None:
        """Every session of the same access key, this one, too."""
        for row in rows_of(self._context.store, EVERYWHERE, KIND):
            if row.asked["AccessKeyId"] == session.access_key_id:
                self._told.pop(row.key.name, None)
                self._delete(row)

    def principal(self, session: Session) -> Principal | None:
        """Whose rights the session has, as they are now; None once its key is gone or over."""
        now = self._context.clock.now()
        if worker := worker_of(session.access_key_id):
            return self._worker(worker, now) if now < session.expires else None
        try:
            credential = ring_of(self._context).find(session.access_key_id, session.token)
        except (UnknownKey, BadToken):
            return None
        expires = min(session.expires, credential.expires or session.expires)
        return credential.principal if now < expires else None

    def _worker(self, worker: Worker | Federated, now: float) -> Principal | None:
        """Looked up again after a few seconds: a page asks for several things at once."""
        seen, principal = self._workers.get(worker, (0.0, None))
        if not 0 <= now - seen < REMEMBERED:
            self._workers = {one: found for one, found in self._workers.items() if 0 <= now - found[0] < REMEMBERED}
            principal = principal_of(self._context, self._context.settings.account_id or "", worker)
            self._workers[worker] = (now, principal)
        return principal

    def tell(self, session: Session, sentence: Sentence) -> None:
        """Kept for the next page."""
        self._told.setdefault(session.id, []).append(sentence)

    def told(self, session: Session) -> list[Sentence]:
        """What is to be told; once."""
        return self._told.pop(session.id, [])

    def _delete(self, row: Row) -> None:
        try:
            self._context.store.delete(row)
        except Conflict:
            return  # somebody else has


def check_key(context: Context, access_key_id: str, secret: str, token: str | None) -> None:
    """Raises Fault where the access key is none, or the secret not its own; both in the same words."""
    wrong = Fault(
        "InvalidClientTokenId",
        "This access key and secret do not belong together; `tobo env` prints those of the server.",
        403,
    )
    try:
        credential = ring_of(context).find(access_key_id, token)
    except (UnknownKey, BadToken):
        raise wrong from None
    if not hmac.compare_digest(credential.secret.encode(), secret.encode()):
        raise wrong
    if credential.expires is not None and credential.expires <= context.clock.now():
        raise Fault("ExpiredToken", "This session token is over; ask for another one.", 403)


def _session(cookie: str, access_key_id: str, token: str | None, expires: float) -> Session:
    csrf = hmac.new(cookie.encode(), b"csrf", hashlib.sha256).hexdigest()
    return Session(_hash(cookie), csrf, access_key_id, token, expires)


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()

"""KeyRing: from an access key to its secret and its owner's rights, remembered so that a request costs no read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from tobo.kit.arn import Arn, Namespace, parse_arn
from tobo.operations.context import Context, Principal
from tobo.operations.policy import Statement, read_policy
from tobo.resources.identity.managed_policies import MANAGED, ROOT
from tobo.resources.identity.session_tokens import Session, open_token
from tobo.store.base import Key, Row, Store

EVERYWHERE = Namespace("", "")
"""Where access keys live: a request names its key before anybody knows its account."""

EXECUTION_ROLE = "AmazonSageMaker-ExecutionRole"
EXECUTION_ROLE_POLICY = ROOT + "AmazonSageMakerFullAccess"

_EVERYBODY = (Statement("Allow", ("sts:GetCallerIdentity",)),)
"""AWS asks no permission for it (STS API Reference, GetCallerIdentity)."""

_MOST_SESSIONS = 4096


class UnknownKey(Exception):
    """No active access key of that id."""


class BadToken(Exception):
    """The session token is missing, superfluous, or not one that this house gave."""


@dataclass(frozen=True)
class Credential:
    """A key's secret and owner. `expires` in epoch seconds; None: lasting."""

    principal: Principal
    secret: str
    expires: float | None = None


class KeyRing:
    """One a store; `forget` after every change of a key, a user, a role or a policy."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[tuple[str, str | None], Credential] = {}

    def find(self, access_key_id: str, token: str | None) -> Credential:
        """Raises UnknownKey, BadToken. Whether it has expired is for the caller to see."""
        cache = self._found  # what was read before a `forget` must not come into the cache after it
        found = cache.get((access_key_id, token))
        if found is None:
            found = self._lasting(access_key_id) if token is None else self._temporary(access_key_id, token)
            if len(cache) >= _MOST_SESSIONS:
                cache.clear()
            cache[access_key_id, token] = found
        return found

    def forget(self) -> None:
        self._found = {}

    def _lasting(self, access_key_id: str) -> Credential:
        if access_key_id.startswith("ASIA"):
            raise BadToken
        settings = self._context.settings
        if access_key_id == settings.root_access_key_id and settings.root_secret_access_key is not None:
            return Credential(root_of(self._context), settings.root_secret_access_key)
        row = self._context.store.get(Key(EVERYWHERE, "access-key", access_key_id))
        if row is None or row.status != "Active":
            raise UnknownKey
        account = row.found["Account"]
        user = self._context.store.get(Key(Namespace(account, ""), "user", row.asked["UserName"]))
        if user is None:
            raise UnknownKey
        statements = _EVERYBODY + statements_of(self._context.store, account, user)
        principal = Principal(account, user.arn, user.found["UserId"], access_key_id, statements)
        return Credential(principal, row.found["SecretAccessKey"])

    def _temporary(self, access_key_id: str, token: str) -> Credential:
        secret_of_root = self._context.settings.root_secret_access_key
        opened = open_token(secret_of_root, token) if secret_of_root else None
        if opened is None or opened[0].access_key_id != access_key_id:
            raise BadToken
        session, secret = opened
        return Credential(session_principal(self._context, session), secret, session.expires)


_RINGS: WeakKeyDictionary[Store, KeyRing] = WeakKeyDictionary()


def ring_of(context: Context) -> KeyRing:
    """The ring of this context's store."""
    ring = _RINGS.get(context.store)
    if ring is None:
        ring = _RINGS[context.store] = KeyRing(context)
    return ring


def forget_cached(context: Context) -> None:
    """What was remembered of this context's store is read anew."""
    ring_of(context).forget()


def root_of(context: Context) -> Principal:
    """The account's root, who may do everything."""
    account = context.settings.account_id or "000000000000"
    arn = str(Arn("iam", "", account, "root"))
    return Principal(account, arn, account, context.settings.root_access_key_id or "")


def session_principal(context: Context, session: Session) -> Principal:
    """Whose requests a session's are: the role's or the user's rights as they are now; none where it is gone."""
    limits = _EVERYBODY + read_policy(_document(session.policy)) if session.policy else None
    return replace(_source_principal(context, session), limits=limits)


def _source_principal(context: Context, session: Session) -> Principal:
    account = session.account
    if session.source == str(Arn("iam", "", account, "root")):
        return replace(root_of(context), access_key_id=session.access_key_id)
    row = source_row(context.store, account, session.source)
    statements = _EVERYBODY + (() if row is None else statements_of(context.store, account, row))
    if ":user/" in session.source:
        user_id = "" if row is None else row.found["UserId"]
        return Principal(account, session.source, user_id, session.access_key_id, statements)
    role = Arn("sts", "", account, f"assumed-role/{parse_arn(session.source).name}/{session.name}")
    role_id = "" if row is None else row.found["RoleId"]
    return Principal(account, str(role), f"{role_id}:{session.name}", session.access_key_id, statements)


def source_row(store: Store, account: str, arn: str) -> Row | None:
    """The row of a role's or a user's ARN, by the name at its end, whatever path is in between."""
    kind = parse_arn(arn).resource.split("/", 1)[0]
    return store.get(Key(Namespace(account, ""), kind, parse_arn(arn).name)) if kind in ("role", "user") else None


def statements_of(store: Store, account: str, row: Row) -> tuple[Statement, ...]:
    """All statements of a role or a user: its inline policies and those attached to it."""
    documents: list[Mapping[str, Any]] = [_document(text) for text in row.found["Inline"].values()]
    for arn in row.found["Attached"]:
        document = policy_document(store, account, arn)
        if document is not None:
            documents.append(document)
    return tuple(_statements(documents))


def _statements(documents: Iterable[Mapping[str, Any]]) -> Iterable[Statement]:
    for document in documents:
        yield from read_policy(document)


def policy_document(store: Store, account: str, arn: str) -> Mapping[str, Any] | None:
    """The document of a managed policy, AWS's or the account's own; None where there is none."""
    if arn in MANAGED:
        return MANAGED[arn]
    row = store.get(Key(Namespace(account, ""), "policy", arn.rsplit("/", 1)[-1]))
    return None if row is None or row.arn != arn else _document(row.asked["PolicyDocument"])


@lru_cache(256)
def _document(text: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = orjson.loads(text)
    return document

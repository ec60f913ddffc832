"""Identity's rows: account-wide users, roles and policies, and access keys that are found without knowing their account."""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.resources.identity.keyring import forget_cached
from tobo.store.base import AlreadyExists, Conflict, Key, Query, Row

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def unique_id(prefix: str) -> str:
    """AROA..., AIDA..., ANPA...: 21 characters (IAM User Guide, "IAM identifiers")."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(17))


def iam_arn(call: Call, kind: str, path: str | None, name: str) -> str:
    """`arn:aws:iam::<account>:<kind><path><name>`; paths start and end with a slash."""
    return str(Arn("iam", "", call.space.account, f"{kind}{path or '/'}{name}"))


def key_of(call: Call, kind: str, name: str) -> Key:
    return Key(Namespace(call.space.account, ""), kind, name)


def row_of(call: Call, kind: str, name: str) -> Row:
    """Raises Fault NoSuchEntity."""
    row = call.context.store.get(key_of(call, kind, name))
    if row is None:
        raise no_such(kind, name)
    return row


def arn_of(call: Call, kind: str, name: str, path: str | None = None) -> str:
    """The ARN that a request about `name` asks on: the row's, or the one that it would have."""
    row = None if name == "*" else call.context.store.get(key_of(call, kind, name))
    return iam_arn(call, kind, path, name) if row is None else row.arn


def under_path(asked: Mapping[str, Any]) -> Callable[[Row], bool]:
    """Whether a row is under the PathPrefix that a List operation asks for."""
    prefix = asked.get("PathPrefix", "/")
    return lambda row: bool(row.asked.get("Path", "/").startswith(prefix))


def refuse_boundary(asked: Mapping[str, Any]) -> None:
    """A boundary that nobody enforces would be a lie. Raises Fault InvalidInput."""
    if asked.get("PermissionsBoundary"):
        raise Fault("InvalidInput", "PermissionsBoundary is not built in tobo; narrow the policies themselves instead.")


def refuse_with_policies(row: Row) -> None:
    """Raises Fault DeleteConflict while policies hang on a role or a user."""
    if row.found["Attached"]:
        raise Fault("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
    if row.found["Inline"]:
        raise Fault("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)


def no_such(kind: str, name: str) -> Fault:
    return Fault("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)


def create(
    call: Call,
    kind: str,
    name: str,
    arn: str,
    asked: Mapping[str, Any],
    found: Mapping[str, Any],
    key: Key | None = None,
) -> Row:
    """Raises Fault EntityAlreadyExists. `asked` is kept without its tags, which are the row's own."""
    kept = {member: value for member, value in asked.items() if member != "Tags"}
    tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
    row = Row(key or key_of(call, kind, name), arn, kept, found, "Active", "Active", call.now, call.now, tags)
    try:
        inserted = call.context.store.insert(row)
    except AlreadyExists:
        raise Fault("EntityAlreadyExists", f"{kind.capitalize()} with name {name} already exists.", 409) from None
    forget_cached(call.context)
    return inserted


def change(call: Call, read: Callable[[], Row], decide: Callable[[Row], Mapping[str, Any]]) -> Row:
    """Writes what `decide` makes of the row (fields of Row); decides again where somebody else was quicker."""
    while True:
        row = read()
        try:
            changed = call.context.store.update(row, modified=call.now, **decide(row))
        except Conflict:
            continue
        forget_cached(call.context)
        return changed


def remove(call: Call, read: Callable[[], Row], refuse: Callable[[Row], None] = lambda row: None) -> None:
    """Deletes the row unless `refuse` raises."""
    while True:
        row = read()
        refuse(row)
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
        forget_cached(call.context)
        return


def listed(
    call: Call,
    query: Query,
    asked: Mapping[str, Any],
    member: str,
    summary: Callable[[Row], Mapping[str, Any]],
    keep: Callable[[Row], bool] = lambda row: True,
) -> dict[str, Any]:
    """A page in order of names with IAM's Marker and IsTruncated; `keep` filters what the store cannot."""
    limit = asked.get("MaxItems") or 100
    after = _after(asked.get("Marker"))
    rows: list[Row] = []
    while len(rows) <= limit:
        page = call.context.store.page(_next(query, limit + 1, after))
        rows += [row for row in page.rows if keep(row)]
        after = page.after
        if after is None:
            break
    answer: dict[str, Any] = {member: [summary(row) for row in rows[:limit]], "IsTruncated": len(rows) > limit}
    if len(rows) > limit:
        last = rows[limit - 1]
        answer["Marker"] = _marker([last.key.name, last.id])
    return answer


def cut(items: list[Any], asked: Mapping[str, Any], member: str) -> dict[str, Any]:
    """The same for a list that is in memory whole."""
    limit = asked.get("MaxItems") or 100
    start = (_after(asked.get("Marker")) or ("", 0))[1]
    answer: dict[str, Any] = {member: items[start : start + limit], "IsTruncated": len(items) > start + limit}
    if answer["IsTruncated"]:
        answer["Marker"] = _marker(["", start + limit])
    return answer


def _next(query: Query, limit: int, after: tuple[Any, int] | None) -> Query:
    return Query(query.space, query.kind, where=query.where, sort_by="Name", descending=False, limit=limit, after=after)


def _marker(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _after(marker: str | None) -> tuple[Any, int] | None:
    if not marker:
        return None
    try:
        name, number = orjson.loads(base64.urlsafe_b64decode(marker))
        if isinstance(name, str) and isinstance(number, int) and number >= 0:
            return name, number
    except ValueError:
        pass
    raise Fault("InvalidInput", "Marker is not one that this operation gave; start again without it.")


def policy_text(text: str, member: str) -> str:
    """A policy document as the client sent it, once it is seen to be one. Raises Fault MalformedPolicyDocument."""
    try:
        document = orjson.loads(text)
    except ValueError:
        raise _malformed(f"{member} is not JSON.") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise _malformed(f"{member} needs a Statement whose Effect is Allow or Deny.")
        for name in ("Action", "NotAction", "Resource", "NotResource"):
            value = statement.get(name, [])
            if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
                raise _malformed(f"{name} of a statement in {member} is neither a text nor a list of texts.")
        if "Action" not in statement and "NotAction" not in statement:
            raise _malformed(f"A statement in {member} names no Action.")
    return text


def _malformed(message: str) -> Fault:
    return Fault("MalformedPolicyDocument", message)


def encoded(text: str) -> str:
    """Documents leave IAM percent-encoded (RFC 3986), as its API Reference says."""
    return quote(text, safe="")


def tag_list(row: Row) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in row.tags.items()]

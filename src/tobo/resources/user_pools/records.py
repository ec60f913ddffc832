"""User pools' rows: what lives in a pool is found by the pool's id and its own name, which has no space in it."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.arn import Arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import Tokens
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Query, Row

POOL, CLIENT, GROUP, USER, MEMBER = (
    *("user-pool", "user-pool-client", "user-pool-group", "user-pool-user", "user-pool-member"),
)
"""Kinds. A member's row is named by pool, group and user."""

MOST = 60
"""Entries of a page (API reference, ListUsers: Limit)."""


def pool_arn(call: Call, pool: str) -> str:
    """`arn:aws:cognito-idp:<region>:<account>:userpool/<id>`."""
    return str(Arn("cognito-idp", call.space.region, call.space.account, f"userpool/{pool}"))


def asked_arn(call: Call, asked: Mapping[str, Any]) -> str:
    """The pool that a request is about, for the check of policies."""
    return pool_arn(call, asked.get("UserPoolId", "*"))


def key_of(call: Call, kind: str, *names: str) -> Key:
    """`names`: the pool's id, and what is in it."""
    return Key(call.space, kind, " ".join(names))


def find(call: Call, kind: str, *names: str) -> Row | None:
    return call.context.store.get(key_of(call, kind, *names))


def pool_row(call: Call, pool: str) -> Row:
    """Raises Fault ResourceNotFoundException."""
    row = find(call, POOL, pool)
    if row is None:
        raise Fault("ResourceNotFoundException", f"User pool {pool} does not exist.")
    return row


def group_row(call: Call, asked: Mapping[str, Any]) -> Row:
    """Of UserPoolId and GroupName; raises Fault ResourceNotFoundException for either."""
    pool_row(call, asked["UserPoolId"])
    row = find(call, GROUP, asked["UserPoolId"], asked["GroupName"])
    if row is None:
        raise Fault(
            "ResourceNotFoundException",
            f"The group '{asked['GroupName']}' does not exist in the user pool {asked['UserPoolId']}; create it first.",
        )
    return row


def user_row(call: Call, asked: Mapping[str, Any]) -> Row:
    """Of UserPoolId and Username; raises Fault ResourceNotFoundException, UserNotFoundException."""
    pool = pool_row(call, asked["UserPoolId"])
    row = find(call, USER, asked["UserPoolId"], user_name(pool, asked["Username"]))
    if row is None:
        raise Fault("UserNotFoundException", f"User does not exist: '{asked['Username']}' in {asked['UserPoolId']}.")
    return row


def user_name(pool: Row, name: str) -> str:
    """The name that a user is found by: in small letters, unless the pool was made to tell Ada from ada."""
    return name if pool.asked.get("UsernameConfiguration", {}).get("CaseSensitive") else name.lower()


def insert(
    call: Call, key: Key, asked: Mapping[str, Any], taken: Fault | None, found: Mapping[str, Any] | None = None
) -> Row:
    """Raises `taken` where the name exists; with None the row that is there is given."""
    arn = pool_arn(call, key.name) if key.kind == POOL else ""
    row = Row(key, arn, dict(asked), dict(found or {}), "Active", "Active", call.now, call.now)
    try:
        return call.context.store.insert(row, Event(call.now, "created", "Active"))
    except AlreadyExists:
        if taken is not None:
            raise taken from None
        return call.context.store.get(key) or row


def change(call: Call, read: Callable[[], Row], decide: Callable[[Row], Mapping[str, Any]]) -> Row:
    """Writes what `decide` makes of the row's `found`; decides again where somebody else was quicker."""
    while True:
        row = read()
        try:
            return call.context.store.update(row, modified=call.now, found={**row.found, **decide(row)})
        except Conflict:
            continue


def remove(call: Call, read: Callable[[], Row]) -> None:
    """Deletes what `read` gives; raises its Faults."""
    while True:
        try:
            return call.context.store.delete(read())
        except Conflict:
            continue


def remove_all(call: Call, kind: str, *names: str, where: Mapping[str, str] | None = None) -> None:
    """Deletes every row under `names`; a second time it finds what the first one left."""
    query = Query(call.space, kind, name_prefix=" ".join(names) + " ", where=where or {}, limit=500)
    while rows := call.context.store.page(query).rows:
        for row in rows:
            try:
                call.context.store.delete(row)
            except Conflict:
                continue  # it was changed meanwhile, and is read again


def listed(
    call: Call,
    query: Query,
    asked: Mapping[str, Any],
    member: str,
    summary: Callable[[Row], Mapping[str, Any] | None],
    token: str = "NextToken",
    size: str = "Limit",
    keep: Callable[[Row], bool] = lambda row: True,
) -> dict[str, Any]:
    """A page in the order of names; `keep` filters what the store cannot, `summary` None leaves a row out.

    Raises Fault InvalidParameterException for a token of another list.
    """
    tokens = Tokens.of(query.kind, {name: value for name, value in asked.items() if name not in (token, size)})
    try:
        after = tokens.read(asked.get(token))
    except Fault as fault:
        raise Fault("InvalidParameterException", fault.message.replace("NextToken", token)) from None
    limit = asked.get(size) or MOST
    found: list[Any] = []
    last: Row | None = None
    while True:
        page = call.context.store.page(
            Query(
                query.space,
                query.kind,
                name_prefix=query.name_prefix,
                where=query.where,
                sort_by="Name",
                descending=False,
                limit=limit + 1,
                after=after,
            )
        )
        for row in page.rows:
            shown = summary(row) if keep(row) else None
            if shown is None:
                continue
            if len(found) == limit and last is not None:
                return {member: found, token: tokens.write((last.key.name, last.id))}
            found.append(shown)
            last = row
        after = page.after
        if after is None:
            return {member: found}

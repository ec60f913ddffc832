"""Rows as the SageMaker operations make and read them: name, ARN, tags and times in the same way for every noun."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tobo.kit.arn import Namespace, sagemaker_arn
from tobo.kit.fault import Fault
from tobo.operations.budgeting import check_budgets
from tobo.operations.context import Call
from tobo.operations.metering import USER
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Query, Row, Store, every_row


def add_row(
    call: Call,
    kind: str,
    name: str,
    asked: Mapping[str, Any],
    taken: Callable[[str], Fault],
    *,
    state: str = "Created",
    status: str | None = None,
    found: Mapping[str, Any] | None = None,
    todo: Sequence[str] = (),
    arn: str | None = None,
) -> Row:
    """Inserts a new resource, its Tags apart, and wakes the controller where there is something to do.

    `status` defaults to the state, `arn` to that of kind and name. Raises what `taken` makes of the ARN where the name exists,
    and Fault ResourceLimitExceeded where a budget forbids it.
    """
    now = call.now
    row = Row(
        key=Key(call.space, kind, name),
        arn=arn or sagemaker_arn(call.space, kind, name),
        asked={member: value for member, value in asked.items() if member != "Tags"},
        found={**(found or {}), USER: call.principal.arn},
        status=status or state,
        state=state,
        created=now,
        modified=now,
        tags={tag["Key"]: tag["Value"] for tag in asked.get("Tags", [])},
        due=now if todo else None,
        todo=tuple(todo),
    )
    check_budgets(call.context, row)
    try:
        row = call.context.store.insert(row, Event(now, "created", state))
    except AlreadyExists:
        raise taken(row.arn) from None
    if todo:
        call.context.wake(row)
    return row


def known_row(call: Call, kind: str, name: str, missing: Callable[[str], Fault]) -> Row:
    """Reads a resource; raises what `missing` makes of the ARN where there is none."""
    row = call.context.store.get(Key(call.space, kind, name))
    if row is None:
        raise missing(sagemaker_arn(call.space, kind, name))
    return row


def change_row(call: Call, read: Callable[[], Row], event: str, change: Callable[[Row], Mapping[str, Any]]) -> Row:
    """Writes the fields that `change` gives for the row as it is now; `read` gives the row or refuses (raises Fault)."""
    while True:
        row = read()
        try:
            return call.context.store.update(row, Event(call.now, event, row.state), modified=call.now, **change(row))
        except Conflict:
            continue


def rows_of(store: Store, space: Namespace, kind: str, prefix: str = "") -> Iterator[Row]:
    """Every row of a kind whose name begins so, the oldest first."""
    return every_row(store, Query(space, kind, name_prefix=prefix or None, descending=False))


def made_by(call: Call) -> dict[str, Any]:
    """A UserContext: who asks."""
    return {"IamIdentity": {"Arn": call.principal.arn, "PrincipalId": call.principal.user_id}}


def remove_row(call: Call, kind: str, name: str, missing: Callable[[str], Fault]) -> None:
    """Deletes a resource that nothing works on; raises as `known_row` does."""
    while True:
        try:
            return call.context.store.delete(known_row(call, kind, name, missing))
        except Conflict:
            continue  # it was tagged or deleted meanwhile

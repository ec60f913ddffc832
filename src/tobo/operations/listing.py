"""The List operations' common contract: filters, sorting, MaxResults and an opaque NextToken."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import orjson

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.store.base import Query, Row, SortBy, every_row

_T = TypeVar("_T")
Summary = Callable[[Row], dict[str, Any]]

_SORTS: dict[str, SortBy] = {
    name: name for name in ("Name", "Arn", "CreationTime", "LastModifiedTime", "Status", "State")
}
_KEYS: dict[str, Callable[[Row], Any]] = {
    "Name": lambda row: row.key.name,
    "CreationTime": lambda row: row.created,
    "LastModifiedTime": lambda row: row.modified,
    "Status": lambda row: row.status,
    "ModelName": lambda row: row.asked.get("ModelName", ""),
    "DeviceFleetName": lambda row: row.asked.get("DeviceFleetName", ""),
}


def list_rows(
    call: Call,
    kind: str,
    asked: Mapping[str, Any],
    member: str,
    summary: Summary,
    where: Mapping[str, str | None] | None = None,
    default_limit: int = 10,
    default_descending: bool = True,
    name_prefix: str | None = None,
    arn: str | None = None,
) -> dict[str, Any]:
    """Answers {member: [summaries], NextToken?} for a List operation that has the usual members.

    `where` are further filters on top-level members of the request or the findings; `name_prefix` and `arn` are found by
    an index. A token that belongs to another list or to other filters is refused.
    """
    tokens = Tokens.of(kind, asked)
    query = replace(
        _query(call, kind, asked),
        name_prefix=name_prefix,
        arn=arn,
        where={name: value for name, value in (where or {}).items() if value is not None},
        sort_by=_SORTS.get(asked.get("SortBy", "CreationTime"), "CreationTime"),
        descending=_descending(asked, default_descending),
        limit=asked.get("MaxResults") or default_limit,
        after=tokens.read(asked.get("NextToken")),
    )
    page = call.context.store.page(query)
    answer: dict[str, Any] = {member: [summary(row) for row in page.rows]}
    if page.after is not None:
        answer["NextToken"] = tokens.write(page.after)
    return answer


def matching(call: Call, kind: str, asked: Mapping[str, Any]) -> Iterator[Row]:
    """Every row that the usual filters of a List operation leave, for a `list_among` with filters or orders of its own."""
    return every_row(call.context.store, replace(_query(call, kind, asked), limit=500))


def list_among(
    kind: str,
    asked: Mapping[str, Any],
    member: str,
    summary: Summary,
    rows: Iterable[Row],
    default_limit: int = 10,
    default_descending: bool = True,
) -> dict[str, Any]:
    """`list_rows` among rows that were read already: for lists that a relation narrows to a few."""
    tokens = Tokens.of(kind, asked)
    key = _KEYS[asked.get("SortBy", "CreationTime")]
    descending = _descending(asked, default_descending)
    created_after = _bound(asked, "CreationTimeAfter", "CreatedAfter")
    created_before = _bound(asked, "CreationTimeBefore", "CreatedBefore")
    wanted = [
        row
        for row in rows
        if (created_after is None or row.created >= created_after)
        and (created_before is None or row.created <= created_before)
    ]
    wanted.sort(key=lambda row: (key(row), row.id), reverse=descending)
    if (after := tokens.read(asked.get("NextToken"))) is not None:
        wanted = [row for row in wanted if is_behind((key(row), row.id), after, descending)]
    limit = asked.get("MaxResults") or default_limit
    answer: dict[str, Any] = {member: [summary(row) for row in wanted[:limit]]}
    if len(wanted) > limit:
        answer["NextToken"] = tokens.write((key(wanted[limit - 1]), wanted[limit - 1].id))
    return answer


def page_of(
    items: Sequence[_T], kind: str, asked: Mapping[str, Any], default_limit: int
) -> tuple[Sequence[_T], dict[str, str]]:
    """A page of what one row holds, in its order, and {"NextToken": ...} where there is more of it."""
    tokens = Tokens.of(kind, asked)
    begin = max(0, (tokens.read(asked.get("NextToken")) or ("", 0))[1])
    end = begin + (asked.get("MaxResults") or default_limit)
    return items[begin:end], {"NextToken": tokens.write(("", end))} if end < len(items) else {}


@dataclass(frozen=True)
class Tokens:
    """Opaque tokens, sealed with the list that gave them and its filters."""

    seal: str

    @classmethod
    def of(cls, kind: str, asked: Mapping[str, Any]) -> "Tokens":
        """`asked` is the request; its NextToken and MaxResults may change from page to page."""
        filters = {name: asked[name] for name in sorted(asked) if name not in ("NextToken", "MaxResults")}
        text = orjson.dumps([kind, filters], default=str)
        return cls(hashlib.blake2s(text, digest_size=6).hexdigest())

    def write(self, after: tuple[Any, int]) -> str:
        """A token behind the row with this sort value (a text or a float) and id."""
        return base64.urlsafe_b64encode(orjson.dumps([self.seal, *after])).decode()

    def read(self, token: str | None) -> tuple[Any, int] | None:
        """(sort value, id), None without a token; raises Fault ValidationException for one that this list did not give."""
        if not token:
            return None
        try:
            seal, value, row_id = orjson.loads(base64.urlsafe_b64decode(token))
        except (ValueError, TypeError):
            raise validation("NextToken is not one that this operation gave; start again without it.") from None
        if seal != self.seal:
            raise validation("NextToken belongs to a request with other filters; start again without it.")
        if not isinstance(value, str | float) or not isinstance(row_id, int) or abs(row_id) >= 2**63:
            raise validation("NextToken is not one that this operation gave; start again without it.")
        return value, row_id


def is_behind(place: tuple[Any, int], seen: tuple[Any, int], descending: bool) -> bool:
    """Whether a row at `place` comes after the last one `seen`; raises Fault for a token that cannot be ours."""
    if isinstance(place[0], str) != isinstance(seen[0], str):
        raise validation("NextToken is not one that this operation gave; start again without it.")
    return place < seen if descending else place > seen


def _query(call: Call, kind: str, asked: Mapping[str, Any]) -> Query:
    """The filters that most lists have."""
    return Query(
        space=call.space,
        kind=kind,
        name_contains=asked.get("NameContains"),
        created_after=_bound(asked, "CreationTimeAfter", "CreatedAfter"),
        created_before=_bound(asked, "CreationTimeBefore", "CreatedBefore"),
        modified_after=_bound(asked, "LastModifiedTimeAfter"),
        modified_before=_bound(asked, "LastModifiedTimeBefore"),
        status=asked.get("StatusEquals"),
    )


def _descending(asked: Mapping[str, Any], default: bool) -> bool:
    order = asked.get("SortOrder")
    return order == "Descending" if order else default


def _bound(asked: Mapping[str, Any], *names: str) -> float | None:
    """Epoch seconds of a time filter; lists call the same filter by different names."""
    given: datetime | None = next((asked[name] for name in names if asked.get(name) is not None), None)
    return None if given is None else given.timestamp()

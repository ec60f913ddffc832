"""The List operations' common contract: filters, sorting, MaxResults and an opaque NextToken."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.store.base import Query, Row, SortBy

_SORTS: dict[str, SortBy] = {
    "Name": "Name",
    "CreationTime": "CreationTime",
    "LastModifiedTime": "LastModifiedTime",
    "Status": "Status",
}


def list_rows(
    call: Call,
    kind: str,
    asked: Mapping[str, Any],
    member: str,
    summary: Callable[[Row], dict[str, Any]],
    where: Mapping[str, str | None] | None = None,
    default_limit: int = 10,
    default_descending: bool = True,
) -> dict[str, Any]:
    """Answers {member: [summaries], NextToken?} for a List operation that has the usual members.

    `where` are further filters on top-level members of the request or the findings. A token that belongs to other filters is refused.
    """
    order = asked.get("SortOrder")
    filters = {name: asked[name] for name in sorted(asked) if name not in ("NextToken", "MaxResults")}
    token = _Tokens(kind, filters)
    query = Query(
        space=call.space,
        kind=kind,
        name_contains=asked.get("NameContains"),
        created_after=_seconds(asked.get("CreationTimeAfter")),
        created_before=_seconds(asked.get("CreationTimeBefore")),
        modified_after=_seconds(asked.get("LastModifiedTimeAfter")),
        modified_before=_seconds(asked.get("LastModifiedTimeBefore")),
        status=asked.get("StatusEquals"),
        where={name: value for name, value in (where or {}).items() if value is not None},
        sort_by=_SORTS.get(asked.get("SortBy", "CreationTime"), "CreationTime"),
        descending=order == "Descending" if order else default_descending,
        limit=asked.get("MaxResults") or default_limit,
        after=token.read(asked.get("NextToken")),
    )
    page = call.context.store.page(query)
    answer: dict[str, Any] = {member: [summary(row) for row in page.rows]}
    if page.after is not None:
        answer["NextToken"] = token.write(page.after)
    return answer


class _Tokens:
    """Opaque tokens bound to a kind and its filters."""

    def __init__(self, kind: str, filters: Mapping[str, Any]) -> None:
        text = orjson.dumps([kind, filters], default=str)
        self.seal = hashlib.blake2s(text, digest_size=6).hexdigest()

    def write(self, after: tuple[Any, int]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.seal, *after])).decode()

    def read(self, token: str | None) -> tuple[Any, int] | None:
        if not token:
            return None
        try:
            seal, value, row_id = orjson.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            raise validation("NextToken is not one that this operation gave; start again without it.") from None
        if seal != self.seal:
            raise validation("NextToken belongs to a request with other filters; start again without it.")
        return value, row_id


def _seconds(value: datetime | None) -> float | None:
    return None if value is None else value.timestamp()

"""Lists: the state of a table is its address: filter, order and page as the List operations have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tobo.console.navigation import Listed
from tobo.console.visit import Visit, url

PAGE = 50
"""Rows of a page."""


def list_request(visit: Visit, statuses: tuple[str, ...] = (), sort: str = "CreationTime") -> dict[str, Any]:
    """The members of a SageMaker List operation that the address asks for: name, status, order, page."""
    query = visit.query
    asked = {
        "NameContains": query.get("name") or None,
        "StatusEquals": query.get("status") if query.get("status") in statuses else None,
        "SortBy": query.get("sort") or sort,
        "SortOrder": query.get("order") or "Descending",
        "MaxResults": PAGE,
        "NextToken": query.get("token") or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def addresses(visit: Visit, *path: str) -> Callable[..., str]:
    """A function that gives this list's address with members changed; changing the order begins at the first page."""

    def at(**changed: Any) -> str:
        query = {name: value for name, value in visit.query.items() if name != "fragment"}
        if "token" not in changed:
            query.pop("token", None)
        return url(*path, **{**query, **changed})

    return at


@dataclass(frozen=True)
class Plain:
    """A list that has name, status and time alone: how it is asked for, and what its page says.

    `status` is the member of a summary, "" where the kind has none; `extra` more columns, from their heads to their cells.
    `create` are the words, the operation and the address of what makes one; `empty` a title and a sentence for none;
    `beside` the words and the address of another list that one may look for here.
    """

    title: str
    noun: str
    depends: str
    listed: Listed
    create: tuple[str, str, str]
    empty: tuple[str, str]
    status: str = ""
    statuses: tuple[str, ...] = ()
    extra: Mapping[str, Callable[[Mapping[str, Any]], str]] | None = None
    beside: tuple[str, str] = ("", "")


def plain_list(visit: Visit, plain: Plain) -> Response:
    """Its page. Raises the List operation's Faults."""
    listed, asked = plain.listed, list_request(visit, plain.statuses)
    found = visit.call(listed.service, listed.operation, **asked)
    extra = plain.extra or {}
    rows = [
        {
            "name": one[listed.name],
            "href": url(listed.path, one[listed.name]),
            "status": one.get(plain.status),
            "created": one["CreationTime"],
            "more": [cell(one) for cell in extra.values()],
        }
        for one in found[listed.members]
    ]
    return visit.page(
        "plain_list.html",
        plain=plain,
        rows=rows,
        more=list(extra),
        next_token=found.get("NextToken"),
        asked=asked,
        at=addresses(visit, listed.path),
    )

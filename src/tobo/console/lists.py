"""Lists: the state of a table is its address: filter, order and page as the List operations have them."""

from collections.abc import Callable
from typing import Any

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

"""The store's promise: rows of any noun, changed in whole transactions, found by name and paged by key.

Guaranteed by every adapter (tests/contract/test_store.py runs against each):

- A write that returned has reached the disk; a process killed in mid-write leaves the old row.
- `insert` and `update` are atomic with their event; names are unique in (account, region, kind).
- `update` succeeds only from the version it was given: of two writers one gets `Conflict`.
- `page` is stable under inserts: keyset paging, each row that existed throughout is seen exactly once.
- `changes` grows with every insert, update and delete of a kind that this process made, and with nothing else.
- All methods may be called from any thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

from tobo.kit.arn import Namespace


class Key(NamedTuple):
    """Where a row is found. `kind` is the noun in the field's words: "training-job", "endpoint"."""

    space: Namespace
    kind: str
    name: str


@dataclass(frozen=True)
class Row:
    """One resource. A Describe answers {**asked, **found} plus status and times.

    `status` is the AWS status (filterable); `state` the finer state of the noun's table; `todo` the commands that work
    must still do, in order; `due` when the controller must look at the row (epoch seconds; None: never).
    """

    key: Key
    arn: str
    asked: Mapping[str, Any]
    found: Mapping[str, Any]
    status: str
    state: str
    created: float
    modified: float
    tags: Mapping[str, str] = field(default_factory=dict)
    due: float | None = None
    todo: tuple[str, ...] = ()
    version: int = 1
    id: int = 0


@dataclass(frozen=True)
class Event:
    """What happened to a row, written in the same transaction as the change."""

    at: float
    name: str
    state: str
    message: str = ""


SortBy = Literal["Name", "Arn", "CreationTime", "LastModifiedTime", "Status", "State"]


@dataclass(frozen=True)
class Query:
    """One page of a kind in a namespace. Bounds are inclusive, as the AWS filters are."""

    space: Namespace
    kind: str
    name_contains: str | None = None
    name_prefix: str | None = None
    """Found by the index of names, as `arn` is by that of ARNs."""
    names: tuple[str, ...] | None = None
    """One of these; found by the index of names where that is the order, too."""
    arn: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    status: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    """Top-level members of `asked` or `found` that must equal a text, e.g. {"EndpointName": "e"}."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags that a row must bear."""
    members: tuple[str, ...] | None = None
    """The top-level members that `asked` and `found` shall have, where not all are wanted: for rows that are looked at
    in great numbers. Such rows have no `todo`, and are not for `update`."""
    sort_by: SortBy = "CreationTime"
    descending: bool = True
    limit: int = 100
    after: tuple[Any, int] | None = None
    """(sort value, id) of the last row seen."""


class Page(NamedTuple):
    """Rows in order; `after` continues the listing, None when nothing remains."""

    rows: list[Row]
    after: tuple[Any, int] | None


def every_row(store: "Store", query: Query) -> Iterator[Row]:
    """All that the query finds, in its order; `limit` is how many are read at a time."""
    while True:
        page = store.page(query)
        yield from page.rows
        if page.after is None:
            return
        query = replace(query, after=page.after)


class AlreadyExists(Exception):
    """A row of that key is there already."""


class Conflict(Exception):
    """Somebody else changed or deleted the row since it was read: read again and decide again."""


class Store(Protocol):
    """See the module's docstring for what is guaranteed."""

    def insert(self, row: Row, event: Event | None = None) -> Row:
        """Adds a row (its `id` and `version` are given by the store); raises AlreadyExists."""
        ...

    def get(self, key: Key) -> Row | None: ...

    def find_arn(self, arn: str) -> Row | None: ...

    def update(self, row: Row, event: Event | None = None, **changes: Any) -> Row:
        """Writes `changes` (fields of Row) over the version of `row`; raises Conflict."""
        ...

    def delete(self, row: Row) -> None:
        """Removes the row and its events; raises Conflict."""
        ...

    def page(self, query: Query) -> Page: ...

    def count(self, query: Query) -> int: ...

    def spaces(self, kind: str) -> Sequence[Namespace]:
        """Those that have rows of this kind, in order."""
        ...

    def due(self) -> Sequence[Row]:
        """Every row with a due time, in any namespace, soonest first."""
        ...

    def events(self, row: Row) -> Sequence[Event]: ...

    def changes(self, space: Namespace, kind: str) -> int:
        """How often this process has changed rows of the kind: a page that shows them is as it was while this stays."""
        ...

    def close(self) -> None: ...

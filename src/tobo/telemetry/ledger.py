"""Ledger: what used which machine from when to when, in one SQLite file; costs are summed up from it.

A span is one resource's use of a number of instances of one type. It is written down while it runs, so that a killed server
loses what it has not seen since its last look at most, and it goes on when a server comes back. Guaranteed:

- `keep` is one transaction, and doing it twice changes nothing.
- A span never gets shorter: a clock that is put back takes nothing away, and no duration is negative.
- What a span cost is fixed by the prices that it began with.
- A resource that is deleted keeps its spans.

Any thread may call.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tobo.kit.arn import Namespace

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    arn TEXT NOT NULL,
    part TEXT NOT NULL,
    begun REAL NOT NULL,       -- epoch seconds
    until REAL NOT NULL,       -- when it ended, or was last seen
    running INTEGER NOT NULL,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    instance_type TEXT NOT NULL,
    count INTEGER NOT NULL,
    user TEXT NOT NULL,
    tags TEXT NOT NULL,        -- JSON object
    list_price REAL NOT NULL,  -- USD an hour and instance at AWS
    own_price REAL NOT NULL,   -- USD an hour and instance on this machine
    package TEXT NOT NULL DEFAULT '',  -- ARN of the model package that was served
    PRIMARY KEY (arn, part, begun, instance_type, count)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spans_until ON spans (account, until);
CREATE INDEX IF NOT EXISTS spans_running ON spans (arn) WHERE running;
"""
_DAY = 86_400.0
_MEMBERS = "arn, part, begun, until, running, account, region, kind, name, instance_type, count, user, tags, list_price, own_price, package"


@dataclass(frozen=True)
class Owner:
    """Whose use it is: a resource as it is now, `user` the ARN of who has made it."""

    space: Namespace
    kind: str
    arn: str
    name: str
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Use:
    """`count` instances of a type at these prices (USD an hour each), for one `part` (an endpoint's variant) of a resource.

    `begun` None: what is used now, since whenever it was first seen; a change of type or number begins a new span.
    `ended` None: still used.
    """

    part: str
    instance_type: str
    count: int
    list_price: float
    own_price: float
    begun: float | None = None
    ended: float | None = None
    package: str = ""
    """ARN of the model package that it serves; another one begins a new span."""


@dataclass(frozen=True)
class Span:
    """A use from `begun` to `until`, epoch seconds; `running`: until then, and it goes on."""

    owner: Owner
    use: Use
    begun: float
    until: float
    running: bool

    def hours(self, start: float, end: float) -> float:
        """Instance hours of the span that lie from `start` to `end`; never less than none."""
        return max(min(self.until, end) - max(self.begun, start), 0.0) * self.use.count / 3600


class Ledger:
    """The spans in the SQLite file `path`. One connection, asked by one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._using = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        columns = {name for _, name, *_ in self._connection.execute("PRAGMA table_info(spans)")}
        if "package" not in columns:  # a ledger of before the market
            self._connection.execute("ALTER TABLE spans ADD COLUMN package TEXT NOT NULL DEFAULT ''")
        self._connection.execute(
            "CREATE INDEX IF NOT EXISTS spans_package ON spans (package, until) WHERE package != ''"
        )

    def keep(self, seen: Sequence[tuple[Owner, Sequence[Use]]], now: float) -> None:
        """All that each resource uses at `now`; what it used before and does no longer has ended."""
        query = "SELECT arn, part, instance_type, count, package, begun, until FROM spans WHERE running"
        alone = (seen[0][0].arn,) if len(seen) == 1 else ()
        with self._using, self._connection:
            going: dict[str, list[tuple[Any, ...]]] = {}
            for arn, *span in self._connection.execute(f"{query} AND arn = ?" if alone else query, alone):
                going.setdefault(arn, []).append(tuple(span))
            kept, ended = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
            for owner, uses in seen:
                rows, over = _changed(owner, uses, going.get(owner.arn, ()), now)
                kept += rows
                ended += over
            self._connection.executemany(_END, ended)
            self._connection.executemany(_UPSERT, kept)

    def add(self, owner: Owner, use: Use, seconds: float, now: float) -> None:
        """Time that work took, for what is paid by its work: it makes the span of the day (UTC) longer. Not safe to repeat."""
        day = now // _DAY * _DAY
        query = (
            "SELECT begun, until FROM spans WHERE arn = ? AND NOT running AND begun >= ? AND begun < ? "
            "AND (part, instance_type, count, package) = (?, ?, ?, ?) ORDER BY begun DESC LIMIT 1"
        )
        asked = (owner.arn, day, day + _DAY, use.part, use.instance_type, use.count, use.package)
        with self._using, self._connection:
            found = self._connection.execute(query, asked).fetchone()
            begun, until = found or (max(day, now - seconds),) * 2
            rows, _ = _changed(owner, [replace(use, begun=begun, ended=until + seconds)], (), now)
            self._connection.executemany(_UPSERT, rows)

    def running(self) -> list[str]:
        """ARNs of the resources that have spans which go on."""
        with self._using:
            rows = self._connection.execute("SELECT DISTINCT arn FROM spans WHERE running ORDER BY arn").fetchall()
        return [arn for (arn,) in rows]

    def end(self, arns: Sequence[str]) -> None:
        """Their spans end where they were last seen: the resources are gone."""
        with self._using, self._connection:
            self._connection.executemany(
                "UPDATE spans SET running = 0 WHERE running AND arn = ?", [(arn,) for arn in arns]
            )

    def spans(self, account: str, start: float, end: float, now: float, package: str = "") -> list[Span]:
        """Those of an account that have a part between `start` and `end`, in the order of their ARNs; what runs, does until now.

        With `package`, those that served that model package.
        """
        query = f"SELECT {_MEMBERS} FROM spans WHERE account = ? AND (running OR until >= ?) AND begun < ?"
        served = (package,) if package else ()
        query += " AND package = ? AND package != '' ORDER BY arn, begun" if package else " ORDER BY arn, begun"
        with self._using:
            rows = self._connection.execute(query, (account, start, end, *served)).fetchall()
        return [_span(row, now) for row in rows]

    def close(self) -> None:
        with self._using:
            self._connection.close()


_UPSERT = f"""
INSERT INTO spans ({_MEMBERS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (arn, part, begun, instance_type, count) DO UPDATE SET
    until = max(until, excluded.until), running = excluded.running, tags = excluded.tags"""


_END = """
UPDATE spans SET running = 0, until = max(until, ?)
WHERE arn = ? AND (part, instance_type, count, package, begun) = (?, ?, ?, ?, ?)"""


def _changed(
    owner: Owner, uses: Sequence[Use], going: Sequence[tuple[Any, ...]], now: float
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows for _UPSERT of what is used, and for _END of what of `going` (part, type, count, package, begun, until) is no longer."""
    open_spans = {tuple(what): (begun, until) for *what, begun, until in going}
    tags = json.dumps(dict(owner.tags), ensure_ascii=False)
    rows, kept = list[tuple[Any, ...]](), set[tuple[object, ...]]()
    for use in uses:
        what = (use.part, use.instance_type, use.count, use.package)
        begun, until = open_spans.get(what, (now, now)) if use.begun is None else (use.begun, use.begun)
        until = max(begun, until, now if use.ended is None else use.ended)
        kept.add((*what, begun))
        rows.append(
            (
                *(owner.arn, use.part, begun, until, use.ended is None, *owner.space, owner.kind, owner.name),
                *(use.instance_type, use.count, owner.user, tags, use.list_price, use.own_price, use.package),
            )
        )
    return rows, [(now, owner.arn, *place) for *place, _ in going if tuple(place) not in kept]


def _span(row: tuple[Any, ...], now: float) -> Span:
    arn, part, begun, until, running, account, region, kind, name, *used = row
    instance_type, count, user, tags, listed, own, package = used
    until = max(until, now) if running else until
    owner = Owner(Namespace(account, region), kind, arn, name, user, json.loads(tags))
    use = Use(part, instance_type, count, listed, own, begun, None if running else until, package)
    return Span(owner, use, begun, until, bool(running))

"""SqlStore: the store on SQLAlchemy Core; SQLite by default."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from tobo.kit.arn import Namespace
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Page, Query, Row
from tobo.store.schema import events, resources

HEAD = "0001"
"""The newest migration; the store migrates itself up to here when it opens."""

_SORT_COLUMNS = {
    "Name": resources.c.name,
    "Arn": resources.c.arn,
    "CreationTime": resources.c.created,
    "LastModifiedTime": resources.c.modified,
    "Status": resources.c.status,
    "State": resources.c.state,
}
_ALWAYS = (
    *("id", "version", "account", "region", "kind", "name", "arn"),
    *("status", "state", "created", "modified", "due", "tags"),
)
"""The columns of a row that every query reads."""

# Built once: composing them anew costs more than their execution.
_BY_KEY = sa.select(resources).where(
    *(resources.c[name] == sa.bindparam(name) for name in ("account", "region", "kind", "name"))
)
_BY_ARN = sa.select(resources).where(resources.c.arn == sa.bindparam("arn"))
_CHANGEABLE = {f.name for f in fields(Row)} - {"key", "id", "version"}


class SqlStore:
    """See base.py for the promise. `url` is SQLAlchemy's ("sqlite:////path/to/tobo.db")."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(
            url, json_serializer=lambda value: orjson.dumps(value).decode(), json_deserializer=orjson.loads
        )
        # SQLite has one writer at a time; queueing here costs less than its busy polling.
        self._writing = threading.Lock()
        self._changes: Counter[tuple[Namespace, str]] = Counter()
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _open_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        self._migrate()

    def insert(self, row: Row, event: Event | None = None) -> Row:
        values = {name: getattr(row, name) for name in _CHANGEABLE} | {"version": 1, "todo": list(row.todo)}
        space, kind, name = row.key
        try:
            with self._write(row.key) as connection:
                result = connection.execute(
                    resources.insert().values(
                        account=space.account, region=space.region, kind=kind, name=name, **values
                    )
                )
                row_id = int(result.inserted_primary_key[0])  # type: ignore[index]
                _write_event(connection, row_id, event)
        except IntegrityError:
            raise AlreadyExists(name) from None
        return replace(row, id=row_id, version=1)

    def get(self, key: Key) -> Row | None:
        (account, region), kind, name = key
        return self._one(_BY_KEY, {"account": account, "region": region, "kind": kind, "name": name})

    def find_arn(self, arn: str) -> Row | None:
        return self._one(_BY_ARN, {"arn": arn})

    def update(self, row: Row, event: Event | None = None, **changes: Any) -> Row:
        if unknown := changes.keys() - _CHANGEABLE:
            raise TypeError(f"not changeable: {sorted(unknown)}")
        values = changes | ({"todo": list(changes["todo"])} if "todo" in changes else {})
        with self._write(row.key) as connection:
            result = connection.execute(
                resources.update()
                .where(resources.c.id == row.id, resources.c.version == row.version)
                .values(version=row.version + 1, **values)
            )
            if result.rowcount != 1:
                raise Conflict(row.key.name)
            _write_event(connection, row.id, event)
        return replace(row, version=row.version + 1, **changes)

    def delete(self, row: Row) -> None:
        with self._write(row.key) as connection:
            result = connection.execute(
                resources.delete().where(resources.c.id == row.id, resources.c.version == row.version)
            )
            if result.rowcount != 1:
                raise Conflict(row.key.name)

    def page(self, query: Query) -> Page:
        column = _SORT_COLUMNS[query.sort_by]
        select = sa.select(*_columns(query)).where(*_filters(query))
        if query.after is not None:
            seen, place = sa.tuple_(column, resources.c.id), sa.tuple_(*map(sa.literal, query.after))
            select = select.where(seen < place if query.descending else seen > place)
        order = (column.desc(), resources.c.id.desc()) if query.descending else (column, resources.c.id)
        with self._engine.connect() as connection:
            found = connection.execute(select.order_by(*order).limit(query.limit + 1)).all()
        members = query.members
        rows = [_row(record) if members is None else _glimpse(record, members) for record in found[: query.limit]]
        if len(found) <= query.limit:
            return Page(rows, None)
        last = found[query.limit - 1]
        return Page(rows, (getattr(last, column.name), last.id))

    def count(self, query: Query) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(*_filters(query))).scalar_one())

    def spaces(self, kind: str) -> Sequence[Namespace]:
        place = resources.c.account, resources.c.region
        select = sa.select(*place).where(resources.c.kind == kind).distinct().order_by(*place)
        with self._engine.connect() as connection:
            return [Namespace(*record) for record in connection.execute(select)]

    def due(self) -> Sequence[Row]:
        select = sa.select(resources).where(resources.c.due.is_not(None)).order_by(resources.c.due)
        with self._engine.connect() as connection:
            return [_row(record) for record in connection.execute(select)]

    def events(self, row: Row) -> Sequence[Event]:
        select = sa.select(events).where(events.c.resource == row.id).order_by(events.c.id)
        with self._engine.connect() as connection:
            return [Event(e.at, e.name, e.state, e.message) for e in connection.execute(select)]

    def changes(self, space: Namespace, kind: str) -> int:
        return self._changes[space, kind]

    def close(self) -> None:
        self._engine.dispose()

    def _one(self, select: sa.Select[Any], place: dict[str, str]) -> Row | None:
        with self._engine.connect() as connection:
            record = connection.execute(select, place).first()
        return None if record is None else _row(record)

    @contextmanager
    def _write(self, changed: Key | None = None) -> Iterator[sa.Connection]:
        with self._writing, self._engine.connect() as connection:
            connection.info["write"] = True
            with connection.begin():
                yield connection
            if changed is not None:  # once it can be read: who has seen the number sees the change
                self._changes[changed.space, changed.kind] += 1

    def _migrate(self) -> None:
        """Alembic is loaded only when there is something to do: it costs a server's start 0.1 s."""
        try:
            with self._engine.connect() as connection:
                if connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD:
                    return
        except (OperationalError, ProgrammingError):
            pass  # a new database
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _in_kind(space: Namespace, kind: str) -> sa.ColumnElement[bool]:
    c = resources.c
    return (c.account == space.account) & (c.region == space.region) & (c.kind == kind)


def _filters(query: Query) -> list[sa.ColumnElement[bool]]:
    c = resources.c
    if query.arn is None:
        found = [_in_kind(query.space, query.kind)]
    else:
        # The planner shall take the index of ARNs: kind and namespace are hidden from it.
        found = [c.arn == query.arn, c.account + "" == query.space.account]
        found += [c.region + "" == query.space.region, c.kind + "" == query.kind]
    if query.name_prefix is not None:
        found += [c.name >= query.name_prefix, c.name < query.name_prefix + "\U0010ffff"]
    if query.names is not None:
        found.append(c.name.in_(query.names))
    if query.name_contains is not None:
        found.append(sa.func.lower(c.name).contains(query.name_contains.lower(), autoescape=True))
    if query.created_after is not None:
        found.append(c.created >= query.created_after)
    if query.created_before is not None:
        found.append(c.created <= query.created_before)
    if query.modified_after is not None:
        found.append(c.modified >= query.modified_after)
    if query.modified_before is not None:
        found.append(c.modified <= query.modified_before)
    if query.status is not None:
        found.append(c.status == query.status)
    for member, value in query.where.items():
        found.append((c.asked[member].as_string() == value) | (c.found[member].as_string() == value))
    found += [c.tags[key].as_string() == value for key, value in query.tags.items()]
    return found


def _columns(query: Query) -> list[sa.ColumnElement[Any]]:
    c = resources.c
    if query.members is None:
        return list(c)
    halves = [half[member].label(None) for half in (c.asked, c.found) for member in query.members]
    return [*(c[name] for name in _ALWAYS), *halves]


def _glimpse(record: Any, members: tuple[str, ...]) -> Row:
    """A row of a query with `members`."""
    id, version, account, region, kind, name, arn, status, state, created, modified, due, tags, *values = record
    asked = {member: value for member, value in zip(members, values, strict=False) if value is not None}
    of_found = values[len(members) :]
    found = {member: value for member, value in zip(members, of_found, strict=True) if value is not None}
    key = Key(Namespace(account, region), kind, name)
    return Row(key, arn, asked, found, status, state, created, modified, tags, due, (), version, id)


def _row(record: Any) -> Row:
    return Row(
        key=Key(Namespace(record.account, record.region), record.kind, record.name),
        arn=record.arn,
        asked=record.asked,
        found=record.found,
        status=record.status,
        state=record.state,
        created=record.created,
        modified=record.modified,
        tags=record.tags,
        due=record.due,
        todo=tuple(record.todo),
        version=record.version,
        id=record.id,
    )


def _write_event(connection: sa.Connection, row_id: int, event: Event | None) -> None:
    if event is not None:
        connection.execute(
            events.insert().values(
                resource=row_id, at=event.at, name=event.name, state=event.state, message=event.message
            )
        )


def _open_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # Writers take the lock at once: a deferred transaction that writes later may fail with SQLITE_BUSY. Readers ask a
    # single statement, which is a snapshot of its own.
    if connection.info.pop("write", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

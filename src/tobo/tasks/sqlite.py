"""SqliteTasks: the task store in one SQLite file."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tobo.tasks.base import SETTLED, Answer, Effort, Gone, Item, Role, State, Task

_SCHEMA = """
CREATE TABLE IF NOT EXISTS work (name TEXT PRIMARY KEY, id INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS item (
    work INTEGER NOT NULL,
    number INTEGER NOT NULL,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    answers INTEGER NOT NULL DEFAULT 0,
    skips INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (work, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_state ON item (work, state, number);
CREATE TABLE IF NOT EXISTS lease (
    work INTEGER NOT NULL,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    role TEXT NOT NULL,
    since REAL NOT NULL,
    until REAL NOT NULL,
    draft TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (work, number, worker, role)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (
    work INTEGER NOT NULL,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    role TEXT NOT NULL,
    body TEXT NOT NULL,
    at REAL NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (work, number, worker, role)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_worker ON answer (work, worker, seconds);
CREATE TABLE IF NOT EXISTS skip (
    work INTEGER NOT NULL,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS skip_item ON skip (work, number, worker);
CREATE INDEX IF NOT EXISTS skip_worker ON skip (work, worker);
"""
_CLAIM = """
SELECT number, source FROM item AS i WHERE work = :work AND state = :state AND answers + (
    SELECT count(*) FROM lease AS l WHERE l.work = i.work AND l.number = i.number AND l.until > :now AND l.worker <> :worker
) < wanted
AND NOT EXISTS (
    SELECT 1 FROM answer AS a WHERE a.work = i.work AND a.number = i.number AND a.worker = :worker AND a.role = :role
)
AND NOT EXISTS (
    SELECT 1 FROM lease AS h WHERE h.work = i.work AND h.number = i.number AND h.worker = :worker AND h.until > :now
)
AND {skipped} EXISTS (SELECT 1 FROM skip AS s WHERE s.work = i.work AND s.number = i.number AND s.worker = :worker)
ORDER BY number LIMIT :count
"""
_ITEM = "number, source, state, wanted, answers, skips, result"
_CLAIMED: Mapping[Role, State] = {"label": "open", "review": "conflict"}


class SqliteTasks:
    """tasks/base.py's Tasks in the file `path`. One connection, asked by one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._using = threading.Lock()
        self._counts: dict[str, tuple[tuple[int, int], dict[str, int]]] = {}
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")  # somebody's work: a power cut may not lose it
        self._connection.executescript(_SCHEMA)

    def add(self, work: str, first: int, sources: Sequence[str], wanted: int, state: State = "waiting") -> None:
        with self._writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO work (name, id) VALUES (?, (SELECT coalesce(max(id), 0) + 1 FROM work))", (work,)
            )
            its, _ = self._work(work)
            connection.executemany(
                "INSERT OR IGNORE INTO item (work, number, source, state, wanted) VALUES (?, ?, ?, ?, ?)",
                ((its, first + at, source, state, wanted) for at, source in enumerate(sources)),
            )

    def open(self, work: str, numbers: Sequence[int] | None, most: int) -> int:
        with self._writing() as connection:
            its, closed = self._work(work)
            if closed:
                return 0
            (there,) = connection.execute(
                "SELECT count(*) FROM item WHERE work = ? AND state = 'open'", (its,)
            ).fetchone()
            room = max(most - there, 0)
            if numbers is None:
                found = connection.execute(
                    "SELECT number FROM item WHERE work = ? AND state = 'waiting' ORDER BY number LIMIT ?", (its, room)
                )
                numbers = [number for (number,) in found]
            opened = 0
            for number in numbers:
                if opened == room:
                    break
                opened += connection.execute(
                    "UPDATE item SET state = 'open' WHERE work = ? AND number = ? AND state = 'waiting'", (its, number)
                ).rowcount
            return opened

    def claim(self, work: str, worker: str, count: int, now: float, until: float, role: Role = "label") -> list[Task]:
        with self._writing() as connection:
            its, closed = self._work(work)
            if closed:
                return []
            given = {"work": its, "worker": worker, "role": role, "now": now, "state": _CLAIMED[role]}
            held = connection.execute(
                "SELECT l.number, source, since, until, draft FROM lease AS l JOIN item AS i USING (work, number)"
                " WHERE l.work = :work AND worker = :worker AND role = :role AND until > :now AND state = :state"
                " ORDER BY since, l.number",
                given,
            )
            tasks = [Task(*row) for row in held][:count]
            fresh: list[tuple[int, str]] = []
            for skipped in ("NOT", ""):  # two looks in the index' order: sorting would read all that is open
                room = count - len(tasks) - len(fresh)
                fresh += connection.execute(_CLAIM.format(skipped=skipped), given | {"count": room})
            for number, source in fresh:
                (draft,) = connection.execute(
                    "INSERT INTO lease (work, number, worker, role, since, until) VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET since = excluded.since, until = excluded.until RETURNING draft",
                    (its, number, worker, role, now, until),
                ).fetchone()
                tasks.append(Task(number, source, now, until, draft))
            return tasks

    def keep(self, work: str, number: int, worker: str, until: float, draft: str, role: Role = "label") -> None:
        with self._writing() as connection:
            its, _ = self._unsettled(work, number)
            connection.execute(
                "INSERT INTO lease (work, number, worker, role, since, until, draft) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET until = excluded.until, draft = excluded.draft",
                (its, number, worker, role, until, until, draft),
            )

    def release(self, work: str, numbers: Sequence[int], worker: str) -> None:
        with self._writing() as connection:
            its, _ = self._work(work)
            connection.executemany(
                "UPDATE lease SET until = 0 WHERE work = ? AND number = ? AND worker = ?",
                [(its, number, worker) for number in numbers],
            )

    def answer(self, work: str, answer: Answer) -> Item:
        with self._writing() as connection:
            its, item = self._unsettled(work, answer.number)
            if answer.role != ("review" if item.state == "conflict" else "label"):
                raise Gone(f"item {answer.number} is {item.state}")
            connection.execute(
                "INSERT OR REPLACE INTO answer (work, number, worker, role, body, at, seconds) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (its, answer.number, answer.worker, answer.role, answer.body, answer.at, answer.seconds),
            )
            self._end_lease(its, answer.number, answer.worker)
            return self._counted(its, answer.number)

    def skip(self, work: str, number: int, worker: str, reason: str, at: float) -> Item:
        with self._writing() as connection:
            its, item = self._unsettled(work, number)
            told = connection.execute(
                "SELECT 1 FROM skip AS s WHERE work = ? AND number = ? AND worker = ? AND NOT EXISTS"
                " (SELECT 1 FROM lease AS l WHERE l.work = s.work AND l.number = s.number AND l.worker = s.worker)",
                (its, number, worker),
            ).fetchone()
            if told:
                return item  # it has not been claimed since he skipped it: this is the same skip again
            connection.execute(
                "INSERT INTO skip (work, number, worker, reason, at) VALUES (?, ?, ?, ?, ?)",
                (its, number, worker, reason, at),
            )
            connection.execute("UPDATE item SET skips = skips + 1 WHERE work = ? AND number = ?", (its, number))
            self._end_lease(its, number, worker)
            return self._item(its, number)

    def reopen(self, work: str, number: int, worker: str, now: float, until: float) -> Task:
        with self._writing() as connection:
            its, closed = self._work(work)
            item = self._item(its, number)
            if closed or item.state not in ("open", "labelled"):
                raise Gone(f"item {number} is {'of a work that is closed' if closed else item.state}")
            found = connection.execute(
                "DELETE FROM answer WHERE work = ? AND number = ? AND worker = ? AND role = 'label' RETURNING body",
                (its, number, worker),
            ).fetchone()
            if found is None:
                raise Gone(f"{worker} has no answer to item {number}")
            connection.execute(
                "UPDATE item SET state = 'open', result = '' WHERE work = ? AND number = ?", (its, number)
            )
            self._counted(its, number)
            connection.execute(
                "INSERT OR REPLACE INTO lease (work, number, worker, role, since, until, draft)"
                " VALUES (?, ?, ?, 'label', ?, ?, ?)",
                (its, number, worker, now, until, found[0]),
            )
            return Task(number, item.source, now, until, found[0])

    def dispute(self, work: str, number: int) -> None:
        with self._writing() as connection:
            its, _ = self._work(work)
            connection.execute(
                "UPDATE item SET state = 'conflict', wanted = answers + 1 WHERE work = ? AND number = ? AND state = 'open'",
                (its, number),
            )

    def settle(self, work: str, results: Iterable[tuple[int, State, str]]) -> None:
        with self._writing() as connection:
            its, _ = self._work(work)
            rows = list(results)
            connection.executemany(
                "UPDATE item SET state = ?, result = ? WHERE work = ? AND number = ?",
                [(state, result, its, number) for number, state, result in rows],
            )
            connection.executemany("DELETE FROM lease WHERE work = ? AND number = ?", [(its, row[0]) for row in rows])

    def withdraw(self, work: str, number: int, now: float) -> int:
        with self._writing() as connection:
            its, _ = self._work(work)
            (held,) = connection.execute(
                "SELECT count(*) FROM lease WHERE work = ? AND number = ? AND until > ?", (its, number, now)
            ).fetchone()
            connection.execute(
                "UPDATE item SET wanted = answers + ? WHERE work = ? AND number = ?", (held, its, number)
            )
            return int(held)

    def forget(self, work: str, numbers: Sequence[int] | None = None) -> None:
        with self._writing() as connection:
            its, _ = self._work(work)
            for table in ("item", "lease", "answer", "skip"):
                if numbers is None:
                    connection.execute(f"DELETE FROM {table} WHERE work = ?", (its,))
                else:
                    gone = [(its, number) for number in numbers]
                    connection.executemany(f"DELETE FROM {table} WHERE work = ? AND number = ?", gone)
            if numbers is None:
                connection.execute("DELETE FROM work WHERE name = ?", (work,))

    def end(self, work: str) -> None:
        with self._writing() as connection:
            connection.execute("UPDATE work SET closed = 1 WHERE name = ?", (work,))
            connection.execute("UPDATE lease SET until = 0 WHERE work = (SELECT id FROM work WHERE name = ?)", (work,))

    def item(self, work: str, number: int) -> Item | None:
        with self._using:
            its, _ = self._work(work)
            row = self._connection.execute(
                f"SELECT {_ITEM} FROM item WHERE work = ? AND number = ?", (its, number)
            ).fetchone()
        return None if row is None else Item(*row)

    def items(
        self, work: str, after: int = -1, limit: int = 100, state: State | None = None, ready: bool = False
    ) -> list[Item]:
        given = {"after": after, "limit": limit, "state": "open" if ready else state}
        with self._using:
            its, _ = self._work(work)
            rows = self._connection.execute(
                f"SELECT {_ITEM} FROM item WHERE work = :work AND number > :after"
                f"{' AND state = :state' if given['state'] else ''}{' AND answers >= wanted' if ready else ''}"
                " ORDER BY number LIMIT :limit",
                given | {"work": its},
            ).fetchall()
        return [Item(*row) for row in rows]

    def answers(self, work: str, after: int = -1, limit: int = 1000, role: Role = "label") -> list[Answer]:
        with self._using:
            its, _ = self._work(work)
            rows = self._connection.execute(
                "SELECT number, worker, body, at, seconds, role FROM answer WHERE work = :work AND role = :role AND number IN"
                " (SELECT DISTINCT number FROM answer WHERE work = :work AND role = :role AND number > :after"
                "  ORDER BY number LIMIT :limit) ORDER BY number, at",
                {"work": its, "role": role, "after": after, "limit": limit},
            ).fetchall()
        return [Answer(*row) for row in rows]

    def answers_of(self, work: str, number: int) -> list[Answer]:
        with self._using:
            its, _ = self._work(work)
            rows = self._connection.execute(
                "SELECT number, worker, body, at, seconds, role FROM answer WHERE work = ? AND number = ? ORDER BY at",
                (its, number),
            ).fetchall()
        return [Answer(*row) for row in rows]

    def counts(self, work: str) -> Mapping[str, int]:
        with self._using:
            (others,) = self._connection.execute("PRAGMA data_version").fetchone()
            stamp = self._connection.total_changes, others
            known, counted = self._counts.get(work, (None, {}))
            if known != stamp:  # of a large work, counting takes milliseconds, and everybody who works at it asks
                its, _ = self._work(work)
                asked = "SELECT state, count(*) FROM item WHERE work = ? GROUP BY state"
                counted = dict(self._connection.execute(asked, (its,)))
                self._counts[work] = stamp, counted
            return dict(counted)

    def efforts(self, work: str, worker: str | None = None) -> list[Effort]:
        whose = "work = :work" if worker is None else "work = :work AND worker = :worker"
        with self._using:
            its, _ = self._work(work)
            rows = self._connection.execute(
                "SELECT worker, sum(answers), sum(skips), sum(seconds) FROM ("
                f" SELECT worker, count(*) AS answers, 0 AS skips, sum(seconds) AS seconds FROM answer WHERE {whose}"
                " GROUP BY worker UNION ALL"
                f" SELECT worker, 0, count(*), 0 FROM skip WHERE {whose} GROUP BY worker) GROUP BY worker ORDER BY worker",
                {"work": its, "worker": worker},
            ).fetchall()
        return [Effort(*row) for row in rows]

    def close(self) -> None:
        with self._using:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._using:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _work(self, work: str) -> tuple[int, bool]:
        """(number of the work, whether it is closed); a number that no item has where there is none yet."""
        row = self._connection.execute("SELECT id, closed FROM work WHERE name = ?", (work,)).fetchone()
        return (0, False) if row is None else (row[0], bool(row[1]))

    def _item(self, work: int, number: int) -> Item:
        row = self._connection.execute(
            f"SELECT {_ITEM} FROM item WHERE work = ? AND number = ?", (work, number)
        ).fetchone()
        if row is None:
            raise Gone(f"there is no item {number}")
        return Item(*row)

    def _unsettled(self, work: str, number: int) -> tuple[int, Item]:
        its, closed = self._work(work)
        item = self._item(its, number)
        if closed or item.state in SETTLED:
            raise Gone(f"item {number} is {'of a work that is closed' if closed else item.state}")
        return its, item

    def _counted(self, work: int, number: int) -> Item:
        self._connection.execute(
            "UPDATE item SET answers = (SELECT count(*) FROM answer AS a WHERE a.work = item.work AND a.number = item.number)"
            " WHERE work = ? AND number = ?",
            (work, number),
        )
        return self._item(work, number)

    def _end_lease(self, work: int, number: int, worker: str) -> None:
        self._connection.execute(
            "DELETE FROM lease WHERE work = ? AND number = ? AND worker = ?", (work, number, worker)
        )

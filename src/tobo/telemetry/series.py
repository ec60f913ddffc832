"""SqlMetrics: metric series in one SQLite file, points clustered by series and time, statistics counted in SQL."""

import json
import sqlite3
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tobo.kit.arn import Namespace
from tobo.telemetry.base import Bucketed, Dimensions, MetricName, Observation, Point, Total

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimensions TEXT NOT NULL,  -- JSON object, keys sorted
    UNIQUE (account, region, namespace, name, dimensions)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL,
    at REAL NOT NULL,          -- epoch seconds
    ordinal INTEGER NOT NULL,  -- among the points of one instant
    sum REAL NOT NULL,
    count REAL NOT NULL,
    minimum REAL NOT NULL,
    maximum REAL NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (series, at, ordinal)
) WITHOUT ROWID;
"""
_REMEMBERED = 10_000
"""Series whose ids are kept in memory."""


class SqlMetrics:
    """telemetry/base.py's Metrics in the SQLite file `path`. One connection, asked by one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._using = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # a killed server loses nothing, a power cut perhaps the last points
        self._connection.executescript(_SCHEMA)
        self._ids: dict[tuple[str, str, str, str, str], int] = {}
        self._totals: dict[tuple[Namespace, str, str, str], list[float]] = {}

    def put(self, space: Namespace, points: Sequence[Point], once: bool = False) -> None:
        with self._using:
            try:
                with self._connection:
                    rows = [_row(self._series_id(space, point), point) for point in points]
                    if once:
                        points = [
                            point
                            for point, row in zip(points, rows, strict=True)
                            if self._connection.execute(_INSERT_ONCE, row).rowcount
                        ]
                    else:
                        self._connection.executemany(_INSERT, rows)
            except BaseException:
                self._ids.clear()  # may name series that were rolled back
                raise
            for point in points:
                self._count(space, point)

    def statistics(
        self, space: Namespace, series: MetricName, start: float, end: float, period: int, unit: str | None = None
    ) -> list[Bucketed]:
        rows = self._rows(
            "SELECT CAST(at / :period AS INTEGER) * :period AS at_period, sum(count), sum(sum), min(minimum),"
            f" max(maximum), unit FROM points WHERE {_OF_SERIES} AND at >= :start AND at < :end"
            " AND (:unit IS NULL OR unit = :unit) GROUP BY at_period, unit ORDER BY at_period, unit",
            _named(space, series) | {"start": start, "end": end, "period": period, "unit": unit},
        )
        return [Bucketed(*row) for row in rows]

    def values(
        self, space: Namespace, series: MetricName, start: float, end: float, unit: str | None = None
    ) -> list[Observation]:
        rows = self._rows(
            f"SELECT at, minimum, count FROM points WHERE {_OF_SERIES} AND at >= :start AND at < :end"
            " AND minimum = maximum AND (:unit IS NULL OR unit = :unit) ORDER BY at, ordinal",
            _named(space, series) | {"start": start, "end": end, "unit": unit},
        )
        return [Observation(*row) for row in rows]

    def names(
        self,
        space: Namespace,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: float | None = None,
    ) -> list[MetricName]:
        rows = self._rows(
            "SELECT namespace, name, dimensions FROM series WHERE account = :account AND region = :region"
            " AND (:namespace IS NULL OR namespace = :namespace) AND (:name IS NULL OR name = :name)"
            " AND (:since IS NULL OR EXISTS (SELECT 1 FROM points WHERE series = series.id AND at >= :since))"
            " ORDER BY namespace, name, dimensions",
            {**space._asdict(), "namespace": namespace, "name": name, "since": since},
        )
        found = [MetricName(row[0], row[1], json.loads(row[2])) for row in rows]
        wanted = (dimensions or {}).items()
        return [
            series
            for series in found
            if all(key in series.dimensions and value in (None, series.dimensions[key]) for key, value in wanted)
        ]

    def last(self, space: Namespace, series: MetricName) -> Point | None:
        rows = self._rows(
            f"SELECT at, sum, unit, count, minimum, maximum FROM points WHERE {_OF_SERIES}"
            " ORDER BY at DESC, ordinal DESC LIMIT 1",
            _named(space, series),
        )
        return Point(series.namespace, series.name, dict(series.dimensions), *rows[0]) if rows else None

    def totals(self, namespaces: Collection[str]) -> list[Total]:
        with self._using:
            found = [(key, tuple(told)) for key, told in self._totals.items() if key[1] in namespaces]
        return [
            Total(space, MetricName(namespace, name, json.loads(dimensions)), *told)
            for (space, namespace, name, dimensions), told in found
        ]

    def roll_up(self, before: float, period: int, spared: Collection[str] = ()) -> None:
        end = before // period * period
        for series in self._unspared(spared):
            with self._using, self._connection:  # one series at a time, so that nobody waits for long
                asked = {"series": series, "end": end, "period": period}
                sets = self._connection.execute(_CROWDED, asked).fetchall()
                rolled = [dict(zip(_MEMBERS, row, strict=True)) | asked for row in sets]
                self._connection.executemany(_DELETE_PERIOD, rolled)
                self._connection.executemany(_INSERT, rolled)

    def forget(self, before: float, spared: Collection[str] = ()) -> None:
        for series in self._unspared(spared):
            with self._using, self._connection:
                self._connection.execute("DELETE FROM points WHERE series = ? AND at < ?", (series, before))
                empty = "id = ? AND NOT EXISTS (SELECT 1 FROM points WHERE series = id)"
                if self._connection.execute(f"DELETE FROM series WHERE {empty}", (series,)).rowcount:
                    self._ids.clear()

    def close(self) -> None:
        with self._using:
            self._connection.close()

    def _rows(self, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        with self._using:
            return self._connection.execute(query, values).fetchall()

    def _count(self, space: Namespace, point: Point) -> None:
        key = (space, point.namespace, point.name, _canonical(point.dimensions))
        told = self._totals.setdefault(key, [0.0, 0.0, 0.0])
        told[0] += point.value
        told[1] += point.count
        told[2] = point.value

    def _unspared(self, spared: Collection[str]) -> list[int]:
        found = self._rows("SELECT id, namespace FROM series", {})
        return [series for series, namespace in found if namespace not in spared]

    def _series_id(self, space: Namespace, point: Point) -> int:
        key = (*space, point.namespace, point.name, _canonical(point.dimensions))
        known = self._ids.get(key)
        if known is None:
            self._connection.execute(
                "INSERT OR IGNORE INTO series (account, region, namespace, name, dimensions) VALUES (?, ?, ?, ?, ?)",
                key,
            )
            (known,) = self._connection.execute(
                "SELECT id FROM series WHERE (account, region, namespace, name, dimensions) = (?, ?, ?, ?, ?)", key
            ).fetchone()
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            self._ids[key] = known
        return known


_INSERT = """
INSERT INTO points VALUES (
    :series, :at, (SELECT coalesce(max(ordinal) + 1, 0) FROM points WHERE series = :series AND at = :at),
    :sum, :count, :minimum, :maximum, :unit
)"""
_INSERT_ONCE = """
INSERT OR IGNORE INTO points VALUES (:series, :at, 0, :sum, :count, :minimum, :maximum, :unit)"""
_MEMBERS = ("at", "unit", "sum", "count", "minimum", "maximum")
_CROWDED = """
SELECT CAST(at / :period AS INTEGER) * :period AS start, unit, sum(sum), sum(count), min(minimum), max(maximum)
FROM points WHERE series = :series AND at < :end GROUP BY start, unit HAVING count(*) > 1"""
_DELETE_PERIOD = "DELETE FROM points WHERE series = :series AND at >= :at AND at < :at + :period AND unit = :unit"
_OF_SERIES = (
    "series = (SELECT id FROM series WHERE (account, region, namespace, name, dimensions)"
    " = (:account, :region, :namespace, :name, :dimensions))"
)


def _named(space: Namespace, series: MetricName) -> dict[str, object]:
    return {
        **space._asdict(),
        "namespace": series.namespace,
        "name": series.name,
        "dimensions": _canonical(series.dimensions),
    }


def _canonical(dimensions: Dimensions) -> str:
    return json.dumps(dict(dimensions), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _row(series: int, point: Point) -> dict[str, object]:
    return {
        "series": series,
        "at": point.at,
        "sum": point.value,
        "count": point.count,
        "minimum": point.value if point.minimum is None else point.minimum,
        "maximum": point.value if point.maximum is None else point.maximum,
        "unit": point.unit,
    }

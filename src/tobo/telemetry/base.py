"""Telemetry's promise: log streams as files, metric series that can be asked by period.

Guaranteed by every adapter (tests/contract/test_telemetry.py):

- A log stream is one file of lines `<epoch milliseconds>\\t<message>\\n` in time order, with backslash, newline and
  carriage return in a message escaped as `\\\\`, `\\n`, `\\r` (kit/log_lines.py). A process may append to it while
  it is read; a torn last line is not shown until it is whole.
- Reading at a position costs O(log n) of the stream's length, never a scan from its start.
- A metric point that was put is there after a restart.
- Points that are rolled up keep their statistics; a process killed meanwhile leaves each series rolled up or as it was.
- All methods may be called from any thread.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from tobo.kit.arn import Namespace


class LogEvent(NamedTuple):
    """`position` is the byte offset of its line in the stream; `timestamp` epoch milliseconds."""

    timestamp: int
    message: str
    position: int
    end: int
    """Position just behind the event."""


class LogStream(NamedTuple):
    """Times are epoch milliseconds; None while the stream is empty."""

    name: str
    created: int
    first: int | None
    last: int | None
    size: int


class LogGroup(NamedTuple):
    """`created` in epoch milliseconds."""

    name: str
    created: int
    size: int


class Logs(Protocol):
    """Log groups and streams. Unknown groups and streams raise Fault ResourceNotFoundException."""

    def create_group(self, space: Namespace, group: str) -> None:
        """Raises Fault ResourceAlreadyExistsException."""
        ...

    def check_group(self, space: Namespace, group: str) -> None:
        """Raises Fault where there is no such group."""
        ...

    def create_stream(self, space: Namespace, group: str, stream: str) -> None: ...
    def stream_file(self, space: Namespace, group: str, stream: str) -> Path:
        """The file that a process appends its lines to; group and stream are made where they are missing."""
        ...

    def groups(self, space: Namespace, prefix: str = "") -> list[LogGroup]: ...
    def streams(self, space: Namespace, group: str, prefix: str = "") -> list[LogStream]: ...
    def append(self, space: Namespace, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Events in any order. Late ones find their place; in a process's stream they take its last line's time."""
        ...

    def read(
        self,
        space: Namespace,
        group: str,
        stream: str,
        position: int | None = None,
        limit: int = 10_000,
        start: int | None = None,
        end: int | None = None,
        backward: bool = False,
        size: int = 1 << 20,
        containing: str = "",
    ) -> list[LogEvent]:
        """Events from `position` on (or before it, `backward`), in time order, with start <= timestamp < end.

        Without a position: from the stream's start (its end, `backward`). At most `limit` events and `size` bytes of
        lines, but one event at least. `containing` leaves out those whose message does not hold that text, faster than
        the caller could; not `backward`.
        """
        ...

    def expire(self, space: Namespace, group: str, before: int) -> None:
        """Empties the streams whose events are all older than `before` (epoch milliseconds); they stay, empty."""
        ...

    def delete_stream(self, space: Namespace, group: str, stream: str) -> None: ...
    def delete_group(self, space: Namespace, group: str) -> None: ...


Dimensions = Mapping[str, str]


@dataclass(frozen=True)
class Point:
    """One observation, or a statistic set of several. `at` in epoch seconds."""

    namespace: str
    name: str
    dimensions: Dimensions
    at: float
    value: float
    """The observation; of a statistic set its sum."""
    unit: str = "None"
    count: float = 1
    minimum: float | None = None
    maximum: float | None = None


class Observation(NamedTuple):
    """A value that was observed `weight` times at `at` (epoch seconds)."""

    at: float
    value: float
    weight: float


@dataclass(frozen=True)
class Bucketed:
    """Statistics of one period that starts at `at`."""

    at: float
    count: float
    sum: float
    minimum: float
    maximum: float
    unit: str


class MetricName(NamedTuple):
    """A series."""

    namespace: str
    name: str
    dimensions: Dimensions


class Total(NamedTuple):
    """What has come of a series since the port was opened; `last` is the sum of its point put last."""

    space: Namespace
    series: MetricName
    sum: float
    observations: float
    last: float


class Metrics(Protocol):
    """Metric series of a (account, region) namespace."""

    def put(self, space: Namespace, points: Sequence[Point], once: bool = False) -> None:
        """`once` leaves out points of a series and instant that has one already: what is sent twice counts once."""
        ...

    def statistics(
        self, space: Namespace, series: MetricName, start: float, end: float, period: int, unit: str | None = None
    ) -> list[Bucketed]:
        """Periods with data in start <= at < end, each starting at a multiple of `period` seconds, in time order.

        Points of several units give several buckets of one period; `unit` leaves the others out.
        """
        ...

    def values(
        self, space: Namespace, series: MetricName, start: float, end: float, unit: str | None = None
    ) -> list[Observation]:
        """Observations in time order (percentiles need them); sets of unequal observations are left out."""
        ...

    def names(
        self,
        space: Namespace,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: float | None = None,
    ) -> list[MetricName]:
        """Series in the order of their names that have all of `dimensions` (None: with any value).

        `since` leaves out those without a point that young.
        """
        ...

    def last(self, space: Namespace, series: MetricName) -> Point | None:
        """The youngest point; of several at one time the one put last."""
        ...

    def totals(self, namespaces: Collection[str]) -> list[Total]:
        """Of the series in these namespaces, in all spaces, that were put since the port was opened; from memory.

        A point that `once` leaves out does not count.
        """
        ...

    def roll_up(self, before: float, period: int, spared: Collection[str] = ()) -> None:
        """Makes one statistic set of the points of one unit in each whole `period` seconds before `before`.

        In all spaces, but not in the namespaces that are `spared`. A point that is alone in its period stays what it is.
        Statistics of this period and its multiples stay the same; `values` loses sets of unequal observations.
        """
        ...

    def forget(self, before: float, spared: Collection[str] = ()) -> None:
        """Deletes the points before `before` and the series that then have none, but for the namespaces `spared`."""
        ...

    def close(self) -> None: ...

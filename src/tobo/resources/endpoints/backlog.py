"""The backlog of an asynchronous endpoint: requests wait as rows of the store and are answered into S3, one by one.

A row is the whole truth about a request. Its output's key is fixed when it is accepted, the output bears the row's name,
and the row goes when all is written: a server that is killed in between goes on with what is missing, and a request never
has two outputs.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from tobo.operations.context import Context
from tobo.resources.endpoints.accepted import AcceptedRequest, Ways, expired
from tobo.store.base import Query, Row
from tobo.telemetry.base import Point

log = logging.getLogger("tobo.endpoints")

CONCURRENT_INVOCATIONS = 2
"""An instance has at a time where MaxConcurrentInvocationsPerInstance is not given: one is answered, one is ready."""

METRICS_SECONDS = 5.0

_LOOK_AHEAD = 10
"""Rows beyond those that there is room for: some may have waited for too long already."""

_IDLE_SECONDS = 5.0


def kind_of(endpoint: Row) -> str:
    """The kind of the rows that are an endpoint's backlog; another endpoint of the same name has another."""
    return f"async-invocation-{endpoint.id}"


class Backlog:
    """Answers the backlog of one endpoint in a thread with an event loop of its own, until `stop`."""

    def __init__(self, context: Context, endpoint: Row, ways: Ways) -> None:
        self._context = context
        self._space, self._name = endpoint.key.space, endpoint.key.name
        self._kind = kind_of(endpoint)
        self._ways = ways
        self._config: Mapping[str, Any] = {}
        self._instances = 0
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._done: dict[str, int] = {}
        self._measured = 0.0
        self._stopped = False
        self._bell = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name=f"backlog {self._name}", daemon=True)
        self._thread.start()

    def follow(self, config: Mapping[str, Any], instances: int) -> None:
        """Says what the AsyncInferenceConfig is now and how many instances there are; writes the metrics when due."""
        changed = (config, instances) != (self._config, self._instances)
        self._config, self._instances = config, instances
        if changed:
            self.ring()
        if time.monotonic() - self._measured >= METRICS_SECONDS:
            self._measured = time.monotonic()
            self._measure()

    def ring(self) -> None:
        """Says that there is a new row, or room for one; from any thread."""
        with contextlib.suppress(RuntimeError):  # over already
            self._loop.call_soon_threadsafe(self._bell.set)

    def stop(self) -> None:
        """Gives up what is under way, which stays in the store; returns when nothing more is written."""
        self._stopped = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()

    def _measure(self) -> None:
        """CloudWatch's metrics. Source: Developer Guide, "Monitoring asynchronous endpoint"."""
        size = self._context.store.count(Query(self._space, self._kind))
        per_instance = size / max(1, self._instances)
        values = {
            "ApproximateBacklogSize": float(size),
            "ApproximateBacklogSizePerInstance": per_instance,
            "HasBacklogWithoutCapacity": float(size > 0 and self._instances == 0),
        }
        oldest = self._rows(1)
        now = self._context.clock.now()
        values["ApproximateAgeOfOldestRequest"] = now - oldest[0].created if oldest else 0.0
        done, self._done = self._done, {}
        points = [self._point(name, value, 1) for name, value in values.items()]
        points += [self._point(name, float(count), count) for name, count in done.items()]
        self._context.metrics.put(self._space, points)

    def _point(self, name: str, total: float, count: int) -> Point:
        unit = "Seconds" if name.startswith("ApproximateAge") else "Count"
        dimensions = {"EndpointName": self._name}
        return Point("AWS/SageMaker", name, dimensions, self._context.clock.now(), total, unit, count)

    def _rows(self, limit: int) -> list[Row]:
        """The oldest ones."""
        return self._context.store.page(Query(self._space, self._kind, descending=False, limit=limit)).rows

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _work(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._dispatch())
        self._loop.run_until_complete(self._wind_up())
        self._loop.close()

    async def _wind_up(self) -> None:
        """Until what had begun to be written is written, and no replica waits for us."""
        await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        await self._context.hosting.hang_up()
        await self._loop.shutdown_default_executor()

    async def _dispatch(self) -> None:
        """Keeps as many requests under way as the instances may have."""
        while not self._stopped:
            self._bell.clear()
            each = self._config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance")
            free = self._instances * (each or CONCURRENT_INVOCATIONS) - len(self._in_flight)
            known = set(self._in_flight)  # one of them may be done, and gone, by the time that its row is read here
            try:
                rows = await asyncio.to_thread(self._rows, len(self._in_flight) + max(free, 0) + _LOOK_AHEAD)
            except Exception:
                log.exception("the backlog of %s cannot be read", self._name)
                rows = []
            for row in rows:
                if row.id not in known and (free > 0 or expired(row, self._context.clock.now())):
                    self._in_flight[row.id] = self._loop.create_task(self._serve(row))
                    free -= 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), _IDLE_SECONDS)

    async def _serve(self, row: Row) -> None:
        try:
            output = self._config["OutputConfig"]
            completed = await AcceptedRequest(self._context, self._name, self._ways, output, row).serve()
            for name in ("InvocationsProcessed", *(() if completed else ("InvocationFailures",))):
                self._done[name] = self._done.get(name, 0) + 1
        except asyncio.CancelledError:
            raise
        except Exception:  # a bug of ours: the row stays, and its slot is not given to it again at once
            log.exception("the asynchronous request %s to %s failed", row.key.name, self._name)
            await asyncio.sleep(_IDLE_SECONDS)
        finally:
            del self._in_flight[row.id]
            self._bell.set()

"""The control loop: wakes what is due, runs its commands in worker threads, writes what came of them."""

import asyncio
import heapq
import logging
from concurrent.futures import ThreadPoolExecutor

from tobo.kit.fault import Fault
from tobo.kit.states import IllegalStep
from tobo.operations.context import Context
from tobo.operations.machine import MACHINES, Again, Done, Happened, Machine, Outcome, advance
from tobo.store.base import Conflict, Key, Row

log = logging.getLogger("tobo.controller")

RETRY_SECONDS = 5.0
"""After a bug of ours: the row is not given up, and the log is not flooded."""


class Controller:
    """Runs the machines of all rows with a due time.

    Due times live in the store, so a killed server loses none; the heap in memory only saves asking it. A row's commands
    run one after another, rows run beside each other on `workers` threads.
    """

    def __init__(self, context: Context, workers: int = 8) -> None:
        self._context = context
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="controller")
        self._heap: list[tuple[float, Key]] = []
        self._when: dict[Key, float] = {}
        self._running: set[Key] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ring = asyncio.Event()
        self._stopping = False

    def wake(self, row: Row) -> None:
        """Says that a row is due now; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._schedule, row.key, 0.0)

    async def run(self) -> None:
        """Until `stop`: adopts every due row of the store, then follows the heap."""
        self._loop = asyncio.get_running_loop()
        for row in await self._loop.run_in_executor(self._threads, self._context.store.due):
            self._schedule(row.key, 0.0)
        while not self._stopping:
            now = self._loop.time()
            while self._heap and self._heap[0][0] <= now:
                when, key = heapq.heappop(self._heap)
                if self._when.get(key) == when and key not in self._running:
                    del self._when[key]
                    self._running.add(key)
                    self._loop.create_task(self._run(key))
            self._ring.clear()
            pause = self._heap[0][0] - now if self._heap else None
            try:
                await asyncio.wait_for(self._ring.wait(), pause)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Lets the commands in flight finish and starts no more; from the event loop."""
        self._stopping = True
        self._ring.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _schedule(self, key: Key, seconds: float) -> None:
        """The earliest wish wins; a key that runs right now is looked at again when it is through."""
        assert self._loop is not None
        when = self._loop.time() + seconds
        if self._when.get(key, when + 1) > when:
            self._when[key] = when
            heapq.heappush(self._heap, (when, key))
            self._ring.set()

    async def _run(self, key: Key) -> None:
        assert self._loop is not None
        seconds: float | None = RETRY_SECONDS
        try:
            seconds = await self._loop.run_in_executor(self._threads, self._work, key)
        except RuntimeError:
            if not self._stopping:  # the pool refuses work while the server stops
                raise
        except Exception:
            log.exception("the work of %s failed; it is tried again in %s s", key, RETRY_SECONDS)
        finally:
            self._running.discard(key)
            if (woken := self._when.pop(key, None)) is not None:
                seconds = min(max(woken - self._loop.time(), 0.0), seconds if seconds is not None else 1e9)
            if seconds is not None and not self._stopping:
                self._schedule(key, seconds)

    def _work(self, key: Key) -> float | None:
        """Runs a row's commands until one wants to wait (its seconds) or none is left (None)."""
        while not self._stopping:
            row = self._context.store.get(key)
            if row is None or not row.todo:
                return None
            outcome = _attempt(self._context, MACHINES[key.kind], row)
            try:
                if (pause := _write(self._context, row, outcome)) is not None:
                    return pause
            except Conflict:
                continue  # an operation moved the row meanwhile; its new commands count
        return None


def _attempt(context: Context, machine: Machine, row: Row) -> Outcome:
    try:
        return machine.by_name[row.todo[0]](context, row)
    except Fault as fault:
        return Happened("failed", message=fault.message)
    except Exception as bug:
        log.exception("command %s of %s failed", row.todo[0], row.arn)
        return Happened("failed", message=f"InternalServerError: {type(bug).__name__}: {bug}")


def _write(context: Context, row: Row, outcome: Outcome) -> float | None:
    """Writes an outcome; the seconds to wait where it asks for that. Raises Conflict."""
    match outcome:
        case Again(seconds, found):
            if found is not None:
                context.store.update(row, found={**row.found, **found})
            return seconds
        case Happened(event, found, message):
            try:
                advance(context, row, event, found, message)
            except IllegalStep:
                log.exception("%s: no way on", row.arn)
                return RETRY_SECONDS
        case Done(found):
            rest = row.todo[1:]
            now = context.clock.now()
            context.store.update(row, found={**row.found, **found}, todo=rest, due=now if rest else None)
    return None

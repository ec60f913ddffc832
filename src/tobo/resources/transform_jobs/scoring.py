"""Scoring in the background: a thread with an event loop of its own asks the replicas and hands each whole output over.

It holds nothing that would not outlive the server: outputs bear the job's mark or stand in a journal (writing.py),
failures stand in a file. A server that is killed starts it anew and it goes on with what is missing.
"""

import asyncio
import collections
import contextlib
import gzip
import logging
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import IO, NamedTuple, cast

import uvloop

from tobo.hosting.base import MOST_LOST, Answer, Invocation, NoReplica
from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Context
from tobo.operations.sources import Placed, from_manifest, from_prefix, keys_below
from tobo.resources.transform_jobs.assembling import Output, error_line, pieces
from tobo.resources.transform_jobs.failures import Failure, Failures
from tobo.resources.transform_jobs.plan import GROUP, Plan
from tobo.resources.transform_jobs.processing import BadRecord
from tobo.resources.transform_jobs.splitting import BadInput, Batch, Record, batch_up, read_records
from tobo.resources.transform_jobs.writing import Writer
from tobo.wire.body import Body

log = logging.getLogger("tobo.transform")

MARK = "tobo-transform-job"
"""Metadata of every output: which job made it."""

_LOGGED = 100
"""Refused records of one object that are logged."""

_PAUSE = 0.03


class _Refused(NamedTuple):
    """A record that has no answer; `number` 0 means the object as a whole."""

    number: int
    status: int
    message: str

    def __str__(self) -> str:
        place = f"record {self.number}: " if self.number else ""
        return f"{place}{self.status}: {self.message}" if self.status else f"{place}{self.message}"


class Scoring:
    """The work of one job in this server process. `error` is what ended it early."""

    def __init__(self, context: Context, plan: Plan, ring: Callable[[], None]) -> None:
        """`ring` is called when it is over."""
        self._context = context
        self._plan = plan
        self._ring = ring
        self.failures = Failures(plan.folder / "failures.jsonl")
        self.objects = 0
        self.served = self.sold = 0
        """Requests answered without an error, and how many of them its work has written down."""
        self.error: BaseException | None = None
        self.over = False
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=f"transform {plan.mark}", daemon=True)
        self._loop = uvloop.new_event_loop()
        self._writer = Writer(plan.folder, self._put)
        self._thread.start()

    def stop(self) -> None:
        """Gives up what is under way, writes what has its answers; returns when no more is written."""
        self._stopped = True
        with contextlib.suppress(RuntimeError):  # over already
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _work(self) -> None:
        try:
            try:
                self._loop.run_until_complete(self._score())
            except asyncio.CancelledError:
                self._writer.close()
                self._writer.recover()
        except BaseException as error:
            self.error = _first(error)
        finally:
            self._end()

    def _end(self) -> None:
        try:
            self._writer.close()
            self._loop.run_until_complete(self._context.hosting.hang_up())
            self._loop.close()
        finally:
            self.over = True
            with contextlib.suppress(RuntimeError):  # the server has stopped
                self._ring()

    async def _score(self) -> None:
        """Every object whose output is not there yet. Raises Fault where the sources or the output's place are wrong."""
        placed = self._find()
        self.objects = len(placed)
        self._writer.recover()
        done = self._finished()
        todo = iter([one for one in placed if f"{one[0]}.out" not in done and not self._given_up(one[1])])
        self._slots = asyncio.Semaphore(self._plan.slots)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._writer.write())
            # Reading goes on beside the requests.
            await asyncio.wait([group.create_task(self._take(todo)) for _ in range(2 * self._plan.slots)])
            self._writer.finish()

    def _find(self) -> list[Placed]:
        plan = self._plan
        self._context.objects.bucket(plan.space, plan.output.bucket)
        find = from_manifest if plan.source_type == "ManifestFile" else from_prefix
        placed = list(dict(find(self._context.objects, plan.space, plan.source)).items())
        if not placed:
            raise Fault("ClientError", f"ClientError: There is no object at '{plan.source}'; upload it first.")
        return placed

    def _finished(self) -> set[str]:
        """Outputs, by their path below S3OutputPath, that this job has written before."""
        folder = self._plan.output.below("")
        return {
            info.key[len(folder.key) :]
            for info in keys_below(self._context.objects, self._plan.space, folder)
            if info.metadata.get(MARK) == self._plan.mark
        }

    def _given_up(self, info: ObjectInfo) -> bool:
        failure = self.failures.by_key.get(info.key)
        return failure is not None and not failure.written

    async def _take(self, todo: Iterator[Placed]) -> None:
        for relative, info in todo:
            if self._stopped:
                return
            await self._object(relative, info)

    async def _object(self, relative: str, info: ObjectInfo) -> None:
        """One object from its bytes to its output, or to the record of its failure."""
        plan = self._plan
        refused: list[_Refused] = []
        output = Output(self._context.settings.state / "tmp", plan.lines)
        placeable = plan.lines and plan.split != "None"
        try:
            await self._answers(info, output, refused, placeable)
        except (BadInput, gzip.BadGzipFile, EOFError, zlib.error) as error:
            text = str(error) if isinstance(error, BadInput) else "is not gzip, as CompressionType says"
            refused.append(_Refused(0, 0, f"The object {text}."))
            placeable = False
        except Fault as fault:  # it was deleted meanwhile
            refused.append(_Refused(0, 0, fault.message))
            placeable = False
        except BaseException:
            output.discard()
            raise
        written = placeable or not refused
        if refused:
            self._tell(info, refused, written)
        if written:
            await self._writer.add(relative, output)
        else:
            output.discard()

    async def _answers(self, info: ObjectInfo, output: Output, refused: list[_Refused], placeable: bool) -> None:
        """Asks for all batches, several at a time, and adds their answers in order."""
        waiting: collections.deque[tuple[Batch, asyncio.Task[Answer]]] = collections.deque()

        async def add_next() -> None:
            batch, task = waiting.popleft()
            self._add(batch, await task, output, refused, placeable)

        try:
            with self._open(info) as file:
                for batch in batch_up(self._filtered(file), self._plan.split, self._plan.single, self._plan.limit):
                    waiting.append((batch, self._loop.create_task(self._ask(batch))))
                    if len(waiting) == self._plan.slots:
                        await add_next()
            while waiting:
                await add_next()
        finally:
            for _, task in waiting:
                task.cancel()

    def _open(self, info: ObjectInfo) -> IO[bytes]:
        """Raises Fault NoSuchKey."""
        objects = self._context.objects
        while True:
            try:
                path = objects.path(self._plan.space, info)
                return cast(IO[bytes], gzip.open(path)) if self._plan.gzipped else path.open("rb")
            except FileNotFoundError:  # overwritten meanwhile
                info = objects.head(self._plan.space, info.bucket, info.key)

    def _filtered(self, file: IO[bytes]) -> Iterator[tuple[Record, bytes, str]]:
        processing = self._plan.processing
        for record in read_records(file, self._plan.split):
            plain = record.payload if self._plan.single else record.framed
            try:
                yield record, processing.incoming(plain), ""
            except BadRecord as error:
                yield record, plain, str(error)

    async def _ask(self, batch: Batch) -> Answer:
        """The model's answer; 400 for a batch that is not sent, 504 where none came in time, 500 for one that kills."""
        if batch.refusal:
            return Answer(400, batch.refusal.encode(), "text/plain")
        invocation = Invocation(batch.body, self._plan.content_type, self._plan.accept)
        attempts = lost = 0
        async with self._slots:
            while True:
                try:
                    answer = await self._context.hosting.invoke(self._plan.group, invocation, self._plan.timeout)
                except NoReplica as missing:
                    lost += missing.lost
                    if lost >= MOST_LOST:
                        return Answer(500, b"The model's process died while it worked on the request.", "text/plain")
                    await asyncio.sleep(_PAUSE)  # they are being replaced
                    continue
                except TimeoutError as late:
                    answer = Answer(504, str(late).encode(), "text/plain")
                self.served += answer.status < 400
                if answer.status < 500 or attempts == self._plan.retries:
                    return answer
                attempts += 1

    def _add(self, batch: Batch, answer: Answer, output: Output, refused: list[_Refused], placeable: bool) -> None:
        status, text = answer.status, ""
        if status >= 400:
            text = answer.body.decode("utf-8", "replace")[:1000]
        else:
            try:
                for piece in pieces(self._plan.processing, batch, answer.body, answer.content_type):
                    output.add(piece)
            except BadRecord as error:
                status, text = 0, str(error)
        if text or status >= 400:
            for number in range(batch.first, batch.first + len(batch.sources)):
                refused.append(_Refused(number if self._plan.split != "None" else 0, status, text))
                if placeable:
                    output.add(error_line(number, status, text))

    def _tell(self, info: ObjectInfo, refused: list[_Refused], written: bool) -> None:
        """On the disk first, so that an output with error lines never counts as a good one; then in the log."""
        self.failures.add(Failure(info.key, len(refused), str(refused[0])[:200], written))
        now = int(self._context.clock.now() * 1000)
        lines = [f"{info.bucket}/{info.key}: {one}" for one in refused[:_LOGGED]]
        if len(refused) > _LOGGED:
            lines.append(f"{info.bucket}/{info.key}: {len(refused) - _LOGGED} more records were refused")
        self._context.logs.stream_file(self._plan.space, GROUP, self._plan.log_stream)  # makes it
        self._context.logs.append(self._plan.space, GROUP, self._plan.log_stream, [(now, line) for line in lines])

    def _put(self, outputs: Sequence[tuple[str, Body]]) -> None:
        plan = self._plan
        puts = []
        for relative, body in outputs:
            target = plan.output.below(f"{relative}.out")
            puts.append((ObjectInfo(target.bucket, target.key, 0, "", 0.0, metadata={MARK: plan.mark}), body))
        self._context.objects.put_all(plan.space, puts)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

"""A job that is one process of this machine: its name, its folder and its log, how it is followed, stopped and cleaned up after."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tobo.compute.base import Exited, Running
from tobo.kit.paths import MlPaths
from tobo.kit.strangers import read_told
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Outcome
from tobo.store.base import Row

Look = Running | Exited | None
"""A process as it is; None where its record is gone."""

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class JobProcess:
    """Of one kind of job. `place` is the folder below the server's state, `group` and `host` name the logs, `grace`
    seconds lie between SIGTERM and SIGKILL of a job that is stopped.

    `terminate`, `await_end` and `clean` are commands of a `Machine` as they are.
    """

    place: str
    group: str
    host: str
    grace: float

    def name(self, row: Row) -> str:
        """Unique for good: a job of the same name that was deleted and made anew has another row."""
        return f"{row.key.kind}/{row.key.space.account}/{row.key.space.region}/{row.key.name}/{row.id}"

    def folder(self, context: Context, row: Row) -> Path:
        return context.settings.state / self.place / str(row.id)

    def ml_paths(self, context: Context, row: Row) -> MlPaths:
        """What the process sees at /opt/ml."""
        return MlPaths(self.folder(context, row) / "ml")

    def log_stream(self, row: Row) -> str:
        return f"{row.key.name}/{self.host}-{int(row.created)}"

    def log_file(self, context: Context, row: Row) -> Path:
        return context.logs.stream_file(row.key.space, self.group, self.log_stream(row))

    def reserve(self, context: Context, row: Row, cpus: float, memory_bytes: int) -> Outcome:
        """A place on the machine, or to ask again."""
        if context.compute.reserve(self.name(row), cpus, memory_bytes):
            return Happened("granted")
        return Again(POLL_SECONDS)

    def look(self, context: Context, row: Row) -> Look:
        return context.compute.poll(self.name(row))

    def judge(
        self,
        context: Context,
        row: Row,
        look: Look,
        reason: Callable[[Exited | None], str],
        found: Mapping[str, Any] | None = None,
        too_long: str = "",
    ) -> Outcome:
        """What a look means: "succeeded", "died" with its `reason`, "time_up" with the sentence `too_long`, which may name
        {limit}, or to look again."""
        if look is None or isinstance(look, Exited):
            if look is not None and look.code == 0:
                return Happened("succeeded", found or {})
            return Happened("died", found or {}, reason(look))
        limit = row.asked["StoppingCondition"]["MaxRuntimeInSeconds"]
        if context.clock.now() - look.started > limit:
            return Happened("time_up", found or {}, too_long.format(limit=limit))
        return Again(POLL_SECONDS, found or None)

    def terminate(self, context: Context, row: Row) -> Outcome:
        """SIGTERM now, SIGKILL when the grace is over."""
        context.compute.terminate(self.name(row), self.grace)
        return Done()

    def await_end(self, context: Context, row: Row) -> Outcome:
        """Until the process that was told to stop is over, whatever way it went."""
        return Happened("ended") if isinstance(self.look(context, row), Exited | None) else Again(POLL_SECONDS)

    def clean(self, context: Context, row: Row) -> Outcome:
        """Gives the place and the folder back; the log stays."""
        context.compute.forget(self.name(row))
        shutil.rmtree(self.folder(context, row), ignore_errors=True)
        return Done()


def last_words(paths: MlPaths, end: Exited | None, who: str) -> str:
    """The FailureReason of a job whose process, called `who`, ended badly: its own words where it left some, else `death`."""
    if end is not None and not end.out_of_memory and (text := read_told(paths.root, paths.failure)):
        return text if text.startswith(("ClientError", "AlgorithmError")) else f"AlgorithmError: {text}"
    return death(end, who)


def death(end: Exited | None, who: str) -> str:
    """The FailureReason of a job whose process, called `who`, ended badly without words of its own; None: its record is gone."""
    if end is None:
        return "InternalServerError: The record of the job's process is gone; start the job again."
    how = (
        f"exit code: {end.code}" if end.code is not None else f"signal: {end.signal}" if end.signal else "no exit code"
    )
    return f"AlgorithmError: {end.reason or f'The {who} ended with an error.'} ({how})"

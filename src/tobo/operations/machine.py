"""Machines: a noun's state table, the commands its work does, and the one transaction that moves a row."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tobo.kit.states import Step, Table, walk
from tobo.operations.context import Context
from tobo.operations.metering import note
from tobo.store.base import Conflict, Event, Row
from tobo.telemetry.tracing import Tracing

log = logging.getLogger("tobo.machine")

ENDED = frozenset({"Completed", "Failed", "Stopped", "COMPLETED", "FAILED", "STOPPED"})
"""Statuses in which a job is over."""


@dataclass(frozen=True)
class Done:
    """The command did its deed; the next command of the row follows."""

    found: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Happened:
    """The command's deed ended in an event, which the table turns into a state and new commands."""

    event: str
    found: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class Again:
    """Nothing to say yet; ask again in `seconds`. `found`, when given, is written."""

    seconds: float
    found: Mapping[str, Any] | None = None


Outcome = Done | Happened | Again
Command = Callable[[Context, Row], Outcome]
"""Safe to repeat: a server killed in the middle does it again. May block; runs in a worker thread."""


@dataclass(frozen=True)
class Machine:
    """How rows of one kind move. `statuses` maps each state to the AWS status; `on_step` gives what a step adds to `found`.

    The table names `commands` as their functions are called. An unexpected exception of a command becomes the event
    "failed" with its text.
    """

    kind: str
    table: Table
    statuses: Mapping[str, str]
    commands: Sequence[Command]
    on_step: Callable[[Row, Step, float, str], Mapping[str, Any]] = lambda row, step, now, message: {}

    @cached_property
    def by_name(self) -> Mapping[str, Command]:
        """The commands as the table and a row's `todo` name them."""
        return {command.__name__: command for command in self.commands}


MACHINES: dict[str, Machine] = {}
"""By kind; each noun's work.py registers its own."""


def key_in_memory(context: Context, row: Row) -> tuple[str, int]:
    """Of a row in what a module keeps in memory: the servers of one process number their rows alike."""
    return str(context.settings.state), row.id


def register(machine: Machine) -> Machine:
    """Registers a machine; every command that its table names must be there."""
    named = {command for step in machine.table.values() for command in step.commands}
    if missing := named - machine.by_name.keys():
        raise ValueError(f"{machine.kind}: no command {sorted(missing)}")
    MACHINES[machine.kind] = machine
    return machine


def advance(context: Context, row: Row, event: str, found: Mapping[str, Any] | None = None, message: str = "") -> Row:
    """Decides and writes: state, event and the commands still to do, in one transaction. Raises Conflict, IllegalStep."""
    machine = MACHINES[row.key.kind]
    now = context.clock.now()
    step = walk(machine.table, row.state, event)
    merged = {**row.found, **(found or {})}
    merged.update(machine.on_step(row, step, now, message))
    changed = context.store.update(
        row,
        Event(now, event, step.state, message),
        state=step.state,
        status=machine.statuses[step.state],
        found=merged,
        todo=step.commands,
        due=now if step.commands else None,
        modified=now,
    )
    note(context, changed)
    if context.tracing is not None and changed.status in ENDED and changed.status != row.status:
        _trace(context, context.tracing, changed)
    if step.commands:
        context.wake(changed)
    return changed


def _trace(context: Context, tracing: Tracing, row: Row) -> None:
    """Its states and how long each took, once it is over."""
    steps: list[tuple[str, float]] = []
    for event in context.store.events(row):
        if not steps or steps[-1][0] != event.state:
            steps.append((event.state, event.at))
    members = {"aws.region": row.key.space.region, "cloud.account.id": row.key.space.account, "tobo.arn": row.arn}
    failed = row.status in ("Failed", "FAILED")
    tracing.job(
        f"{row.key.kind} {row.key.name}", steps[:-1], row.modified, {**members, "tobo.status": row.status}, failed
    )


def advance_fresh(
    context: Context, read: Callable[[], Row | None], event: str, found: Mapping[str, Any] | None = None
) -> None:
    """`advance` for operations: of two that decide at once the later one reads the row anew and decides again.

    `read` gives the row, None where there is nothing left to do, or refuses (raises Fault).
    """
    while (row := read()) is not None:
        try:
            advance(context, row, event, found)
            return
        except Conflict:
            continue

"""Timers: what the house does every so often, for all accounts and regions, as rows that the controller tends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tobo.kit.arn import Namespace
from tobo.kit.states import Step, Table
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Machine, Outcome, register
from tobo.store.base import AlreadyExists, Key, Row


@dataclass(frozen=True)
class Timer:
    """`kind` names the row, `state` what it is always doing."""

    kind: str
    state: str
    command: Callable[[Context, Row], Outcome]

    @property
    def table(self) -> Table:
        """What fails is a bug of ours or a full disk: it rests, and is tried again."""
        return {(self.state, "failed"): Step(self.state, ("rest", self.command.__name__))}


_TIMERS: list[Timer] = []


def every(seconds: float, kind: str, state: str) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Has a function called every `seconds` seconds for as long as a server runs; it must be safe to repeat."""

    def of(deed: Callable[[Context], None]) -> Callable[[Context], None]:
        def command(context: Context, row: Row) -> Outcome:
            deed(context)
            return Again(seconds)

        def rest(context: Context, row: Row) -> Outcome:
            left = row.modified + seconds - context.clock.now()
            return Again(left) if left > 0 else Done()

        command.__name__ = deed.__name__
        timer = Timer(kind, state, command)
        statuses: Mapping[str, str] = {state: ""}
        register(Machine(kind, timer.table, statuses, (command, rest)))
        _TIMERS.append(timer)
        return deed

    return of


def start_timers(context: Context) -> None:
    """Begins those that have not been begun; there is one of each for all accounts and regions."""
    now = context.clock.now()
    for timer in _TIMERS:
        row = Row(
            key=Key(Namespace("", ""), timer.kind, "all"),
            arn="",
            asked={},
            found={},
            status="",
            state=timer.state,
            created=now,
            modified=now,
            due=now,
            todo=(timer.command.__name__,),
        )
        try:
            context.store.insert(row)
        except AlreadyExists:
            continue

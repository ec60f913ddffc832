"""The control loop on a toy machine: order, waiting, waking, conflicts, faults, bugs, and a kill at any moment."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.controller.loop import Controller
from tobo.kit.arn import Namespace
from tobo.kit.clock import SystemClock
from tobo.kit.fault import Fault
from tobo.kit.states import Step
from tobo.operations.context import Context
from tobo.operations.machine import MACHINES, Again, Command, Done, Happened, Machine, Outcome, advance, register
from tobo.settings import Settings
from tobo.store.base import Key, Row
from tobo.store.sql import SqlStore

TABLE = {
    ("New", "made"): Step("Working", ("work", "finish")),
    ("New", "failed"): Step("Broken"),
    ("Working", "finished"): Step("Over"),
    ("Working", "stop"): Step("Stopping", ("finish_stop",)),
    ("Working", "failed"): Step("Broken"),
    ("Stopping", "stopped"): Step("Stopped"),
}
STATES = ("New", "Working", "Over", "Stopping", "Stopped", "Broken")


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    store = SqlStore(f"sqlite:///{tmp_path}/tobo.db")
    nothing = cast(Any, None)
    yield Context(Settings(tmp_path), SystemClock(), store, nothing, nothing, nothing, nothing, nothing, nothing)
    MACHINES.pop("toy", None)
    store.close()


def machine(**commands: Command) -> None:
    defaults: dict[str, Command] = {
        "make": lambda context, row: Happened("made"),
        "work": lambda context, row: Done(),
        "finish": lambda context, row: Happened("finished"),
        "finish_stop": lambda context, row: Happened("stopped"),
    }
    register(
        Machine(
            "toy",
            TABLE,
            {state: state for state in STATES},
            [_called(name, command) for name, command in (defaults | commands).items()],
            lambda row, step, now, message: {"reason": message} if message else {},
        )
    )


def _called(name: str, command: Command) -> Command:
    def called(context: Context, row: Row) -> Outcome:
        return command(context, row)

    called.__name__ = name
    return called


def new_row(context: Context, name: str = "a") -> Row:
    now = context.clock.now()
    key = Key(Namespace("1", "r"), "toy", name)
    return context.store.insert(Row(key, f"arn:{name}", {}, {}, "New", "New", now, now, due=now, todo=("make",)))


def run_until(
    context: Context, done: Callable[[], bool], seconds: float = 10.0, controller: Controller | None = None
) -> None:
    async def main() -> None:
        loop = controller or Controller(context)
        task = asyncio.create_task(loop.run())
        for _ in range(int(seconds / 0.01)):
            if done() or task.done():
                break
            await asyncio.sleep(0.01)
        loop.stop()
        await task

    asyncio.run(main())
    assert done()


def state(context: Context, row: Row) -> str:
    read = context.store.get(row.key)
    assert read is not None
    return read.state


def test_rows_walk_their_table_and_leave_their_events(context: Context) -> None:
    machine()
    rows = [new_row(context, f"row-{n}") for n in range(20)]
    run_until(context, lambda: all(state(context, row) == "Over" for row in rows))
    assert [e.name for e in context.store.events(rows[7])] == ["made", "finished"]
    assert not context.store.due()


def test_again_waits_and_keeps_what_was_found(context: Context) -> None:
    def count(context: Context, row: Row) -> Any:
        seen = row.found.get("seen", 0) + 1
        return Done({"seen": seen}) if seen == 4 else Again(0.01, {"seen": seen})

    machine(work=count)
    row = new_row(context)
    run_until(context, lambda: state(context, row) == "Over")
    assert context.store.get(row.key).found["seen"] == 4  # type: ignore[union-attr]


def test_an_operation_that_moves_a_waiting_row_wakes_it(context: Context) -> None:
    machine(work=lambda context, row: Again(3600.0))
    row = new_row(context)

    async def main() -> None:
        controller = Controller(context)
        task = asyncio.create_task(controller.run())
        while state(context, row) != "Working":
            await asyncio.sleep(0.01)
        controller.wake(advance(context, context.store.get(row.key), "stop"))  # type: ignore[arg-type]
        while state(context, row) != "Stopped":
            await asyncio.sleep(0.01)
        controller.stop()
        await task

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_command_that_was_overtaken_is_forgotten(context: Context) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(context: Context, row: Row) -> Any:
        begun.set()
        go_on.wait(10)
        return Happened("finished")

    machine(finish=slow)
    row = new_row(context)

    def stop_in_the_middle() -> bool:
        if begun.is_set() and not go_on.is_set():
            advance(context, context.store.get(row.key), "stop")  # type: ignore[arg-type]
            go_on.set()
        return state(context, row) == "Stopped"

    run_until(context, stop_in_the_middle)
    assert [e.name for e in context.store.events(row)] == ["made", "stop", "stopped"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Fault("NoSuchKey", "The key 'a' is not there."), "The key 'a' is not there."),
        (RuntimeError("oops"), "InternalServerError: RuntimeError: oops"),
    ],
)
def test_an_error_fails_the_row_with_its_reason(context: Context, error: Exception, reason: str) -> None:
    def fail(context: Context, row: Row) -> Any:
        raise error

    machine(work=fail)
    row = new_row(context)
    run_until(context, lambda: state(context, row) == "Broken")
    assert context.store.get(row.key).found["reason"] == reason  # type: ignore[union-attr]


def test_a_deleted_row_is_let_go(context: Context) -> None:
    def remove(context: Context, row: Row) -> Any:
        context.store.delete(row)
        return Done()

    machine(work=remove)
    row = new_row(context)
    run_until(context, lambda: context.store.get(row.key) is None)


def test_a_controller_that_starts_adopts_what_another_left(context: Context) -> None:
    """Whatever the moment of the kill, the row says what is still to do."""
    done: list[str] = []
    machine(work=lambda context, row: done.append(row.key.name) or Done())  # type: ignore[func-returns-value]
    row = new_row(context)
    context.store.update(row, state="Working", status="Working", todo=("work", "finish"))
    run_until(context, lambda: state(context, row) == "Over")
    assert done == ["a"]


def test_a_table_that_names_an_unknown_command_is_refused() -> None:
    with pytest.raises(ValueError, match="no command"):
        register(Machine("toy", TABLE, {}, ()))

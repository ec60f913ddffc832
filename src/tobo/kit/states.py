"""The walker of state tables: (state, event) -> (state, commands). Pure; what is not in the table cannot happen."""

from collections.abc import Mapping
from typing import NamedTuple


class Step(NamedTuple):
    """Where an event leads, and the commands that work.py must then do, in this order."""

    state: str
    commands: tuple[str, ...] = ()


Table = Mapping[tuple[str, str], Step]


class IllegalStep(Exception):
    """The table has no such (state, event): a bug of ours, never a user's fault."""


def walk(table: Table, state: str, event: str) -> Step:
    """One step; raises IllegalStep where the table has none."""
    step = table.get((state, event))
    if step is None:
        raise IllegalStep(f"no step from state {state!r} on event {event!r}")
    return step


def states_of(table: Table) -> frozenset[str]:
    """Every state that the table mentions, for the test against the AWS enum."""
    return frozenset(state for state, _ in table) | frozenset(step.state for step in table.values())

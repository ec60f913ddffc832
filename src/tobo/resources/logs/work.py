"""Retention at work: once an hour the streams of a group whose events are all too old are emptied."""

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Machine, Outcome, register
from tobo.resources.logs.settings import KIND, cutoff
from tobo.resources.logs.states import TABLE
from tobo.store.base import Row

_HOUR = 3600.0


def expire(context: Context, row: Row) -> Outcome:
    """Readers see no expired event from the first moment on; this gives their room back."""
    try:
        context.logs.expire(row.key.space, row.key.name, cutoff(row, context.clock.now()))
    except Fault:
        return Done()  # the group was deleted meanwhile
    return Again(_HOUR)


register(Machine(KIND, TABLE, {"Kept": "", "Expiring": ""}, (expire,)))

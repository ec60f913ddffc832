"""What was marked for deletion is removed when its window is over."""

from tobo.operations.context import Context
from tobo.operations.rows import rows_of
from tobo.operations.timers import every
from tobo.resources.secrets.rows import KIND
from tobo.store.base import Conflict


@every(600.0, "secret-windows", "Watching")
def remove_marked(context: Context) -> None:
    now = context.clock.now()
    for space in context.store.spaces(KIND):
        for row in list(rows_of(context.store, space, KIND)):
            if row.found.get("DeletedDate") and row.found["DeletedDate"] <= now:
                try:
                    context.store.delete(row)
                except Conflict:
                    continue  # it was restored meanwhile, or the next round takes it

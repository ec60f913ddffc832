"""What nouns do when the server stops cleanly: they write what they hold in memory and end what runs beside the controller."""

from collections.abc import Callable

from tobo.operations.context import Context

Deed = Callable[[Context], None]

AT_CLOSE: list[Deed] = []
"""Called one after another when no request is under way any more and the controller has stopped; they may block."""


def at_close(deed: Deed) -> Deed:
    """Registers a deed."""
    AT_CLOSE.append(deed)
    return deed

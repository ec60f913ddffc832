"""What the controller does for a delivery: it is tried for an hour, with longer and longer pauses, and then given up."""

import logging
from threading import BoundedSemaphore

from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.topics import states
from tobo.resources.topics.sending import NotSent, send
from tobo.resources.topics.topic import DELIVERY
from tobo.store.base import Row

log = logging.getLogger("tobo.topics")

PAUSES = (1.0, 2.0, 5.0, 20.0, 60.0, 300.0, 600.0, 1200.0, 1500.0)
"""Seconds after each try that failed: an hour, as SNS's own policy for HTTP."""

KEPT_SECONDS = 300.0
"""For which a delivery is remembered, so that the same message is not sent again: SNS's own for a deduplication id."""

_senders = BoundedSemaphore(3)
"""An endpoint that hangs must not take every thread of the controller."""


def deliver(context: Context, row: Row) -> Outcome:
    """A server killed behind the sending sends once more, as SNS may."""
    if not _senders.acquire(blocking=False):
        return Again(0.2)
    try:
        send(context.settings, row.asked)
    except NotSent as error:
        tries = row.found["_tries"]
        log.warning("%s was not reached (try %d): %s", row.asked["SubscriptionArn"], tries + 1, error)
        if tries == len(PAUSES):
            return Happened("failed", message=str(error)[:1024])
        return Again(PAUSES[tries], {"_tries": tries + 1})
    finally:
        _senders.release()
    return Happened("sent")


def forget(context: Context, row: Row) -> Outcome:
    """The row goes when the same message can no longer come again."""
    left = row.modified + KEPT_SECONDS - context.clock.now()
    if left > 0:
        return Again(left)
    context.store.delete(row)
    return Done()


MACHINE = register(Machine(DELIVERY, states.TABLE, {"Sending": "", "Sent": "", "GivenUp": ""}, (deliver, forget)))

"""Shadow variants: get copies of the requests that production has answered; what they answer is only counted."""

import asyncio
import random
import time

from tobo.hosting.base import Invocation, NoReplica
from tobo.operations.context import Context
from tobo.resources.endpoints.routes import Route, Target
from tobo.resources.endpoints.traffic import Traffic

MOST_COPIES = 8
"""Copies under way an endpoint; further ones are left out, so that a slow shadow neither piles up bodies nor takes the
machine from production."""

ANSWER_SECONDS = 60.0

_tasks: set[asyncio.Task[None]] = set()
"""The event loop itself holds tasks only weakly."""


def copy_to_shadows(context: Context, route: Route, invocation: Invocation) -> None:
    """Never waits and never raises; from the event loop."""
    for target in route.shadows:
        if route.copies < MOST_COPIES and (target.weight >= 1 or random.random() < target.weight):
            route.copies += 1
            task = asyncio.get_running_loop().create_task(_send(context, route, target, invocation))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)


async def _send(context: Context, route: Route, target: Target, invocation: Invocation) -> None:
    begin = time.perf_counter()
    try:
        answer = await context.hosting.invoke(target.group, invocation, ANSWER_SECONDS)
    except (NoReplica, TimeoutError):
        return
    finally:
        route.copies -= 1
    microseconds = (time.perf_counter() - begin) * 1e6
    route.traffic.setdefault(target.variant, Traffic()).add(answer.status, microseconds)

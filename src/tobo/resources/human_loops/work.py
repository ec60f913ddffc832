"""What the controller does for a human loop; each command is safe to repeat."""

import json

from tobo.objects.base import ObjectInfo
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.human_loops import states
from tobo.resources.human_loops.api import KIND, output_uri
from tobo.resources.human_loops.flows import flow_of
from tobo.resources.human_loops.output import output_of
from tobo.store.base import Row
from tobo.wire.body import Body

POLL_SECONDS = 1.0
"""While a loop waits for those who are at it to be through."""

LOOK_SECONDS = 300.0
"""Between two looks at a loop that nobody has answered: an answer wakes it."""


def offer(context: Context, row: Row) -> Outcome:
    """An item of the flow's work under the row's number, which is never given twice.

    Raises Fault ResourceNotFoundException where the flow went while the loop began: none is left behind unseen.
    """
    flow_of(context, row.key.space, row.asked["FlowDefinitionArn"])
    flow, source = row.asked["FlowDefinitionArn"], json.dumps({"HumanLoopName": row.key.name})
    context.tasks.add(flow, row.id, [source], row.found["_wanted"], "open")
    return Done()


def follow(context: Context, row: Row) -> Outcome:
    """Until every answer is there or time is up; who is at it then may finish."""
    flow, now = row.asked["FlowDefinitionArn"], context.clock.now()
    if settled(context, row):
        return Happened("answered")
    if now < row.found["_until"]:
        return Again(min(row.found["_until"] - now, LOOK_SECONDS))
    return Again(POLL_SECONDS) if context.tasks.withdraw(flow, row.id, now) else Happened("expired")


def drain(context: Context, row: Row) -> Outcome:
    """Nobody begins any more; who is at it may finish (Developer Guide, "Delete a Human Loop")."""
    if settled(context, row) or not context.tasks.withdraw(row.asked["FlowDefinitionArn"], row.id, context.clock.now()):
        return Done()
    return Again(POLL_SECONDS)


def write_output(context: Context, row: Row) -> Outcome:
    """Nobody answers from here on; what was said is written out, if anything was."""
    flow = row.asked["FlowDefinitionArn"]
    context.tasks.settle(flow, [(row.id, "labelled" if row.state == "Answered" else "failed", "")])
    answers = context.tasks.answers_of(flow, row.id)
    if answers or row.state == "Answered":
        uri, data = output_uri(row), output_of(context, row, answers)
        info = ObjectInfo(uri.bucket, uri.key, 0, "", 0.0, headers={"ContentType": "application/json"})
        context.objects.put(row.key.space, info, Body(len(data), data))
    return Happened("written")


def end(context: Context, row: Row) -> Outcome:
    """For loops that fail in a way of their own: nobody is asked any more, what was said stays in the task store."""
    context.tasks.settle(row.asked["FlowDefinitionArn"], [(row.id, "failed", "")])
    return Done()


def settled(context: Context, row: Row) -> bool:
    """Whether every answer is there; nobody is asked any more then."""
    item = context.tasks.item(row.asked["FlowDefinitionArn"], row.id)
    return item is not None and item.answers >= row.found["_wanted"]


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(offer, follow, drain, write_output, end),
        on_step=lambda row, step, now, message: states.on_step(row.state, step.state, message),
    )
)

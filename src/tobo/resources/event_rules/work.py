"""The watch over changes: every two seconds what has changed its status since the last look is told.

The time of the last look is written down after the telling: a server that is killed tells again from there on, and topics know
what they were told already.
"""

from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.operations.timers import every
from tobo.resources.event_rules.delivering import deliver, event_of
from tobo.resources.event_rules.emitting import KINDS, detail_of, status_in
from tobo.resources.event_rules.rule import KIND
from tobo.store.base import AlreadyExists, Conflict, Key, Query, Row, every_row

_LOOK = Key(Namespace("", ""), "events-look", "all")
_OVERLAP = 1.0
"""Seconds that are looked at twice: a row's time is taken before it is written."""
_PAGE = 500


@every(2.0, "events", "Watching")
def tell_changes(context: Context) -> None:
    now, row = context.clock.now(), context.store.get(_LOOK)
    since = now - _OVERLAP if row is None else float(row.found["At"])
    for space in context.store.spaces(KIND):
        for kind in KINDS:
            query = Query(
                space,
                kind,
                modified_after=since - _OVERLAP,
                sort_by="LastModifiedTime",
                descending=False,
                limit=_PAGE,
            )
            for changed in every_row(context.store, query):
                _tell(context, space, changed, since - _OVERLAP)
    _remember(context, row, now)


def _tell(context: Context, space: Namespace, row: Row, since: float) -> None:
    """Each change of the AWS status since then; states that it does not tell apart are one."""
    before = ""
    for number, event in enumerate(context.store.events(row)):
        status = status_in(row, event)
        if event.at >= since and status != before:
            told = event_of(
                context,
                space,
                "aws.sagemaker",
                KINDS[row.key.kind].detail_type,
                detail_of(row, status),
                [row.arn],
                once=f"{row.arn} {row.id} {number}",
                at=event.at,
            )
            deliver(context, space, told)
        before = status


def _remember(context: Context, row: Row | None, now: float) -> None:
    try:
        if row is None:
            context.store.insert(Row(_LOOK, "", {}, {"At": now}, "", "Kept", now, now))
        else:
            context.store.update(row, found={"At": now})
    except (AlreadyExists, Conflict):
        return

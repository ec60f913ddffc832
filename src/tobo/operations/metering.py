"""Metering: each noun that uses instances says what a row of its uses, and the ledger keeps it.

A row is metered whenever it moves (machine.advance), and everything that runs once a minute, so that what has no end yet
has its costs so far.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.operations.auditing import HOUSE
from tobo.operations.context import Context
from tobo.operations.pricing import list_price, own_price
from tobo.store.base import Query, Row, every_row
from tobo.telemetry.ledger import Owner, Use

log = logging.getLogger("tobo.metering")

USER = "_by"
"""Member of `found`: the ARN of who has made the resource."""

PARENT = "_for"
"""Member of `asked`, which no client can send: the ARN of the resource that the house starts a job for."""

_PAGE = 1000


@dataclass(frozen=True)
class Usage:
    """`count` instances of a type; the rest as in the ledger's Use."""

    instance_type: str
    count: int = 1
    part: str = ""
    begun: float | None = None
    ended: float | None = None
    package: str = ""


@dataclass(frozen=True)
class Meter:
    """What a row of a kind uses, the statuses in which one may use anything, and what a new row is going to use."""

    usage: Callable[[Row], Sequence[Usage]]
    running: Collection[str]
    planned: Callable[[Row], Sequence[Usage]]


METERS: dict[str, Meter] = {}
"""By kind; each noun that uses instances registers its own."""


def meter_job(
    kind: str,
    machine: Callable[[Row], Any],
    begun: str,
    ended: str,
    running: Collection[str],
    package: Callable[[Row], str] = lambda row: "",
) -> None:
    """Registers a job's: `machine` gives a row's {InstanceType, InstanceCount}, `begun` and `ended` name members of `found`,
    `package` the model package that it serves."""

    def planned(row: Row) -> list[Usage]:
        asked = machine(row)
        times = (row.found.get(begun), row.found.get(ended))
        return [Usage(asked["InstanceType"], asked.get("InstanceCount", 1), "", *times, package(row))]

    METERS[kind] = Meter(lambda row: planned(row) if row.found.get(begun) else [], running, planned)


def note(context: Context, row: Row) -> None:
    """What the row uses now goes into the ledger; a disk that takes nothing is logged, and a later look makes up for it."""
    if context.ledger is None or (meter := METERS.get(row.key.kind)) is None:
        return
    try:
        context.ledger.keep([(owner_of(context, row), priced(context, meter.usage(row)))], context.clock.now())
    except Exception:
        log.exception("the use of %s was not written down", row.arn)


def note_work(context: Context, row: Row, usage: Usage, seconds: float) -> None:
    """Time that work took on what is paid by its work; a disk that takes nothing is logged, and that much is lost."""
    if context.ledger is None or seconds <= 0:
        return
    try:
        [use] = priced(context, [usage])
        context.ledger.add(owner_of(context, row), use, seconds, context.clock.now())
    except Exception:
        log.exception("the work of %s was not written down", row.arn)


def look(context: Context) -> None:
    """Everything that runs, in all accounts and regions; what has ended or is gone since the last look has its end."""
    assert context.ledger is not None
    now, seen = context.clock.now(), set[str]()
    for kind, meter in METERS.items():
        for space in context.store.spaces(kind):
            queries = (Query(space, kind, status=status, limit=_PAGE) for status in meter.running)
            rows = [row for query in queries for row in every_row(context.store, query)]
            context.ledger.keep([(owner_of(context, row), priced(context, meter.usage(row))) for row in rows], now)
            seen.update(row.arn for row in rows)
    gone = []
    for arn in context.ledger.running():
        if arn not in seen:
            row = context.store.find_arn(arn)
            gone += [arn] if row is None else []
            if row is not None:
                note(context, row)
    context.ledger.end(gone)


def priced(context: Context, usages: Sequence[Usage]) -> list[Use]:
    return [
        Use(
            each.part,
            each.instance_type,
            each.count,
            list_price(each.instance_type) or 0.0,
            own_price(context.settings, each.instance_type),
            each.begun,
            each.ended,
            each.package,
        )
        for each in usages
    ]


def owner_of(context: Context, row: Row) -> Owner:
    """What a tuning job or a validation starts belongs to who made the tuning job, the algorithm or the package."""
    user = row.found.get(USER, "")
    parent = row.asked.get("TuningJobArn") or row.asked.get(PARENT)
    if user == HOUSE and parent and (made := context.store.find_arn(parent)) is not None:
        user = made.found.get(USER, "")
    return Owner(row.key.space, row.key.kind, row.arn, row.key.name, user, row.tags)

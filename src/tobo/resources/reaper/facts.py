"""Facts: the resources of an account that rules may be about, read from the store and from the metrics."""

from collections.abc import Iterable, Iterator

from tobo.operations.budgeting import BUDGET, SPENT, budget_space, falls_under
from tobo.operations.context import Context
from tobo.resources.reaper.rules import Fact
from tobo.store.base import Query, Row, every_row
from tobo.telemetry.base import MetricName

_RUNNING = {
    "training-job": ("InProgress",),
    "processing-job": ("InProgress",),
    "transform-job": ("InProgress",),
    "hyper-parameter-tuning-job": ("InProgress",),
    "endpoint": ("InService",),
    "notebook-instance": ("InService", "Stopped"),
}
"""Statuses that something can be done about."""

_PAGE = 1000


def facts_of(context: Context, account: str, kinds: Iterable[str]) -> Iterator[Fact]:
    """Everything of these kinds in all regions of the account."""
    spent = context.store.page(Query(budget_space(account), BUDGET, status=SPENT)).rows
    for kind in sorted(set(kinds)):
        for space in context.store.spaces(kind):
            if space.account == account:
                for status in _RUNNING[kind]:
                    for row in every_row(context.store, Query(space, kind, status=status, limit=_PAGE)):
                        yield fact_of(context, row, spent)


def fact_of(context: Context, row: Row, spent: Iterable[Row]) -> Fact:
    counts = _counts(row) if row.key.kind == "endpoint" else {}
    runs = bool(counts and any(counts.values())) if row.key.kind == "endpoint" else row.status != "Stopped"
    return Fact(
        row.key.kind,
        row.key.name,
        row.arn,
        row.key.space,
        row.created,
        runs,
        row.tags,
        _used(context, row, counts),
        frozenset(budget.key.name for budget in spent if falls_under(context, budget, row)),
        counts if runs else {},
    )


def _counts(row: Row) -> dict[str, int]:
    """Instances of the variants that are counted; serverless ones sleep by themselves."""
    fleet = row.found.get("_fleet") or {"variants": []}
    return {
        each["VariantName"]: each["InstanceCount"] for each in fleet["variants"] if not each.get("ServerlessConfig")
    }


def _used(context: Context, row: Row, variants: Iterable[str]) -> float | None:
    """An endpoint's last invocation, a notebook's last activity."""
    if row.key.kind == "notebook-instance":
        active = row.found.get("_active")
        return None if active is None else float(active)
    if row.key.kind != "endpoint":
        return None
    fleet = row.found.get("_fleet") or {"variants": [], "since": row.created}
    times = [fleet["since"]]
    for variant in fleet["variants"]:
        dimensions = {"EndpointName": row.key.name, "VariantName": variant["VariantName"]}
        point = context.metrics.last(row.key.space, MetricName("AWS/SageMaker", "Invocations", dimensions))
        times += [] if point is None else [point.at]
    return float(max(times))

"""What a subscription was used: instance hours from the ledger, inferences from the metrics, by day."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Context
from tobo.operations.market import INFERENCES, NAMESPACE, PACKAGE
from tobo.store.base import Row
from tobo.telemetry.base import MetricName

_DAY = 86_400.0
MOST_DAYS = 400


def used_by_day(
    context: Context, row: Row, start: float | None = None, end: float | None = None
) -> list[dict[str, Any]]:
    """Days (UTC) with any use, in order: {Day, InstanceHours, Inferences, Amount in US dollars}.

    `start` and `end` (epoch seconds) are the subscription's own where they are not given. Raises Fault where they are
    further apart than MOST_DAYS.
    """
    now = context.clock.now()
    start, end = max(start or 0.0, row.created), min(end or now, now)
    if end - start > MOST_DAYS * _DAY:
        raise validation(f"Start and End are {(end - start) / _DAY:.0f} days apart; ask for {MOST_DAYS} at most.")
    space, package = row.key.space, row.found["ModelPackageArn"]
    hours, inferences = dict[float, float](), dict[float, int]()
    spans = context.ledger.spans(space.account, start, end, now, package) if context.ledger else []
    day = start // _DAY * _DAY
    while day < end:
        hours[day] = sum(span.hours(max(day, start), min(day + _DAY, end)) for span in spans)
        day += _DAY
    series = MetricName(NAMESPACE, INFERENCES, {PACKAGE: package})
    # what was counted in the period in which it began, or is still going on, is this subscription's
    for bucket in context.metrics.statistics(space, series, start - 10, end + 10, int(_DAY)):
        inferences[bucket.at] = inferences.get(bucket.at, 0) + round(bucket.sum)
    price = row.found["Price"]
    days = []
    for day in sorted(hours.keys() | inferences.keys()):
        used, asked = hours.get(day, 0.0), inferences.get(day, 0)
        if used or asked:
            amount = used * (price.get("PerInstanceHour") or 0.0) + asked * (price.get("PerInference") or 0.0)
            date = datetime.fromtimestamp(day, UTC).date().isoformat()
            days.append({"Day": date, "InstanceHours": used, "Inferences": asked, "Amount": amount})
    return days


def total(days: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of what `used_by_day` gives."""
    sums = {name: sum(day[name] for day in days) for name in ("InstanceHours", "Inferences", "Amount")}
    return {**sums, "Currency": "USD"}

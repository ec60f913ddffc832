"""How much of a budget is spent, and how much is going to be. Pure but for the asking.

COST budgets count AWS's list price, with CostTypes' UseAmortized this machine's price; USAGE budgets count instance hours.
The forecast is a straight line: what was spent so far, as if the rest of the period went like it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tobo.kit.arn import Namespace
from tobo.operations.budgeting import expression_of
from tobo.operations.context import Context

NO_END = datetime(2087, 6, 15, tzinfo=UTC)
"""AWS's own, where a budget has no end."""

_MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}


def period_at(budget: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the budget's period that `now` lies in, UTC."""
    unit = budget["TimeUnit"]
    if unit == "CUSTOM":
        return budget["TimePeriod"]["Start"], budget["TimePeriod"]["End"]
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "DAILY":
        return day, day + timedelta(days=1)
    months = _MONTHS[unit]
    begin = day.replace(day=1, month=(now.month - 1) // months * months + 1)
    after = begin.month - 1 + months
    return begin, begin.replace(year=begin.year + after // 12, month=after % 12 + 1)


def spent_of(context: Context, account: str, budget: Mapping[str, Any], now: datetime) -> tuple[float, float]:
    """Spent in the period, and forecast for the whole of it, in the budget's unit. Raises GetCostAndUsage's Faults."""
    begin, end = period_at(budget, now)
    bounds = budget["TimePeriod"]
    begin, end = max(begin, bounds["Start"]), min(end, bounds["End"])
    until = min(now.replace(microsecond=0), end)
    if until <= begin:
        return 0.0, 0.0
    metric = metric_of(budget)
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "End": f"{until:%Y-%m-%dT%H:%M:%SZ}"},
        "Granularity": "MONTHLY",
        "Metrics": [metric],
    }
    if (expression := expression_of(budget)) is not None:
        asked["Filter"] = expression
    found = context.as_house(Namespace(account, "us-east-1"), "ce", "GetCostAndUsage", **asked)
    spent = sum(float(result["Total"][metric]["Amount"]) for result in found["ResultsByTime"])
    return spent, spent * ((end - begin) / (until - begin))


def metric_of(budget: Mapping[str, Any]) -> str:
    """Cost Explorer's."""
    if budget["BudgetType"] == "USAGE":
        return "UsageQuantity"
    amortized = budget.get("CostTypes", {}).get("UseAmortized") or "AmortizedCost" in budget.get("Metrics", [])
    return "AmortizedCost" if amortized else "UnblendedCost"


def is_over(notification: Mapping[str, Any], limit: float, spent: float, forecast: float) -> bool:
    """Whether the threshold of a notification is crossed."""
    amount = spent if notification["NotificationType"] == "ACTUAL" else forecast
    percent = notification.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE"
    bound = notification["Threshold"] * (limit / 100 if percent else 1)
    return bool(
        {"GREATER_THAN": amount > bound, "LESS_THAN": amount < bound, "EQUAL_TO": amount == bound}[
            notification["ComparisonOperator"]
        ]
    )

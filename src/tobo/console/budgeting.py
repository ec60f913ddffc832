"""Budgets as a form has them, and in words."""

from collections.abc import Mapping
from typing import Any

from tobo.console.rendering import money, number
from tobo.kit.fault import Fault

WHAT = {
    "listed": "Dollars at AWS's prices",
    "own": "Dollars at this machine's price",
    "hours": "Instance hours",
}
"""What a budget counts: the form's word -> how it is called."""

UNITS = {"DAILY": "A day", "MONTHLY": "A month", "QUARTERLY": "A quarter", "ANNUALLY": "A year"}
"""TimeUnits that a form offers; a time of one's own (CUSTOM) is kept as it is."""

_TELLS = ("CalculatedSpend", "LastUpdatedTime", "HealthStatus")
"""Members that DescribeBudget adds."""


def what_of(budget: Mapping[str, Any]) -> str:
    """The key of WHAT."""
    if budget["BudgetType"] == "USAGE":
        return "hours"
    return (
        "own"
        if budget.get("CostTypes", {}).get("UseAmortized") or "AmortizedCost" in budget.get("Metrics", [])
        else "listed"
    )


def read_budget(fields: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """The Budget of a form; `known` is the one that is changed, {} for none. Raises Fault InvalidParameterException."""
    name = known.get("BudgetName") or fields.get("name", "")
    if not name:
        raise Fault("InvalidParameterException", "Name: the budget has none yet; give one, such as marbles.")
    limit, what, unit = fields.get("limit", ""), fields.get("what", "listed"), fields.get("unit", "MONTHLY")
    if not _is_amount(limit):
        raise Fault(
            "InvalidParameterException", f"Limit: '{limit[:40]}' is no amount of 0 or more; write it as 20 or 7.50."
        )
    kept = {member: value for member, value in known.items() if member not in (*_TELLS, "CostFilters", "CostTypes")}
    if unit != known.get("TimeUnit"):
        kept.pop("TimePeriod", None)  # the new period begins by itself
    budget = {
        **kept,
        "BudgetName": name,
        "BudgetType": "USAGE" if what == "hours" else "COST",
        "TimeUnit": unit,
        "BudgetLimit": {"Amount": limit, "Unit": "Hrs" if what == "hours" else "USD"},
    }
    if what == "own" or known.get("CostTypes"):
        budget["CostTypes"] = {**known.get("CostTypes", {}), "UseAmortized": what == "own"}
    if filters := _filters(fields, known):
        budget["CostFilters"] = filters
    return budget


def filter_words(budget: Mapping[str, Any]) -> str:
    """What it counts, in a line; "" where it counts everything."""
    if budget.get("FilterExpression"):
        return "an expression of Cost Explorer"
    filters = dict(budget.get("CostFilters") or {})
    tags = [f"tag {line}" for line in tag_lines(budget)]
    filters.pop("TagKeyValue", None)
    return ", ".join([*tags, *(f"{name} {' or '.join(values)}" for name, values in filters.items())])


def tag_lines(budget: Mapping[str, Any]) -> list[str]:
    """Its tags as a form's lines: project=marbles."""
    values = (budget.get("CostFilters") or {}).get("TagKeyValue", [])
    return [value.removeprefix("user:").replace("$", "=", 1) for value in values]


def seen(budget: Mapping[str, Any]) -> dict[str, Any]:
    """Its amounts for a page: limit, spent and forecast, in numbers and in words, and how it stands."""
    spend = budget["CalculatedSpend"]
    limit, spent = float(budget["BudgetLimit"]["Amount"]), float(spend["ActualSpend"]["Amount"])
    forecast = float(spend["ForecastedSpend"]["Amount"]) if "ForecastedSpend" in spend else None
    tone, stands = (
        ("bad", "Spent")
        if spent >= limit
        else ("warn", "Forecast above")
        if (forecast or 0) > limit
        else ("good", "Within")
    )
    hours = budget["BudgetType"] == "USAGE"
    told = {"limit": limit, "spent": spent, "forecast": forecast}
    words = {f"{name}_words": _amount(value, hours) for name, value in told.items()}
    return {**told, **words, "tone": tone, "stands": stands, "unit_words": UNITS.get(budget["TimeUnit"], "Once")}


def _amount(value: float | None, hours: bool) -> str:
    return f"{number(value)} h" if hours and value is not None else money(value)


def _filters(fields: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, list[str]]:
    """CostFilters: those of the form, and what it has no field for. Raises Fault InvalidParameterException."""
    filters = {name: values for name, values in (known.get("CostFilters") or {}).items() if name != "TagKeyValue"}
    tags = []
    for place, line in enumerate(fields.get("tags", "").splitlines(), 1):
        key, equals, value = line.strip().partition("=")
        if line.strip() and not (key and equals):
            raise Fault(
                "InvalidParameterException",
                f"Tags: line {place}, '{line[:40]}', has no =; write it as project=marbles.",
            )
        if key:
            tags.append(f"user:{key.strip()}${value.strip()}")
    return {**filters, "TagKeyValue": tags} if tags else filters


def _is_amount(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False

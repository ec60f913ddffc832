"""A budget's row: how it is found, read and refused."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tobo.kit.arn import Arn
from tobo.kit.fault import Fault
from tobo.operations.budgeting import BUDGET, budget_space, expression_of
from tobo.operations.context import Call
from tobo.resources.budgets.spending import NO_END, period_at
from tobo.store.base import Key, Row

_TYPES = ("COST", "USAGE")


def budget_arn(account: str, name: str) -> str:
    return str(Arn("budgets", "", account, f"budget/{name}"))


def budget_of(call: Call, asked: Mapping[str, Any]) -> str:
    """The resource that policies speak of."""
    return budget_arn(asked["AccountId"], asked.get("BudgetName", "*"))


def known_budget(call: Call, asked: Mapping[str, Any]) -> Row:
    """Raises Fault NotFoundException, AccessDeniedException for another account's."""
    check_account(call, asked["AccountId"])
    row = call.context.store.get(Key(budget_space(asked["AccountId"]), BUDGET, asked["BudgetName"]))
    if row is None:
        raise not_found(f"Budget '{asked['BudgetName']}' does not exist in account {asked['AccountId']}.")
    return row


def check_account(call: Call, account: str) -> None:
    if account != call.principal.account:
        raise Fault(
            "AccessDeniedException",
            f"Account {account[:20]} is not yours; the key is of {call.principal.account}.",
            403,
        )


def completed(call: Call, budget: Mapping[str, Any]) -> dict[str, Any]:
    """A budget as it is kept: checked, with its period, in JSON. Raises Fault InvalidParameterException."""
    if budget["BudgetType"] not in _TYPES:
        raise bad_parameter(f"BudgetType {budget['BudgetType']} is of nothing there is here; take COST or USAGE.")
    for member in ("PlannedBudgetLimits", "AutoAdjustData", "BillingViewArn"):
        if budget.get(member):
            raise bad_parameter(f"{member} is not built; give a BudgetLimit.")
    limit = budget.get("BudgetLimit")
    if limit is None or not _is_amount(limit["Amount"]):
        raise bad_parameter("BudgetLimit has an Amount of 0 or more and a Unit, such as 20 USD.")
    if budget["BudgetType"] == "COST" and limit["Unit"] != "USD":
        raise bad_parameter(f"BudgetLimit's Unit of a COST budget is USD, not '{limit['Unit'][:20]}'.")
    if ":" in budget["BudgetName"] or "\\" in budget["BudgetName"] or not budget["BudgetName"].strip():
        raise bad_parameter(f"BudgetName '{budget['BudgetName'][:60]}': neither ':' nor '\\', and not empty.")
    try:
        expression_of(budget)
    except Fault as fault:
        raise bad_parameter(fault.message) from None
    now = datetime.fromtimestamp(call.now, UTC)
    given = budget.get("TimePeriod") or {}
    if budget["TimeUnit"] == "CUSTOM" and len(given) < 2:
        raise bad_parameter("A CUSTOM budget has a TimePeriod with Start and End.")
    start = given.get("Start") or period_at({"TimeUnit": budget["TimeUnit"]}, now)[0]
    end = given.get("End") or NO_END
    if start >= end:
        raise bad_parameter(f"TimePeriod's Start {start} is not before its End {end}.")
    kept = {member: value for member, value in budget.items() if member not in ("CalculatedSpend", "LastUpdatedTime")}
    return {**kept, "TimePeriod": {"Start": start.timestamp(), "End": end.timestamp()}}


def read_budget(row: Row) -> dict[str, Any]:
    """As `spending` wants it, with datetimes."""
    budget = dict(row.asked["Budget"])
    period = budget["TimePeriod"]
    return {**budget, "TimePeriod": {name: datetime.fromtimestamp(period[name], UTC) for name in ("Start", "End")}}


def described(row: Row) -> dict[str, Any]:
    """The API's Budget."""
    budget, unit = read_budget(row), row.asked["Budget"]["BudgetLimit"]["Unit"]
    spend = {"ActualSpend": {"Amount": f"{row.found.get('_spent', 0.0):.4f}", "Unit": unit}}
    if row.found.get("_forecast"):
        spend["ForecastedSpend"] = {"Amount": f"{row.found['_forecast']:.4f}", "Unit": unit}
    return {
        **budget,
        "CalculatedSpend": spend,
        "LastUpdatedTime": row.modified,
        "HealthStatus": {"Status": "HEALTHY"},
    }


def not_found(message: str) -> Fault:
    return Fault("NotFoundException", message)


def bad_parameter(message: str) -> Fault:
    return Fault("InvalidParameterException", message)


def _is_amount(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False

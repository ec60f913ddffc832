"""The operations on budgets. Source: AWS Budgets API Reference, CreateBudget and its siblings."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.budgeting import BUDGET, budget_space
from tobo.operations.context import Call
from tobo.operations.listing import list_rows, page_of
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.budgets.budget import (
    budget_arn,
    budget_of,
    check_account,
    completed,
    described,
    known_budget,
    read_budget,
)
from tobo.resources.budgets.notifications import checked
from tobo.resources.budgets.spending import period_at, spent_of
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

PAGE = 100
MOST_PERIODS = 13
"""Of a performance history: a year's months and the one that goes on."""


@operation(
    "budgets",
    "CreateBudget",
    resource=lambda call, asked: budget_arn(asked["AccountId"], asked["Budget"]["BudgetName"]),
)
def create_budget(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault InvalidParameterException, DuplicateRecordException, AccessDeniedException."""
    check_account(call, asked["AccountId"])
    budget = completed(call, asked["Budget"])
    notifications = [
        checked(each["Notification"], each["Subscribers"]) for each in asked.get("NotificationsWithSubscribers", [])
    ]
    now, name = call.now, budget["BudgetName"]
    row = Row(
        key=Key(budget_space(asked["AccountId"]), BUDGET, name),
        arn=budget_arn(asked["AccountId"], name),
        asked={"Budget": budget, "Notifications": notifications},
        found={"_told": {}},
        status="Open",
        state="Watched",
        created=now,
        modified=now,
        tags={tag["Key"]: tag["Value"] for tag in asked.get("ResourceTags", [])},
        due=now,
        todo=("watch",),
    )
    try:
        row = call.context.store.insert(row, Event(now, "created", row.state))
    except AlreadyExists:
        raise Fault("DuplicateRecordException", f"Budget '{name}' already exists; UpdateBudget changes it.") from None
    call.context.wake(row)
    return {}


@operation("budgets", "DescribeBudget", resource=budget_of)
def describe_budget(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With what is spent, as of the last look (seconds ago). Raises Fault NotFoundException."""
    return {"Budget": described(known_budget(call, asked))}


@operation("budgets", "DescribeBudgets", resource=budget_of)
def describe_budgets(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their creation, 100 a page. Raises Fault InvalidNextTokenException."""
    check_account(call, asked["AccountId"])
    try:
        return list_rows(
            _of_account(call), BUDGET, asked, "Budgets", described, default_limit=PAGE, default_descending=False
        )
    except Fault as fault:
        raise Fault("InvalidNextTokenException", fault.message) from None


@operation(
    "budgets",
    "UpdateBudget",
    resource=lambda call, asked: budget_arn(asked["AccountId"], asked["NewBudget"]["BudgetName"]),
)
def update_budget(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of it but its notifications; who was told in this period may be told again. Raises the Faults of CreateBudget."""
    budget = completed(call, asked["NewBudget"])
    named = {"AccountId": asked["AccountId"], "BudgetName": budget["BudgetName"]}
    row = change_row(
        call,
        lambda: known_budget(call, named),
        "changed",
        lambda row: {
            "asked": {**row.asked, "Budget": budget},
            "found": {**row.found, "_told": {}},
            "due": call.now,
        },
    )
    call.context.wake(row)
    return {}


@operation("budgets", "DeleteBudget", resource=budget_of)
def delete_budget(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException."""
    while True:
        try:
            call.context.store.delete(known_budget(call, asked))
            return {}
        except Conflict:
            continue


@operation("budgets", "DescribeBudgetPerformanceHistory", resource=budget_of)
def describe_budget_performance_history(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was spent in each of the last periods, the oldest first; of a CUSTOM budget in its one. Raises Fault NotFoundException."""
    row = known_budget(call, asked)
    budget, now = read_budget(row), datetime.fromtimestamp(call.now, UTC)
    amounts, at = list[dict[str, Any]](), now
    limit = {"BudgetedAmount": budget["BudgetLimit"]}
    while len(amounts) < MOST_PERIODS and at >= budget["TimePeriod"]["Start"]:
        begin, end = period_at(budget, at)
        spent, _ = spent_of(call.context, row.key.space.account, budget, min(now, end - timedelta(seconds=1)))
        actual = {"Amount": f"{spent:.4f}", "Unit": budget["BudgetLimit"]["Unit"]}
        amounts.append({**limit, "ActualAmount": actual, "TimePeriod": {"Start": begin, "End": end}})
        if budget["TimeUnit"] == "CUSTOM":
            break
        at = begin - timedelta(seconds=1)
    page, more = page_of(amounts[::-1], BUDGET, asked, PAGE)
    members = ("BudgetName", "BudgetType", "CostFilters", "CostTypes", "TimeUnit")
    told = {member: budget[member] for member in members if member in budget}
    return {"BudgetPerformanceHistory": {**told, "BudgetedAndActualAmountsList": list(page)}, **more}


def _of_account(call: Call) -> Call:
    """Where an account's budgets are."""
    return replace(call, space=budget_space(call.principal.account))

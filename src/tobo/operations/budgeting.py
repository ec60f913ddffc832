"""Budgets that refuse: what a budget's filters mean, and whether one forbids a new resource.

A budget with the tag `tobo:refuse` = `true` refuses new jobs, endpoints and notebooks that fall under it while it is spent. AWS does
the like with budget actions that attach a policy.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Context
from tobo.operations.costing import condition
from tobo.operations.metering import METERS, USER, priced
from tobo.store.base import Query, Row
from tobo.telemetry.ledger import Owner, Span

BUDGET = "budget"

SPENT = "Spent"
"""Status of a budget whose limit is reached in the period that goes on."""

REFUSES = "tobo:refuse"

_FILTERS = {
    "Service": "SERVICE",
    "UsageType": "USAGE_TYPE",
    "Region": "REGION",
    "InstanceType": "INSTANCE_TYPE",
    "LinkedAccount": "LINKED_ACCOUNT",
    "Operation": "OPERATION",
    "PurchaseType": "PURCHASE_TYPE",
}
"""CostFilters' names -> Cost Explorer's dimensions."""


def budget_space(account: str) -> Namespace:
    """Budgets are of an account, in no region."""
    return Namespace(account, "")


def expression_of(budget: Mapping[str, Any]) -> dict[str, Any] | None:
    """Cost Explorer's Expression of a budget's FilterExpression or CostFilters; None filters nothing.

    Raises Fault ValidationException for a filter of what nothing here has.
    """
    if given := budget.get("FilterExpression"):
        condition(given)
        return dict(given)
    parts = [part for name, values in (budget.get("CostFilters") or {}).items() for part in [_part(name, values)]]
    return None if not parts else parts[0] if len(parts) == 1 else {"And": parts}


def falls_under(context: Context, budget: Row, row: Row) -> bool:
    """Whether what a row uses, or is going to, is counted by a budget."""
    if row.key.kind not in METERS:
        return False
    meets = condition(expression_of(budget.asked["Budget"]))
    return any(meets(span) for span in _spans(context, row))


def check_budgets(context: Context, row: Row) -> None:
    """Raises Fault ResourceLimitExceeded where a budget that refuses is spent and the new row would fall under it."""
    if row.key.kind not in METERS:
        return
    page = context.store.page(Query(budget_space(row.key.space.account), BUDGET, status=SPENT, tags={REFUSES: "true"}))
    for budget in page.rows:
        if falls_under(context, budget, row):
            limit = budget.asked["Budget"]["BudgetLimit"]
            raise Fault(
                "ResourceLimitExceeded",
                f"Budget '{budget.key.name}' of {limit['Amount']} {limit['Unit']} is spent, and refuses what is new; "
                f"raise it, take its tag {REFUSES} away, or wait for its next period.",
            )


def _spans(context: Context, row: Row) -> list[Span]:
    """What the row is going to use, as the ledger would have it."""
    owner = Owner(row.key.space, row.key.kind, row.arn, row.key.name, row.found.get(USER, ""), row.tags)
    uses = priced(context, METERS[row.key.kind].planned(row))
    return [Span(owner, use, row.created, row.created, True) for use in uses]


def _part(name: str, values: list[str]) -> dict[str, Any]:
    if name in _FILTERS:
        return {"Dimensions": {"Key": _FILTERS[name], "Values": list(values)}}
    if name != "TagKeyValue":
        raise validation(f"CostFilters' {name[:40]} is none of {', '.join([*_FILTERS, 'TagKeyValue'])}.")
    tags: dict[str, list[str]] = {}
    for value in values:
        key, _, text = value.removeprefix("user:").partition("$")
        tags.setdefault(key, []).append(text)
    parts = [{"Tags": {"Key": key, "Values": texts}} for key, texts in tags.items()]
    return parts[0] if len(parts) == 1 else {"Or": parts}

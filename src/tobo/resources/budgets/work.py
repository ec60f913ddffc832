"""What the controller does for a budget: it counts, and tells whoever wants to know, once a period."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tobo.kit.arn import Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.budgeting import BUDGET, SPENT
from tobo.operations.context import Context
from tobo.operations.letters import send_letter
from tobo.operations.machine import Again, Done, Machine, Outcome, register
from tobo.resources.budgets import states
from tobo.resources.budgets.budget import read_budget
from tobo.resources.budgets.notifications import key_of
from tobo.resources.budgets.spending import is_over, period_at, spent_of
from tobo.store.base import Row

log = logging.getLogger("tobo.budgets")

SECONDS = 10.0
"""Between two looks."""

Told = Mapping[str, float]
"""By a notification's key: the beginning of the period in which its subscribers were told."""


def watch(context: Context, row: Row) -> Outcome:
    """A server killed between the telling and its note tells letters once more; a topic's subscribers are told once."""
    budget, now = read_budget(row), datetime.fromtimestamp(context.clock.now(), UTC)
    spent, forecast = spent_of(context, row.key.space.account, budget, now)
    limit, begin = float(budget["BudgetLimit"]["Amount"]), period_at(budget, now)[0].timestamp()
    told = {key: at for key, at in row.found["_told"].items() if at == begin}
    for each in row.asked["Notifications"]:
        notification, key = each["Notification"], key_of(each["Notification"])
        if not is_over(notification, limit, spent, forecast):
            told.pop(key, None)
        elif key not in told:
            for subscriber in each["Subscribers"]:
                _tell(context, row, subscriber, notification, (limit, spent, forecast), begin)
            told[key] = begin
    status = SPENT if spent >= limit and _is_on(budget, now) else "Open"
    found = {"_spent": spent, "_forecast": forecast, "_told": told}
    if status != row.status or any(row.found.get(name) != value for name, value in found.items()):
        context.store.update(row, found={**row.found, **found}, status=status)
    return Again(SECONDS)


def rest(context: Context, row: Row) -> Outcome:
    left = row.modified + SECONDS - context.clock.now()
    return Again(left) if left > 0 else Done()


def _is_on(budget: Mapping[str, Any], now: datetime) -> bool:
    return bool(budget["TimePeriod"]["Start"] <= now < budget["TimePeriod"]["End"])


def _tell(
    context: Context,
    row: Row,
    subscriber: Mapping[str, Any],
    notification: Mapping[str, Any],
    amounts: tuple[float, float, float],
    begin: float,
) -> None:
    """What does not arrive by e-mail is logged; topics try again by themselves."""
    address, (subject, text) = subscriber["Address"], _message(row, notification, amounts)
    try:
        if subscriber["SubscriptionType"] == "EMAIL":
            send_letter(context.settings, address, subject, text, "AWS Budgets")
            return
        arn = parse_arn(address)
        context.as_house(
            Namespace(arn.account, arn.region),
            "sns",
            "Publish",
            TopicArn=address,
            Subject=subject,
            Message=text,
            MessageDeduplicationId=f"{row.arn} {key_of(notification)} {begin}"[:128],
        )
    except (OSError, Fault) as error:
        log.warning("%s was not told of budget %s: %s", address, row.key.name, error)


def _message(row: Row, notification: Mapping[str, Any], amounts: tuple[float, float, float]) -> tuple[str, str]:
    """Subject and text, with the lines that AWS's have."""
    limit, spent, forecast = amounts
    unit, kind = row.asked["Budget"]["BudgetLimit"]["Unit"], notification["NotificationType"]
    sign = {"GREATER_THAN": ">", "LESS_THAN": "<", "EQUAL_TO": "="}[notification["ComparisonOperator"]]
    percent = notification["ThresholdType"] == "PERCENTAGE"
    bound = f"{notification['Threshold']:g}%" if percent else f"{notification['Threshold']:.2f} {unit}"
    amount = spent if kind == "ACTUAL" else forecast
    name = "".join(letter for letter in row.key.name if letter.isprintable())
    lines = (
        f"Account: {row.key.space.account}",
        f"Budget Name: {name}",
        f"Budget Type: {row.asked['Budget']['BudgetType'].capitalize()}",
        f"Budgeted Amount: {limit:.2f} {unit}",
        f"Alert Type: {kind}",
        f"Alert Threshold: {sign} {bound}",
        f"{kind} Amount: {amount:.4f} {unit}",
    )
    return f"AWS Budgets: {name} has crossed {sign} {bound}"[:100], "\n".join(lines)


MACHINE = register(Machine(BUDGET, states.TABLE, {"Watched": ""}, (watch, rest)))

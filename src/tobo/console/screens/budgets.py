"""Budgets: how much of each is spent, who is told, and whether it refuses new jobs."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tobo.console.budgeting import UNITS, WHAT, filter_words, read_budget, seen, tag_lines, what_of
from tobo.console.choices import topics_of
from tobo.console.lists import PAGE, addresses
from tobo.console.places import arn_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.arn import Arn
from tobo.kit.fault import Fault
from tobo.operations.budgeting import REFUSES

COMPARISONS = {"GREATER_THAN": "above", "LESS_THAN": "below", "EQUAL_TO": "equal to"}


@shown("/budgets")
def _list(visit: Visit) -> Response:
    token = visit.query.get("token")
    found = _asked(visit, visit.call, "DescribeBudgets", MaxResults=PAGE, **({"NextToken": token} if token else {}))
    budgets = [{**each, **seen(each), "refuses": _refuses(visit, each["BudgetName"])} for each in found["Budgets"]]
    return visit.page(
        "budgets/list.html",
        budgets=budgets,
        filters=filter_words,
        next_token=found.get("NextToken"),
        at=addresses(visit, "budgets"),
    )


@shown("/budgets/create")
def _form(visit: Visit) -> Response:
    return visit.page("budgets/create.html", budget=None, **_choices(visit))


@posted("/budgets/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    budget = read_budget(fields, {})
    asked: dict[str, Any] = {"Budget": budget}
    if "tell" in fields:
        asked["NotificationsWithSubscribers"] = [
            {"Notification": _notification(fields), "Subscribers": [_subscriber(fields)]}
        ]
    if "refuse" in fields:
        asked["ResourceTags"] = [{"Key": REFUSES, "Value": "true"}]
    _asked(visit, visit.change, "CreateBudget", **asked)
    return visit.done(
        url("budgets", budget["BudgetName"]),
        f"Budget {budget['BudgetName']} was created; it is looked at every ten seconds.",
    )


@posted("/budgets/{name:path}/change")
def _change(visit: Visit) -> Response:
    """All of it but who is told, and what the form has no field for."""
    name = visit.path["name"]
    known = _asked(visit, visit.quietly, "DescribeBudget", BudgetName=name)["Budget"]
    _asked(visit, visit.change, "UpdateBudget", NewBudget=read_budget(fields_of(visit.form), known))
    return visit.done(url("budgets", name), f"Budget {name} was changed.")


@posted("/budgets/{name:path}/refuse")
def _refuse(visit: Visit) -> Response:
    """Its tag, which counts at once."""
    name, arn = visit.path["name"], _arn(visit, visit.path["name"])
    if fields_of(visit.form).get("to") == "on":
        visit.change("budgets", "TagResource", ResourceARN=arn, ResourceTags=[{"Key": REFUSES, "Value": "true"}])
        return visit.done(
            url("budgets", name), f"While budget {name} is spent, what is new and falls under it is refused."
        )
    visit.change("budgets", "UntagResource", ResourceARN=arn, ResourceTagKeys=[REFUSES])
    return visit.done(url("budgets", name), f"Budget {name} tells, and refuses nothing.")


@posted("/budgets/{name:path}/tell")
def _tell(visit: Visit) -> Response:
    """A new notification, or one more subscriber of one that there is."""
    name, fields = visit.path["name"], fields_of(visit.form)
    notification, subscriber = _notification(fields), _subscriber(fields)
    found = _asked(visit, visit.quietly, "DescribeNotificationsForBudget", BudgetName=name)["Notifications"]
    named = {"BudgetName": name, "Notification": notification}
    if any(notification == _defining(each) for each in found):
        _asked(visit, visit.change, "CreateSubscriber", **named, Subscriber=subscriber)
    else:
        _asked(visit, visit.change, "CreateNotification", **named, Subscribers=[subscriber])
    return visit.done(url("budgets", name), f"{subscriber['Address']} is told from now on, once a period.")


@posted("/budgets/{name:path}/silence")
def _silence(visit: Visit) -> Response:
    name, fields = visit.path["name"], fields_of(visit.form)
    subscriber = {"SubscriptionType": fields.get("kind", ""), "Address": fields.get("address", "")}
    named = {"BudgetName": name, "Notification": _notification(fields)}
    _asked(visit, visit.change, "DeleteSubscriber", **named, Subscriber=subscriber)
    return visit.done(url("budgets", name), f"{subscriber['Address']} is told of this no more.")


@posted("/budgets/{name:path}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    _asked(visit, visit.change, "DeleteBudget", BudgetName=name)
    return visit.done(url("budgets"), f"Budget {name} was deleted; what was spent stays in the costs.")


@shown("/budgets/{name:path}")
def _page(visit: Visit) -> Response:
    name = visit.path["name"]
    budget = _asked(visit, visit.call, "DescribeBudget", BudgetName=name)["Budget"]
    past = _asked(visit, visit.attempt, "DescribeBudgetPerformanceHistory", BudgetName=name)
    periods = past["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"] if past else []
    return visit.page(
        "budgets/page.html",
        budget={**budget, **seen(budget)},
        name=name,
        arn=_arn(visit, name),
        periods=periods[::-1],
        filters=filter_words(budget),
        subscribers=_told(visit, name),
        refuses=_refuses(visit, name),
        comparisons=COMPARISONS,
        **_choices(visit),
        tags=tag_lines(budget),
        kind=what_of(budget),
        changes=visit.may("budgets", "UpdateBudget", AccountId=visit.principal.account, NewBudget={"BudgetName": name}),
    )


def _asked(visit: Visit, ask: Any, operation: str, /, **asked: Any) -> Any:
    """Every request names the account."""
    return ask("budgets", operation, AccountId=visit.principal.account, **asked)


def _told(visit: Visit, name: str) -> list[dict[str, Any]] | None:
    """The notifications with their subscribers; None where the key may not ask for them."""
    found = _asked(visit, visit.attempt, "DescribeNotificationsForBudget", BudgetName=name)
    if found is None:
        return None
    told = []
    for each in found["Notifications"]:
        asked = {"BudgetName": name, "Notification": _defining(each)}
        subscribers = _asked(visit, visit.attempt, "DescribeSubscribersForNotification", **asked)
        told += [
            {**each, **one, "place": arn_place(one["Address"], visit.region)[1]}
            for one in (subscribers or {"Subscribers": []})["Subscribers"]
        ]
    return told


def _notification(fields: Mapping[str, str]) -> dict[str, Any]:
    """The form's, whose threshold is a share of the limit unless a field says otherwise. Raises Fault InvalidParameterException."""
    text = fields.get("threshold", "")
    try:
        threshold = float(text)
    except ValueError:
        raise Fault("InvalidParameterException", f"Threshold: '{text[:40]}' is no number; write it as 80.") from None
    return {
        "NotificationType": fields.get("of", "ACTUAL"),
        "ComparisonOperator": fields.get("comparison", "GREATER_THAN"),
        "Threshold": threshold,
        "ThresholdType": fields.get("threshold_type", "PERCENTAGE"),
    }


def _defining(notification: Mapping[str, Any]) -> dict[str, Any]:
    """Without its state."""
    return {name: value for name, value in notification.items() if name != "NotificationState"}


def _subscriber(fields: Mapping[str, str]) -> dict[str, str]:
    """A topic by its ARN, else an e-mail address."""
    address = fields.get("tell", "")
    return {"SubscriptionType": "SNS" if address.startswith("arn:") else "EMAIL", "Address": address}


def _refuses(visit: Visit, name: str) -> bool:
    """False as well where the key may not read tags."""
    try:
        tags = visit.quietly("budgets", "ListTagsForResource", ResourceARN=_arn(visit, name))["ResourceTags"]
    except Fault:
        return False
    return {"Key": REFUSES, "Value": "true"} in tags


def _arn(visit: Visit, name: str) -> str:
    return str(Arn("budgets", "", visit.principal.account, f"budget/{name}"))


def _choices(visit: Visit) -> dict[str, Any]:
    """What the forms propose."""
    return {
        "what": WHAT,
        "units": UNITS,
        "topics": topics_of(visit),
        "letters": visit.context.settings.smtp is not None,
    }


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _change, _refuse, _tell, _silence, _delete, _page)

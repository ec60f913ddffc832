"""Subscriptions to offers of the market: what each waits for, its model, what it was used and costs, and its end."""

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from tobo.console.days import beginning, days_asked, today
from tobo.console.lists import PAGE, addresses
from tobo.console.routing import Screen, posted, shown
from tobo.console.screens.market import SERVICE, words
from tobo.console.serving import model_of_package
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

STATUSES = ("Requested", "Active", "Ended", "Failed")


@shown("/market/subscriptions")
def _list(visit: Visit) -> Response:
    asked: dict[str, Any] = {"MaxResults": PAGE}
    if visit.query.get("status") in STATUSES:
        asked["Status"] = visit.query["status"]
    if token := visit.query.get("token"):
        asked["NextToken"] = token
    found = visit.call(SERVICE, "ListSubscriptions", **asked)
    return visit.page(
        "market/subscriptions.html",
        subscriptions=found["Subscriptions"],
        asked=asked,
        statuses=STATUSES,
        next_token=found.get("NextToken"),
        at=addresses(visit, "market", "subscriptions"),
        **words(),
    )


@shown("/market/subscriptions/{id}")
def _show(visit: Visit) -> Response:
    """?from= and ?to= are the days whose use is shown."""
    name = visit.path["id"]
    subscription = visit.call(SERVICE, "DescribeSubscription", SubscriptionId=name)["Subscription"]
    first, last = days_asked(visit)
    span = {"Start": beginning(first), "End": beginning(last + timedelta(1))}
    usage, why = None, ""
    try:
        usage = visit.call(SERVICE, "GetUsage", SubscriptionId=name, **span)
    except Fault as fault:  # a key that may not ask for it, or more days than are told at once
        why = fault.message
    return visit.page(
        "market/subscription.html",
        name=name,
        subscription=subscription,
        package=_package(subscription),
        usage=usage,
        why=why,
        first=first,
        last=last,
        today=today(visit),
        **words(),
    )


@posted("/market/subscriptions/{id}/deploy")
def _deploy(visit: Visit) -> Response:
    """Its package becomes a model, once; the form that deploys a model does the rest."""
    name = visit.path["id"]
    subscription = visit.quietly(SERVICE, "DescribeSubscription", SubscriptionId=name)["Subscription"]
    model = _package(subscription)
    model_of_package(visit, subscription["ModelPackageArn"], model)
    return visit.done(url("endpoints", "create", model=model), f"The model {model} is ready to be deployed.")


@posted("/market/subscriptions/grant")
def _grant(visit: Visit) -> Response:
    """Which subscription it is for stands in the grant itself."""
    made = visit.change(SERVICE, "ImportGrant", Grant=fields_of(visit.form).get("grant", ""))
    name = made.get("SubscriptionId", "")
    return visit.done(url("market", "subscriptions", name), f"Subscription {name[:12]} is {made.get('Status')}.")


@posted("/market/subscriptions/{id}/cancel")
def _cancel(visit: Visit) -> Response:
    name = visit.path["id"]
    visit.change(SERVICE, "CancelSubscription", SubscriptionId=name)
    return visit.done(url("market", "subscriptions", name), f"Subscription {name[:12]} has ended.")


def _package(subscription: dict[str, Any]) -> str:
    """The name of its model package, which is that of its model, too."""
    return str(subscription["ModelPackageArn"].rpartition("/")[2])


SCREENS: tuple[Screen, ...] = (_list, _grant, _show, _deploy, _cancel)

"""The operations on a budget's notifications and their subscribers. Source: AWS Budgets API Reference."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import page_of
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.budgets.budget import bad_parameter, budget_of, known_budget, not_found

MOST_NOTIFICATIONS, MOST_SUBSCRIBERS = 10, 11
"""As on AWS."""

PAGE = 100

Kept = dict[str, Any]
"""{"Notification": ..., "Subscribers": [...]}"""

_DEFINING = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")


def checked(notification: Mapping[str, Any], subscribers: Sequence[Mapping[str, Any]]) -> Kept:
    """As it is kept. Raises Fault InvalidParameterException."""
    if not 0 <= notification["Threshold"] <= 1e12:
        raise bad_parameter(f"Threshold {notification['Threshold']} is not 0 or more.")
    if not 1 <= len(subscribers) <= MOST_SUBSCRIBERS:
        raise bad_parameter(f"A notification has 1 to {MOST_SUBSCRIBERS} subscribers; this one has {len(subscribers)}.")
    if sum(each["SubscriptionType"] == "SNS" for each in subscribers) > 1:
        raise bad_parameter("A notification has one SNS topic at most.")
    for each in subscribers:
        _check_subscriber(each)
    told = {member: notification[member] for member in _DEFINING if member in notification}
    return {
        "Notification": {"ThresholdType": "PERCENTAGE", **told},
        "Subscribers": [dict(each) for each in subscribers],
    }


def key_of(notification: Mapping[str, Any]) -> str:
    """What tells the notifications of a budget apart."""
    return " ".join(str(notification.get(member, "PERCENTAGE")) for member in _DEFINING)


@operation("budgets", "CreateNotification", resource=budget_of)
def create_notification(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException, DuplicateRecordException, CreationLimitExceededException, InvalidParameterException."""
    new = checked(asked["Notification"], asked["Subscribers"])

    def add(kept: list[Kept]) -> list[Kept]:
        if len(kept) == MOST_NOTIFICATIONS:
            raise Fault("CreationLimitExceededException", f"A budget has {MOST_NOTIFICATIONS} notifications at most.")
        if any(key_of(each["Notification"]) == key_of(new["Notification"]) for each in kept):
            raise Fault("DuplicateRecordException", "The budget has this notification already.")
        return [*kept, new]

    return _change(call, asked, add)


@operation("budgets", "UpdateNotification", resource=budget_of)
def update_notification(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException, InvalidParameterException."""

    def change(kept: Kept) -> Kept:
        return checked(asked["NewNotification"], kept["Subscribers"])

    return _change(call, asked, lambda all: _changed(all, asked["OldNotification"], change))


@operation("budgets", "DeleteNotification", resource=budget_of)
def delete_notification(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException."""
    return _change(call, asked, lambda all: _changed(all, asked["Notification"], lambda kept: None))


@operation("budgets", "DescribeNotificationsForBudget", resource=budget_of)
def describe_notifications_for_budget(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With their state in this period. Raises Fault NotFoundException, InvalidNextTokenException."""
    row = known_budget(call, asked)
    told = [
        {
            **each["Notification"],
            "NotificationState": "ALARM" if key_of(each["Notification"]) in row.found["_told"] else "OK",
        }
        for each in row.asked["Notifications"]
    ]
    return _page(asked, "Notifications", told)


@operation("budgets", "CreateSubscriber", resource=budget_of)
def create_subscriber(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException, DuplicateRecordException, InvalidParameterException."""

    def add(kept: Kept) -> Kept:
        if asked["Subscriber"] in kept["Subscribers"]:
            raise Fault("DuplicateRecordException", f"{asked['Subscriber']['Address']} is subscribed already.")
        return checked(kept["Notification"], [*kept["Subscribers"], asked["Subscriber"]])

    return _change(call, asked, lambda all: _changed(all, asked["Notification"], add))


@operation("budgets", "UpdateSubscriber", resource=budget_of)
def update_subscriber(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException, InvalidParameterException."""

    def change(kept: Kept) -> Kept:
        others = _without(kept, asked["OldSubscriber"])
        return checked(kept["Notification"], [*others, asked["NewSubscriber"]])

    return _change(call, asked, lambda all: _changed(all, asked["Notification"], change))


@operation("budgets", "DeleteSubscriber", resource=budget_of)
def delete_subscriber(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The last one takes the notification with it, as on AWS. Raises Fault NotFoundException."""

    def remove(kept: Kept) -> Kept | None:
        others = _without(kept, asked["Subscriber"])
        return {**kept, "Subscribers": others} if others else None

    return _change(call, asked, lambda all: _changed(all, asked["Notification"], remove))


@operation("budgets", "DescribeSubscribersForNotification", resource=budget_of)
def describe_subscribers_for_notification(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFoundException, InvalidNextTokenException."""
    for each in known_budget(call, asked).asked["Notifications"]:
        if key_of(each["Notification"]) == key_of(asked["Notification"]):
            return _page(asked, "Subscribers", each["Subscribers"])
    raise _no_notification()


def _page(asked: Mapping[str, Any], member: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    try:
        page, more = page_of(items, f"budget-{member}", asked, PAGE)
    except Fault as fault:
        raise Fault("InvalidNextTokenException", fault.message) from None
    return {member: list(page), **more}


def _change(call: Call, asked: Mapping[str, Any], change: Callable[[list[Kept]], list[Kept]]) -> dict[str, Any]:
    row = change_row(
        call,
        lambda: known_budget(call, asked),
        "changed",
        lambda row: {"asked": {**row.asked, "Notifications": change(row.asked["Notifications"])}, "due": call.now},
    )
    call.context.wake(row)
    return {}


def _changed(all: list[Kept], which: Mapping[str, Any], change: Callable[[Kept], Kept | None]) -> list[Kept]:
    if not any(key_of(each["Notification"]) == key_of(which) for each in all):
        raise _no_notification()
    changed = [change(each) if key_of(each["Notification"]) == key_of(which) else each for each in all]
    return [each for each in changed if each is not None]


def _without(kept: Kept, subscriber: Mapping[str, Any]) -> list[Any]:
    if subscriber not in kept["Subscribers"]:
        raise not_found(f"{subscriber['Address'][:80]} is not subscribed to this notification.")
    return [each for each in kept["Subscribers"] if each != subscriber]


def _no_notification() -> Fault:
    return not_found("The budget has no such notification; DescribeNotificationsForBudget lists what it has.")


def _check_subscriber(subscriber: Mapping[str, Any]) -> None:
    kind, address = subscriber["SubscriptionType"], subscriber["Address"]
    if kind == "SNS" and not address.startswith("arn:aws:sns:"):
        raise bad_parameter(f"'{address[:80]}' is no topic's ARN.")
    if kind == "EMAIL" and ("@" not in address or any(letter in address for letter in " \r\n,;<>")):
        raise bad_parameter(f"'{address[:80]}' is no e-mail address.")

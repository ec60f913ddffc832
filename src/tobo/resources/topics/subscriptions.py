"""The operations on subscriptions. Source: Amazon SNS API Reference, Subscribe and its siblings.

Beside SNS's protocols there is one of tobo's own, `apprise`: the endpoint is an address of that library (slack://..., ntfy://...,
tgram://...; a hundred services), which whoever may subscribe has from its owner, so it needs no confirmation.
"""

import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row
from tobo.resources.topics.api import PAGE, subscriptions_of
from tobo.resources.topics.filters import read_policy
from tobo.resources.topics.publishing import ask_to_confirm
from tobo.resources.topics.topic import SUBSCRIPTION, bad_parameter, known_subscription, known_topic, topic_arn
from tobo.store.base import Conflict, Row

PROTOCOLS = ("http", "https", "email", "email-json", "apprise")

_ATTRIBUTES = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "DeliveryPolicy", "RedrivePolicy")

PENDING = "PendingConfirmation"


def _topic(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["TopicArn"]
    return arn


def _subscription(call: Call, asked: Mapping[str, Any]) -> str:
    """A policy speaks of the topic."""
    arn: str = asked["SubscriptionArn"]
    return arn.rpartition(":")[0]


@operation("sns", "Subscribe", resource=_topic)
def subscribe(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint that is subscribed already keeps its subscription. Raises Fault NotFound, InvalidParameter."""
    topic, protocol, endpoint = known_topic(call, asked["TopicArn"]), asked["Protocol"], asked.get("Endpoint", "")
    _check_endpoint(call, protocol, endpoint)
    attributes = asked.get("Attributes", {})
    for name, value in attributes.items():
        _check_attribute(name, value)
    known = next((row for row in subscriptions_of(call, topic.arn) if _same(row, protocol, endpoint)), None)
    if known is None:
        name = f"{topic.key.name}:{uuid.uuid4()}"
        needs_none = protocol == "apprise"
        row = add_row(
            call,
            SUBSCRIPTION,
            name,
            {"TopicArn": topic.arn, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes},
            lambda arn: bad_parameter(f"'{arn}' exists."),
            state="Confirmed" if needs_none else "Pending",
            found={"_token": secrets.token_hex(32)},
            arn=topic_arn(call.space, name),
        )
    else:
        row = known
    if row.state == "Pending":
        ask_to_confirm(call, topic, row)
    shown = row.arn if asked.get("ReturnSubscriptionArn") or row.state == "Confirmed" else "pending confirmation"
    return {"SubscriptionArn": shown}


@operation("sns", "ConfirmSubscription", resource=_topic)
def confirm_subscription(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By the token that its endpoint was sent. Raises Fault NotFound, InvalidParameter for a token of nobody's."""
    topic = known_topic(call, asked["TopicArn"])
    for row in subscriptions_of(call, topic.arn):
        if hmac.compare_digest(row.found["_token"].encode(), asked["Token"].encode()):
            change_row(
                call,
                lambda arn=row.arn: known_subscription(call, arn),  # type: ignore[misc]
                "confirmed",
                lambda row: {"state": "Confirmed", "status": "Confirmed"},
            )
            return {"SubscriptionArn": row.arn}
    raise bad_parameter("Token is none that was sent for this topic; take the newest message's.")


@operation("sns", "Unsubscribe", resource=_subscription)
def unsubscribe(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One that does not exist is no error."""
    while True:
        try:
            call.context.store.delete(known_subscription(call, asked["SubscriptionArn"]))
        except Conflict:
            continue
        except Fault as fault:
            if fault.code != "NotFound":
                raise
        return {}


@operation("sns", "ListSubscriptions", resource=lambda call, asked: topic_arn(call.space, "*"))
def list_subscriptions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their creation, 100 a page."""
    return _listed(call, asked, {})


@operation("sns", "ListSubscriptionsByTopic", resource=_topic)
def list_subscriptions_by_topic(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFound."""
    return _listed(call, asked, {"TopicArn": known_topic(call, asked["TopicArn"]).arn})


@operation("sns", "GetSubscriptionAttributes", resource=_subscription)
def get_subscription_attributes(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFound."""
    row = known_subscription(call, asked["SubscriptionArn"])
    pending = row.state == "Pending"
    told = {
        "SubscriptionArn": row.arn,
        "TopicArn": row.asked["TopicArn"],
        "Protocol": row.asked["Protocol"],
        "Endpoint": row.asked["Endpoint"],
        "Owner": call.space.account,
        "PendingConfirmation": str(pending).lower(),
        "ConfirmationWasAuthenticated": "false",
        "RawMessageDelivery": "false",
    }
    return {"Attributes": {**told, **row.asked["Attributes"]}}


@operation("sns", "SetSubscriptionAttributes", resource=_subscription)
def set_subscription_attributes(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An empty FilterPolicy takes it away. Raises Fault NotFound, InvalidParameter."""
    name, value = asked["AttributeName"], asked.get("AttributeValue", "")
    if value:
        _check_attribute(name, value)

    def set_in(row: Row) -> dict[str, Any]:
        kept = {other: text for other, text in row.asked["Attributes"].items() if other != name}
        return {"asked": {**row.asked, "Attributes": {**kept, **({name: value} if value else {})}}}

    change_row(call, lambda: known_subscription(call, asked["SubscriptionArn"]), "changed", set_in)
    return {}


def _listed(call: Call, asked: Mapping[str, Any], where: Mapping[str, str | None]) -> dict[str, Any]:
    def summary(row: Row) -> dict[str, Any]:
        return {
            "SubscriptionArn": PENDING if row.state == "Pending" else row.arn,
            "Owner": row.key.space.account,
            **{member: row.asked[member] for member in ("Protocol", "Endpoint", "TopicArn")},
        }

    return list_rows(
        call, SUBSCRIPTION, asked, "Subscriptions", summary, where, default_limit=PAGE, default_descending=False
    )


def _same(row: Row, protocol: str, endpoint: str) -> bool:
    return bool(row.asked["Protocol"] == protocol and row.asked["Endpoint"] == endpoint)


def _check_endpoint(call: Call, protocol: str, endpoint: str) -> None:
    if protocol not in PROTOCOLS:
        raise bad_parameter(f"Protocol '{protocol[:40]}' is not built in tobo; take one of {', '.join(PROTOCOLS)}.")
    check = _ENDPOINTS[protocol]
    if (why := check(endpoint)) is not None:
        raise bad_parameter(f"Endpoint '{endpoint[:60]}' {why}")
    if protocol.startswith("email") and call.context.settings.smtp is None:
        raise bad_parameter(
            "E-mail cannot be sent: the server has no TOBO_SMTP; docs/notifications.md says what it looks like."
        )


def _web(scheme: str) -> Callable[[str], str | None]:
    def check(endpoint: str) -> str | None:
        parts = urlsplit(endpoint)
        return None if parts.scheme == scheme and parts.hostname else f"is no address that begins with {scheme}://."

    return check


def _mail(endpoint: str) -> str | None:
    name, at, host = endpoint.partition("@")
    good = name and at and host and not any(letter in endpoint for letter in " \r\n,;<>")
    return None if good else "is no e-mail address, such as line@example.org."


def _apprise(endpoint: str) -> str | None:
    try:
        from apprise import Apprise
    except ImportError:
        return "needs the package apprise: pip install 'tobo[alerts]'."
    if Apprise.instantiate(endpoint) is None:
        return "is no address that apprise knows, such as ntfy://topic or slack://tokens."
    return None


_ENDPOINTS: Mapping[str, Callable[[str], str | None]] = {
    "http": _web("http"),
    "https": _web("https"),
    "email": _mail,
    "email-json": _mail,
    "apprise": _apprise,
}


def _check_attribute(name: str, value: str) -> None:
    if name not in _ATTRIBUTES:
        raise bad_parameter(
            f"Attribute '{name[:60]}' is not known of a subscription; these are: {', '.join(_ATTRIBUTES)}."
        )
    if name == "FilterPolicy":
        read_policy(value)
    if name == "FilterPolicyScope" and value != "MessageAttributes":
        raise bad_parameter(
            f"FilterPolicyScope '{value[:40]}' is not built; messages are filtered by MessageAttributes."
        )
    if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
        raise bad_parameter(f"RawMessageDelivery '{value[:40]}' is neither true nor false.")
    if name in ("DeliveryPolicy", "RedrivePolicy"):
        try:
            json.loads(value)
        except ValueError:
            raise bad_parameter(f"{name} is no JSON: {value[:60]}") from None

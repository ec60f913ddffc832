"""Sending one message by its protocol; each function raises OSError, or what its library raises, where it did not arrive.

Source of the HTTP form and of its headers: Amazon SNS Developer Guide, "Parsing Amazon SNS message formats". The members that prove a
message to be AWS's (Signature, SigningCertURL) are left out: it is not.
"""

import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from tobo.operations.letters import send_letter
from tobo.settings import Settings

SECONDS = 5.0
"""For the other side to answer."""

SUBJECT = "AWS Notification Message"
"""SNS's own, where there is none."""

Delivery = Mapping[str, Any]
"""A delivery row's `asked`."""


class NotSent(Exception):
    """It did not arrive; the text says why."""


def send(settings: Settings, delivery: Delivery) -> None:
    """Raises NotSent."""
    try:
        _SENDERS[delivery["Protocol"]](settings, delivery)
    except NotSent:
        raise
    except Exception as error:  # libraries raise what they like
        raise NotSent(f"{type(error).__name__}: {error}") from error


def envelope(delivery: Delivery) -> dict[str, Any]:
    """The JSON document that SNS posts."""
    told = dict(delivery["Told"])
    at = datetime.fromtimestamp(told.pop("At"), UTC)
    attributes = {
        name: {"Type": each["DataType"], "Value": each.get("StringValue", "")}
        for name, each in told.pop("MessageAttributes", {}).items()
    }
    return {
        **told,
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def _post(settings: Settings, delivery: Delivery) -> None:
    told = delivery["Told"]
    raw = delivery["Raw"] and told["Type"] == "Notification"
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent (tobo)",
        "x-amz-sns-message-type": told["Type"],
        "x-amz-sns-message-id": told["MessageId"],
        "x-amz-sns-topic-arn": told["TopicArn"],
        "x-amz-sns-subscription-arn": delivery["SubscriptionArn"],
        **({"x-amz-sns-rawdelivery": "true"} if raw else {}),
    }
    body = told["Message"].encode() if raw else orjson.dumps(envelope(delivery))
    request = urllib.request.Request(delivery["Endpoint"], body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=SECONDS):
        pass


def _mail(settings: Settings, delivery: Delivery) -> None:
    told = delivery["Told"]
    confirms = told["Type"] == "SubscriptionConfirmation"
    subject = "AWS Notification - Subscription Confirmation" if confirms else told.get("Subject", SUBJECT)
    if delivery["Protocol"] == "email-json":
        text = orjson.dumps(envelope(delivery), option=orjson.OPT_INDENT_2).decode()
    elif confirms:
        text = f"{told['Message']}\n\nSubscribeURL: {told['SubscribeURL']}\n"
    else:
        text = f"{told['Message']}\n\n-- \nTo stop: {told['UnsubscribeURL']}\n"
    send_letter(settings, delivery["Endpoint"], subject, text, delivery["From"])


def _apprise(settings: Settings, delivery: Delivery) -> None:
    from apprise import Apprise  # an extra, and half a second

    notifier, told = Apprise(), delivery["Told"]
    if not notifier.add(delivery["Endpoint"]) or not notifier.notify(
        body=told["Message"], title=told.get("Subject", "")
    ):
        raise NotSent("apprise did not reach it; the server's log says more")


_SENDERS: Mapping[str, Callable[[Settings, Delivery], None]] = {
    "http": _post,
    "https": _post,
    "email": _mail,
    "email-json": _mail,
    "apprise": _apprise,
}

"""Sending one message by its protocol; each function raises OSError, or what its library raises, where it did not arrive.

Source of the HTTP form and of its headers: Amazon SNS Developer Guide, "Parsing Amazon SNS message formats". The members that prove a
message to be AWS's (Signature, SigningCertURL) are left out: it is not.
"""

import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

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
    """By the server of TOBO_SMTP: smtp[s]://[user:password@]host[:port][?from=address]; smtp goes on in TLS where that is offered."""
    if settings.smtp is None:
        raise NotSent("the server has no TOBO_SMTP")
    at = urlsplit(settings.smtp)
    host, secure = at.hostname or "localhost", at.scheme == "smtps"
    sender = parse_qs(at.query).get("from", [f"tobo@{host}"])[0]
    message = _letter(delivery, sender)
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with kind(host, at.port or (465 if secure else 25), timeout=SECONDS) as server:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if at.username:
            server.login(unquote(at.username), unquote(at.password or ""))
        server.send_message(message, sender, [delivery["Endpoint"]])


def _letter(delivery: Delivery, sender: str) -> EmailMessage:
    told, letter = delivery["Told"], EmailMessage()
    confirms = told["Type"] == "SubscriptionConfirmation"
    letter["Subject"] = "AWS Notification - Subscription Confirmation" if confirms else told.get("Subject", SUBJECT)
    letter["From"] = formataddr((delivery["From"] or "tobo notifications", sender))
    letter["To"], letter["Date"], letter["Message-ID"] = delivery["Endpoint"], formatdate(told["At"]), make_msgid()
    if delivery["Protocol"] == "email-json":
        letter.set_content(orjson.dumps(envelope(delivery), option=orjson.OPT_INDENT_2).decode())
    elif confirms:
        letter.set_content(f"{told['Message']}\n\nSubscribeURL: {told['SubscribeURL']}\n")
    else:
        letter.set_content(f"{told['Message']}\n\n-- \nTo stop: {told['UnsubscribeURL']}\n")
    return letter


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

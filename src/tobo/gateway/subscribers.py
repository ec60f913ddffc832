"""Who was sent a topic's token confirms or ends its subscription with it, unsigned, as SNS's own links do."""

import html
from urllib.parse import parse_qs

from tobo.gateway.authentication import Head
from tobo.kit.arn import Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.resources.topics.publishing import CONFIRM
from tobo.wire.response import Response

_PAGE = "<!doctype html><meta charset=utf-8><title>tobo</title><p>{}</p>"


def asks_about_subscription(head: Head) -> bool:
    return head.path == CONFIRM and head.method in ("GET", "POST")


def answer_subscriber(context: Context, method: str, query: str) -> Response:
    """Confirms at once; ends a subscription by a button, since programs follow the links of letters. Blocks."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    action, topic, token = (asked.get(name, "") for name in ("Action", "TopicArn", "Token"))
    try:
        arn = parse_arn(topic)
        space = Namespace(arn.account, arn.region)
        if action == "Unsubscribe" and method == "GET":
            words = f"Messages of {topic} will no longer be sent to you."
            return _page(200, f'{html.escape(words)}</p><form method="post"><button>Unsubscribe</button></form><p>')
        if action not in ("ConfirmSubscription", "Unsubscribe"):
            return _page(400, "The link is not whole; copy all of it.")
        # The token is the proof for either: whoever confirms is told the ARN that ends it.
        confirmed = context.as_house(space, "sns", "ConfirmSubscription", TopicArn=topic, Token=token)
        if action == "Unsubscribe":
            context.as_house(space, "sns", "Unsubscribe", SubscriptionArn=confirmed["SubscriptionArn"])
            return _page(200, html.escape(f"You are no longer subscribed to {topic}."))
        return _page(200, html.escape(f"You are subscribed to {topic}: {confirmed['SubscriptionArn']}"))
    except Fault as fault:
        return _page(fault.status, html.escape(fault.message))


def _page(status: int, inside: str) -> Response:
    body = _PAGE.format(inside).encode()
    headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-length", str(len(body))),
        ("content-security-policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ]
    return Response(status, headers, body)

"""A topic's and a subscription's rows, and the refusals about them."""

import re

from tobo.kit.arn import Arn, Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.store.base import Key, Row

TOPIC, SUBSCRIPTION, DELIVERY = "topic", "subscription", "sns-delivery"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")


def topic_arn(space: Namespace, name: str) -> str:
    return str(Arn("sns", space.region, space.account, name))


def check_name(name: str) -> None:
    """Raises Fault InvalidParameter."""
    if _NAME.fullmatch(name) is None:
        raise bad_parameter(
            f"Topic name '{name[:60]}': 1 to 256 letters, digits, '_' and '-'; '.fifo' topics are not built."
        )


def known_topic(call: Call, arn: str) -> Row:
    """Raises Fault NotFound."""
    row = call.context.store.find_arn(arn)
    if row is None or row.key.kind != TOPIC or row.key.space != call.space:
        raise Fault("NotFound", f"Topic '{arn}' does not exist here; CreateTopic makes it.", 404)
    return row


def known_subscription(call: Call, arn: str) -> Row:
    """Raises Fault NotFound, InvalidParameter for what is no subscription's ARN."""
    row = call.context.store.get(Key(call.space, SUBSCRIPTION, parse_arn(arn).resource))
    if row is None or row.arn != arn:
        raise Fault("NotFound", f"Subscription '{arn}' does not exist here.", 404)
    return row


def bad_parameter(message: str) -> Fault:
    return Fault("InvalidParameter", f"Invalid parameter: {message}")

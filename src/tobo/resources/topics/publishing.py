"""Publish, PublishBatch, and what becomes of a message: a delivery for each subscription that wants it. Source: SNS API Reference."""

import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context
from tobo.operations.registry import operation
from tobo.resources.topics.api import subscriptions_of
from tobo.resources.topics.filters import read_policy, wants
from tobo.resources.topics.topic import DELIVERY, bad_parameter, known_topic
from tobo.store.base import AlreadyExists, Event, Key, Row

MOST_BYTES = 256 << 10
MOST_SUBJECT = 100
MOST_ENTRIES = 10

CONFIRM = "/_tobo/sns"
"""Where a browser confirms or ends a subscription with its token, without a signature, as at SNS."""

_NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


def _topic(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked.get("TopicArn") or asked.get("TargetArn") or "*"
    return arn


@operation("sns", "Publish", resource=_topic)
def publish(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """To a topic; phones and single endpoints are not built.

    With a MessageDeduplicationId the same message goes out once, however often it is published. Raises Fault NotFound,
    InvalidParameter.
    """
    arn = asked.get("TopicArn") or asked.get("TargetArn")
    if not arn:
        raise bad_parameter("Publish has neither TopicArn nor TargetArn; messages go to topics here.")
    topic = known_topic(call, arn)
    return {"MessageId": _published(call, topic, asked)}


@operation("sns", "PublishBatch", resource=_topic)
def publish_batch(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Up to ten; each entry succeeds or fails by itself. Raises Fault NotFound, TooManyEntriesInBatchRequest and siblings."""
    topic, entries = known_topic(call, asked["TopicArn"]), asked["PublishBatchRequestEntries"]
    names = [entry["Id"] for entry in entries]
    if not entries:
        raise Fault("EmptyBatchRequest", "The batch has no entry; send one to ten.")
    if len(entries) > MOST_ENTRIES:
        raise Fault("TooManyEntriesInBatchRequest", f"The batch has {len(entries)} entries; send ten at most.")
    if len(set(names)) < len(names):
        raise Fault("BatchEntryIdsNotDistinct", "Two entries of the batch have the same Id; give each its own.")
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], "MessageId": _published(call, topic, entry)})
        except Fault as fault:
            failed.append({"Id": entry["Id"], "Code": fault.code, "Message": fault.message, "SenderFault": True})
    return {"Successful": done, "Failed": failed}


def ask_to_confirm(call: Call, topic: Row, subscription: Row) -> None:
    """Sends an endpoint the token with which it says that it wants the topic's messages."""
    told = {
        "Type": "SubscriptionConfirmation",
        "Message": f"You have chosen to subscribe to the topic {topic.arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        "Token": subscription.found["_token"],
        "SubscribeURL": link(call.context, "ConfirmSubscription", topic.arn, subscription),
    }
    _send(call, topic, subscription, str(uuid.uuid4()), told)


def link(context: Context, action: str, topic: str, subscription: Row) -> str:
    """The address at which the endpoint of a subscription confirms or ends it."""
    settings = context.settings
    query = urlencode({"Action": action, "TopicArn": topic, "Token": subscription.found["_token"]})
    return f"http://{settings.reached(settings.port)}{CONFIRM}?{query}"


def _published(call: Call, topic: Row, asked: Mapping[str, Any]) -> str:
    message, subject = asked["Message"], asked.get("Subject")
    if not message or len(message.encode()) > MOST_BYTES:
        raise bad_parameter(f"Message has {len(message.encode())} bytes; send 1 to {MOST_BYTES}.")
    if subject is not None and (not subject or len(subject) > MOST_SUBJECT or not subject.isprintable()):
        raise bad_parameter(
            f"Subject has 1 to {MOST_SUBJECT} printable characters in one line; it is '{subject[:60]}'."
        )
    by_protocol = _structured(message) if asked.get("MessageStructure") == "json" else {}
    attributes = {
        name: {member: value for member, value in told.items() if isinstance(value, str)}
        for name, told in asked.get("MessageAttributes", {}).items()
    }
    once = asked.get("MessageDeduplicationId")
    identity = str(uuid.uuid5(_NAMESPACE, f"{topic.arn} {once}") if once else uuid.uuid4())
    for subscription in subscriptions_of(call, topic.arn):
        policy = subscription.asked["Attributes"].get("FilterPolicy")
        if subscription.state == "Pending" or (policy and not wants(read_policy(policy), attributes)):
            continue
        said = by_protocol.get(subscription.asked["Protocol"], by_protocol.get("default", message))
        told: dict[str, Any] = {"Type": "Notification", "Message": said, "MessageAttributes": attributes}
        if subject is not None:
            told["Subject"] = subject
        told["UnsubscribeURL"] = link(call.context, "Unsubscribe", topic.arn, subscription)
        _send(call, topic, subscription, identity, told)
    return identity


def _structured(message: str) -> dict[str, str]:
    try:
        found = json.loads(message)
    except ValueError:
        raise bad_parameter("Message Structure - JSON message body failed to parse.") from None
    if not isinstance(found, dict) or not isinstance(found.get("default"), str):
        raise bad_parameter("Message Structure - No default entry in JSON message body.")
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _send(call: Call, topic: Row, subscription: Row, identity: str, told: Mapping[str, Any]) -> None:
    """Writes a delivery down; the controller makes it. One of the same message and subscription is there already: nothing."""
    now = call.now
    name = topic.asked["Attributes"].get("DisplayName", "")
    row = Row(
        key=Key(call.space, DELIVERY, f"{identity}/{subscription.key.name}"),
        arn="",
        asked={
            "Protocol": subscription.asked["Protocol"],
            "Endpoint": subscription.asked["Endpoint"],
            "Raw": subscription.asked["Attributes"].get("RawMessageDelivery", "").lower() == "true",
            "From": name,
            "SubscriptionArn": subscription.arn,
            "Told": {"MessageId": identity, "TopicArn": topic.arn, "At": now, **told},
        },
        found={"_tries": 0},
        status="",
        state="Sending",
        created=now,
        modified=now,
        due=now,
        todo=("deliver",),
    )
    try:
        row = call.context.store.insert(row, Event(now, "published", "Sending"))
    except AlreadyExists:
        return
    call.context.wake(row)

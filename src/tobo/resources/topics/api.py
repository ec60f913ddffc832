"""The operations on topics. Source: Amazon SNS API Reference, CreateTopic and its siblings."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, rows_of
from tobo.resources.topics.topic import SUBSCRIPTION, TOPIC, bad_parameter, check_name, known_topic, topic_arn
from tobo.store.base import Conflict, Key, Query, Row

PAGE = 100

_ATTRIBUTES = ("DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "TracingConfig", "SignatureVersion")
"""Kept and given back; of these the DisplayName alone changes anything here: who an e-mail is from."""


def _topic(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked["TopicArn"]
    return arn


@operation("sns", "CreateTopic", resource=lambda call, asked: topic_arn(call.space, asked["Name"]))
def create_topic(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The ARN, of one that exists, too. Raises Fault InvalidParameter."""
    name, attributes = asked["Name"], asked.get("Attributes", {})
    check_name(name)
    for attribute in attributes:
        _check_attribute(attribute, attributes[attribute])
    if call.context.store.get(Key(call.space, TOPIC, name)) is None:
        arn = topic_arn(call.space, name)
        with suppress(_Taken):  # somebody was quicker, which is as good
            add_row(call, TOPIC, name, {**asked, "Attributes": attributes}, _Taken, state="Active", arn=arn)
    return {"TopicArn": topic_arn(call.space, name)}


@operation("sns", "DeleteTopic", resource=_topic)
def delete_topic(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With its subscriptions; one that does not exist is no error. Messages that are on their way arrive."""
    for subscription in subscriptions_of(call, asked["TopicArn"]):
        _delete(call, subscription)
    topic = call.context.store.find_arn(asked["TopicArn"])
    if topic is not None and topic.key.kind == TOPIC and topic.key.space == call.space:
        _delete(call, topic)
    return {}


@operation("sns", "ListTopics", resource=lambda call, asked: topic_arn(call.space, "*"))
def list_topics(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their creation, 100 a page."""
    return list_rows(
        call, TOPIC, asked, "Topics", lambda row: {"TopicArn": row.arn}, default_limit=PAGE, default_descending=False
    )


@operation("sns", "GetTopicAttributes", resource=_topic)
def get_topic_attributes(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFound."""
    row = known_topic(call, asked["TopicArn"])
    counts = {
        name: call.context.store.count(Query(call.space, SUBSCRIPTION, where={"TopicArn": row.arn}, status=status))
        for name, status in (("SubscriptionsConfirmed", "Confirmed"), ("SubscriptionsPending", "Pending"))
    }
    told = {
        "TopicArn": row.arn,
        "Owner": call.space.account,
        "DisplayName": "",
        "Policy": _policy(row),
        "EffectiveDeliveryPolicy": "{}",
        "SubscriptionsDeleted": "0",
        **{name: str(count) for name, count in counts.items()},
    }
    return {"Attributes": {**told, **row.asked["Attributes"]}}


@operation("sns", "SetTopicAttributes", resource=_topic)
def set_topic_attributes(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault NotFound, InvalidParameter."""
    name, value = asked["AttributeName"], asked.get("AttributeValue", "")
    _check_attribute(name, value)

    def set_in(row: Row) -> dict[str, Any]:
        return {"asked": {**row.asked, "Attributes": {**row.asked["Attributes"], name: value}}}

    change_row(call, lambda: known_topic(call, asked["TopicArn"]), "changed", set_in)
    return {}


def subscriptions_of(call: Call, topic: str) -> list[Row]:
    """Their names begin with the topic's, and a colon."""
    return list(rows_of(call.context.store, call.space, SUBSCRIPTION, f"{parse_arn(topic).resource}:"))


class _Taken(Fault):
    def __init__(self, arn: str) -> None:
        super().__init__("InvalidParameter", f"Topic '{arn}' already exists.")


def _delete(call: Call, row: Row) -> None:
    while (fresh := call.context.store.get(row.key)) is not None:
        with suppress(Conflict):
            call.context.store.delete(fresh)


def _check_attribute(name: str, value: str) -> None:
    if name == "FifoTopic" and value.lower() == "false":
        return
    if name not in _ATTRIBUTES:
        raise bad_parameter(
            f"Attribute '{name[:60]}' is not known of a topic here; these are: {', '.join(_ATTRIBUTES)}."
        )


def _policy(row: Row) -> str:
    """What AWS gives a new topic: its owner may do everything."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
        "Resource": row.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": row.key.space.account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})

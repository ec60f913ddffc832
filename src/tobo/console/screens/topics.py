"""Topics: who is subscribed, whether they have confirmed it, who publishes, and a message to try it out."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tobo.console.lists import addresses
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.arn import Arn, parse_arn
from tobo.kit.fault import Fault

PROTOCOLS = {
    "https": "A webhook (https)",
    "http": "A webhook (http)",
    "email": "E-mail",
    "email-json": "E-mail, as JSON",
    "apprise": "A chat or phone (apprise)",
}

PENDING = "PendingConfirmation"
"""What ListSubscriptionsByTopic has in the place of the ARN of one that nobody has confirmed."""


@shown("/topics")
def _list(visit: Visit) -> Response:
    token = visit.query.get("token")
    found = visit.call("sns", "ListTopics", **({"NextToken": token} if token else {}))
    topics = [
        {"name": parse_arn(one["TopicArn"]).resource, **_attributes(visit, one["TopicArn"])} for one in found["Topics"]
    ]
    return visit.page(
        "topics/list.html",
        topics=topics,
        every=_arn(visit, "*"),
        next_token=found.get("NextToken"),
        at=addresses(visit, "topics"),
    )


@posted("/topics/create")
def _create(visit: Visit) -> Response:
    """CreateTopic gives an existing one back, which is not what somebody means who makes a new one."""
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    if name and _attributes(visit, _arn(visit, name)):
        raise Fault("InvalidParameter", f"Name: there is a topic '{name}' already; take another name.")
    attributes = {"Attributes": {"DisplayName": fields["display"]}} if "display" in fields else {}
    visit.change("sns", "CreateTopic", Name=name, **attributes)
    return visit.done(url("topics", name), f"Topic {name} was created; nobody is subscribed yet.")


@shown("/topics/{name}")
def _page(visit: Visit) -> Response:
    name, arn, token = visit.path["name"], _arn(visit, visit.path["name"]), visit.query.get("token")
    attributes = visit.call("sns", "GetTopicAttributes", TopicArn=arn)["Attributes"]
    asked = {"TopicArn": arn, **({"NextToken": token} if token else {})}
    found = visit.call("sns", "ListSubscriptionsByTopic", **asked)
    return visit.page(
        "topics/page.html",
        name=name,
        arn=arn,
        topic=attributes,
        subscriptions=[_subscription(visit, one) for one in found["Subscriptions"]],
        publishers=_publishers(visit, arn),
        protocols=PROTOCOLS,
        next_token=found.get("NextToken"),
        at=addresses(visit, "topics", name),
    )


@posted("/topics/{name}/subscribe")
def _subscribe(visit: Visit) -> Response:
    """Asks one that has not confirmed yet once more, too."""
    name, fields = visit.path["name"], fields_of(visit.form)
    attributes = {"FilterPolicy": fields["filter"]} if "filter" in fields else {}
    if "raw" in fields:
        attributes["RawMessageDelivery"] = "true"
    made = visit.change(
        "sns",
        "Subscribe",
        TopicArn=_arn(visit, name),
        Protocol=fields.get("protocol", ""),
        Endpoint=fields.get("endpoint", ""),
        **({"Attributes": attributes} if attributes else {}),
    )
    waits = made.get("SubscriptionArn") == "pending confirmation"
    then = (
        "It is asked whether it wants that, and told nothing until it has said yes." if waits else "It is subscribed."
    )
    return visit.done(url("topics", name), then)


@posted("/topics/{name}/unsubscribe")
def _unsubscribe(visit: Visit) -> Response:
    visit.change("sns", "Unsubscribe", SubscriptionArn=fields_of(visit.form).get("subscription", ""))
    return visit.done(url("topics", visit.path["name"]), "It is told nothing any more.")


@posted("/topics/{name}/publish")
def _publish(visit: Visit) -> Response:
    name, fields = visit.path["name"], fields_of(visit.form)
    subject = {"Subject": fields["subject"]} if "subject" in fields else {}
    visit.change("sns", "Publish", TopicArn=_arn(visit, name), Message=fields.get("message", ""), **subject)
    return visit.done(
        url("topics", name),
        "The message is on its way to whoever has confirmed; what does not arrive is tried for an hour.",
    )


@posted("/topics/{name}/rename")
def _rename(visit: Visit) -> Response:
    name, display = visit.path["name"], fields_of(visit.form).get("display", "")
    visit.change(
        "sns", "SetTopicAttributes", TopicArn=_arn(visit, name), AttributeName="DisplayName", AttributeValue=display
    )
    return visit.done(url("topics", name), f"E-mails of topic {name} are from {display or 'AWS Notifications'}.")


@posted("/topics/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sns", "DeleteTopic", TopicArn=_arn(visit, name))
    return visit.done(url("topics"), f"Topic {name} was deleted with its subscriptions.")


def _attributes(visit: Visit, arn: str) -> dict[str, Any]:
    """{} where there is no such topic, or the key may not look at it."""
    try:
        return dict(visit.quietly("sns", "GetTopicAttributes", TopicArn=arn)["Attributes"])
    except Fault:
        return {}


def _subscription(visit: Visit, listed: Mapping[str, str]) -> dict[str, Any]:
    """With its filter; an apprise address is a secret, of which the service alone is shown."""
    protocol, endpoint, arn = listed["Protocol"], listed["Endpoint"], listed["SubscriptionArn"]
    shown = f"{endpoint.partition('://')[0]}://…" if protocol == "apprise" else endpoint
    found: dict[str, Any] = {
        "protocol": protocol,
        "endpoint": endpoint,
        "shown": shown,
        "arn": arn,
        "pending": arn == PENDING,
    }
    if arn == PENDING:
        return found
    try:
        attributes = visit.quietly("sns", "GetSubscriptionAttributes", SubscriptionArn=arn)["Attributes"]
    except Fault:
        return found
    return {
        **found,
        "filter": attributes.get("FilterPolicy", ""),
        "raw": attributes.get("RawMessageDelivery") == "true",
    }


def _publishers(visit: Visit, arn: str) -> list[tuple[str, str, str]]:
    """Kind, name and page of what tells this topic, as far as the key may look it up."""
    found = []
    for kind, path, names in (
        ("alarm", "alarms", _alarms),
        ("event rule", "event-rules", _event_rules),
        ("reaper rule", "reaper", _reaper_rules),
    ):
        try:
            found += [(kind, name, url(path, name)) for name in names(visit, arn)]
        except Fault:
            continue
    return found


def _alarms(visit: Visit, arn: str) -> list[str]:
    asked = {"ActionPrefix": arn, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    told = visit.quietly("cloudwatch", "DescribeAlarms", **asked)
    members = ("AlarmActions", "OKActions", "InsufficientDataActions")
    alarms = told["MetricAlarms"] + told["CompositeAlarms"]
    return [each["AlarmName"] for each in alarms if any(arn in each.get(member, []) for member in members)]


def _event_rules(visit: Visit, arn: str) -> list[str]:
    return list(visit.quietly("events", "ListRuleNamesByTarget", TargetArn=arn)["RuleNames"])


def _reaper_rules(visit: Visit, arn: str) -> list[str]:
    rules = visit.quietly("tobo-reaper", "ListRules")["Rules"]
    return [rule["RuleName"] for rule in rules if rule.get("TopicArn") == arn]


def _arn(visit: Visit, name: str) -> str:
    return str(Arn("sns", visit.region, visit.principal.account, name))


SCREENS: tuple[Screen, ...] = (_list, _create, _page, _subscribe, _unsubscribe, _publish, _rename, _delete)

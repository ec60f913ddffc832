"""Topics and subscriptions through boto3 on a real server, with a real HTTP listener, SMTP server and apprise."""

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.mailbox import Mailbox, mailbox
from tests.support.processes import until
from tests.support.unique import own_region, unique
from tests.support.webhook import Hook, confirmed, webhook


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as found:
        yield found


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def sns(server: Server) -> Any:
    return server.client("sns")


@pytest.fixture
def topic(sns: Any) -> str:
    arn: str = sns.create_topic(Name=unique("line"))["TopicArn"]
    return arn


def refusal(call: Callable[..., Any], **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_webhook_confirms_and_is_told(sns: Any, topic: str, hook: Hook) -> None:
    asked = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
    assert asked["SubscriptionArn"] == "pending confirmation"
    (pending,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert pending["SubscriptionArn"] == "PendingConfirmation" and pending["Endpoint"] == hook.url
    sns.publish(TopicArn=topic, Message="too early")
    arn = confirmed(sns, topic, hook)
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    sent = sns.publish(
        TopicArn=topic,
        Subject="Rejects",
        Message="<b>7 of 100</b> \u2713",
        MessageAttributes={"line": {"DataType": "String", "StringValue": "press-1"}},
    )
    until(lambda: hook.documents())
    (told,) = hook.documents()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("Timestamp"))
    assert told.pop("UnsubscribeURL").startswith("http://127.0.0.1:")
    assert told == {
        "Type": "Notification",
        "MessageId": sent["MessageId"],
        "TopicArn": topic,
        "Subject": "Rejects",
        "Message": "<b>7 of 100</b> \u2713",
        "MessageAttributes": {"line": {"Type": "String", "Value": "press-1"}},
    }
    headers = hook.told[-1][0]
    assert headers["x-amz-sns-topic-arn"] == topic and headers["x-amz-sns-subscription-arn"] == arn
    assert sns.unsubscribe(SubscriptionArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert sns.unsubscribe(SubscriptionArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_raw_messages_filters_and_structures(sns: Any, topic: str, hook: Hook) -> None:
    arn = confirmed(sns, topic, hook, RawMessageDelivery="true", FilterPolicy='{"line": ["press-1"]}')

    def publish(line: str, **asked: Any) -> None:
        attributes = {"line": {"DataType": "String", "StringValue": line}}
        sns.publish(TopicArn=topic, MessageAttributes=attributes, **asked)

    publish("press-2", Message="not for it")
    publish("press-1", Message=json.dumps({"default": "for all", "http": "for it"}), MessageStructure="json")
    until(lambda: len(hook.told) == 2)
    headers, body = hook.told[-1]
    assert body == b"for it" and headers["x-amz-sns-rawdelivery"] == "true"
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="")
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="false")
    publish("press-2", Message="for it now")
    until(lambda: len(hook.told) == 3)
    assert json.loads(hook.told[-1][1])["Message"] == "for it now"
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "false" and "FilterPolicy" not in attributes


def test_a_batch_tells_what_failed(sns: Any, topic: str, hook: Hook) -> None:
    confirmed(sns, topic, hook)
    entries = [{"Id": "a", "Message": "one"}, {"Id": "b", "Message": "two", "Subject": "two\nlines"}]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [done["Id"] for done in answer["Successful"]] == ["a"]
    assert [(failed["Id"], failed["Code"]) for failed in answer["Failed"]] == [("b", "InvalidParameter")]
    until(lambda: [told["Message"] for told in hook.documents()] == ["one"])
    batch: dict[str, Any] = {"TopicArn": topic, "PublishBatchRequestEntries": [{"Id": "a", "Message": "x"}] * 2}
    assert refusal(sns.publish_batch, **batch)[0] == "BatchEntryIdsNotDistinct"
    batch["PublishBatchRequestEntries"] = [{"Id": str(n), "Message": "x"} for n in range(11)]
    assert refusal(sns.publish_batch, **batch)[0] == "TooManyEntriesInBatchRequest"


def test_the_same_message_goes_out_once(sns: Any, topic: str, hook: Hook) -> None:
    confirmed(sns, topic, hook)
    ids = {sns.publish(TopicArn=topic, Message="m", MessageDeduplicationId="1")["MessageId"] for _ in range(3)}
    sns.publish(TopicArn=topic, Message="last")
    until(lambda: "last" in [told["Message"] for told in hook.documents()])
    assert len(ids) == 1 and sorted(told["Message"] for told in hook.documents()) == ["last", "m"]


def test_what_cannot_be_delivered_is_tried_again(fresh_server: Callable[..., Server], hook: Hook) -> None:
    """Over an endpoint that refuses and a server that is killed."""
    server = fresh_server()
    sns = server.client("sns")
    topic = sns.create_topic(Name="line")["TopicArn"]
    confirmed(sns, topic, hook)
    hook.status = 503
    sns.publish(TopicArn=topic, Message="patience")
    until(lambda: "was not reached (try 1)" in server.log())
    server.kill()
    hook.status = 200
    server.start()
    until(lambda: [told["Message"] for told in hook.documents()] == ["patience"])


@contextmanager
def silent() -> Iterator[str]:
    """The address of a listener that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_endpoints_that_hang_keep_nothing_else_waiting(server: Server, sns: Any, topic: str, hook: Hook) -> None:
    """Each would take a thread of the controller for five seconds."""
    confirmed(sns, topic, hook)
    with silent() as address:
        stuck = sns.create_topic(Name=unique("stuck"))["TopicArn"]
        for number in range(12):
            sns.subscribe(TopicArn=stuck, Protocol="http", Endpoint=f"{address}/{number}")
        name = unique("alarm")
        cloudwatch = server.client("cloudwatch")
        _goes_off(cloudwatch, name)
        until(lambda: cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "ALARM")
        sns.delete_topic(TopicArn=stuck)


def test_letters(fresh_server: Callable[..., Server], box: Mailbox) -> None:
    server = fresh_server(TOBO_SMTP=box.address)
    sns = server.client("sns")
    topic = sns.create_topic(Name="line", Attributes={"DisplayName": "Line 1"})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="anna@example.org")
    until(lambda: box.letters)
    link = re.search(r"SubscribeURL: (\S+)", box.letters[0].get_content())
    assert link and box.letters[0]["To"] == "anna@example.org"
    urllib.request.urlopen(link[1], timeout=10).close()
    box.refusing = True
    sns.publish(TopicArn=topic, Subject="Rejects", Message="7 of 100\nare bad")
    until(lambda: "was not reached (try 1)" in server.log())
    box.refusing = False
    until(lambda: len(box.letters) == 2)
    letter = box.letters[1]
    assert (letter["Subject"], letter["From"]) == ("Rejects", "Line 1 <house@example.org>")
    assert letter.get_content().splitlines()[:2] == ["7 of 100", "are bad"]
    stop = re.search(r"To stop: (\S+)", letter.get_content())
    assert stop
    with urllib.request.urlopen(stop[1], timeout=10) as page:  # a scanner of links follows it, and nothing ends
        assert b"<button>" in page.read()
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1
    urllib.request.urlopen(urllib.request.Request(stop[1], b"", method="POST"), timeout=10).close()
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_a_hundred_services_by_apprise(sns: Any, topic: str, hook: Hook) -> None:
    """Its json:// service stands for all: the library is its own."""
    arn = sns.subscribe(TopicArn=topic, Protocol="apprise", Endpoint=hook.url.replace("http", "json"))[
        "SubscriptionArn"
    ]
    assert arn.startswith(f"{topic}:")
    told: list[bytes] = []

    def came() -> bool:
        told.extend(body for _, body in hook.told)
        return bool(told)

    sns.publish(TopicArn=topic, Subject="Rejects", Message="7 of 100")
    until(came)
    document = json.loads(told[0])
    assert (document["title"], document["message"]) == ("Rejects", "7 of 100")


def test_an_alarm_tells_a_topics_subscribers(server: Server, sns: Any, topic: str, hook: Hook) -> None:
    confirmed(sns, topic, hook)
    cloudwatch, name = server.client("cloudwatch"), unique("alarm")
    _goes_off(cloudwatch, name, AlarmActions=[topic])
    until(lambda: hook.documents(), 30)
    (told,) = hook.documents()
    assert told["Subject"] == f'ALARM: "{name}" in us-east-1'
    assert json.loads(told["Message"])["NewStateValue"] == "ALARM"


def test_lists_are_paged(server: Server) -> None:
    sns = server.client("sns", region=own_region())
    made = [sns.create_topic(Name=f"t-{number:03}")["TopicArn"] for number in range(103)]
    pages = list(sns.get_paginator("list_topics").paginate())
    assert [len(page["Topics"]) for page in pages] == [100, 3]
    assert [each["TopicArn"] for page in pages for each in page["Topics"]] == made
    for number in range(101):
        sns.subscribe(TopicArn=made[0], Protocol="apprise", Endpoint=f"json://127.0.0.1/{number}")
    for name, asked in (("list_subscriptions", {}), ("list_subscriptions_by_topic", {"TopicArn": made[0]})):
        pages = list(sns.get_paginator(name).paginate(**asked))
        assert [len(page["Subscriptions"]) for page in pages] == [100, 1]
    assert refusal(sns.list_topics, NextToken="bm90IG91cnM=")[0] == "ValidationException"
    sns.delete_topic(TopicArn=made[0])
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_tags(sns: Any) -> None:
    name = unique("line")
    topic = sns.create_topic(Name=name, Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]
    assert sns.create_topic(Name=name)["TopicArn"] == topic
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "b", "Value": "2"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["a", "c"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": str(number), "Value": ""} for number in range(51)]
    assert refusal(sns.tag_resource, ResourceArn=topic, Tags=many)[0] == "TagLimitExceeded"
    assert refusal(sns.list_tags_for_resource, ResourceArn=f"{topic}x")[0] == "ResourceNotFound"


def test_attributes_of_a_topic(sns: Any, topic: str) -> None:
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Line 1")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["DisplayName"], attributes["TopicArn"]) == ("Line 1", topic)
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == topic


def test_refusals(sns: Any, topic: str) -> None:
    missing = f"{topic}-none"
    for call in (sns.get_topic_attributes, sns.list_subscriptions_by_topic):
        assert refusal(call, TopicArn=missing)[0] == "NotFound"
    assert refusal(sns.publish, TopicArn=missing, Message="a")[0] == "NotFound"
    assert refusal(sns.subscribe, TopicArn=missing, Protocol="http", Endpoint="http://a")[0] == "NotFound"
    assert refusal(sns.get_subscription_attributes, SubscriptionArn=f"{topic}:none")[0] == "NotFound"
    subscribe = {"TopicArn": topic, "Protocol": "http"}
    for changed, named in (
        ({"Protocol": "sms", "Endpoint": "+49"}, "'sms' is not built"),
        ({"Endpoint": "ftp://a"}, "begins with http://"),
        ({"Protocol": "https", "Endpoint": "http://a"}, "begins with https://"),
        ({"Protocol": "email", "Endpoint": "a@b"}, "no TOBO_SMTP"),
        ({"Protocol": "email", "Endpoint": "a\r\nBcc: b@c"}, "no e-mail address"),
        ({"Protocol": "apprise", "Endpoint": "nothing"}, "apprise knows"),
        ({"Endpoint": "http://a", "Attributes": {"FilterPolicy": "{"}}, "no JSON"),
        ({"Endpoint": "http://a", "Attributes": {"FilterPolicyScope": "MessageBody"}}, "MessageBody"),
        ({"Endpoint": "http://a", "Attributes": {"RawMessageDelivery": "yes"}}, "neither true nor false"),
        ({"Endpoint": "http://a", "Attributes": {"Mine": "yes"}}, "'Mine' is not known"),
    ):
        code, message = refusal(sns.subscribe, **{**subscribe, **changed})
        assert code == "InvalidParameter" and named in message
    for asked, named in (
        ({"Message": ""}, "1 to 262144"),
        ({"Message": "a" * 262145}, "262145 bytes"),
        ({"Message": "a", "Subject": "a\nb"}, "one line"),
        ({"Message": "a", "MessageStructure": "json"}, "failed to parse"),
        ({"Message": "{}", "MessageStructure": "json"}, "No default entry"),
    ):
        code, message = refusal(sns.publish, TopicArn=topic, **asked)
        assert code == "InvalidParameter" and named in message
    assert "not built" in refusal(sns.create_topic, Name="a.fifo")[1]
    assert "neither" in refusal(sns.publish, PhoneNumber="+49", Message="a")[1]
    assert refusal(sns.confirm_subscription, TopicArn=topic, Token="guessed")[0] == "InvalidParameter"
    assert refusal(sns.set_topic_attributes, TopicArn=topic, AttributeName="Mine")[0] == "InvalidParameter"


def test_links_of_nobody(server: Server, topic: str) -> None:
    for query, status in (
        (f"Action=ConfirmSubscription&TopicArn={topic}&Token=guessed", 400),
        (f"Action=ConfirmSubscription&TopicArn={topic}-none&Token=a", 404),
        ("Action=ConfirmSubscription&TopicArn=x&Token=a", 400),
        (f"Action=DeleteTopic&TopicArn={topic}", 400),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{server.endpoint}/_tobo/sns?{query}", timeout=10)
        assert refused.value.code == status and "default-src 'none'" in refused.value.headers["content-security-policy"]


def test_only_who_may_publish_does(server: Server, topic: str) -> None:
    allowed = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    key, secret = limited_user(server, unique("teller"), allowed)
    theirs = server.client("sns", aws_access_key_id=key, aws_secret_access_key=secret)
    assert theirs.publish(TopicArn=topic, Message="a")["MessageId"]
    other = server.client("sns").create_topic(Name=unique("other"))["TopicArn"]
    assert "sns:Publish" in refusal(theirs.publish, TopicArn=other, Message="a")[1]
    assert "sns:Subscribe" in refusal(theirs.subscribe, TopicArn=topic, Protocol="http", Endpoint="http://a")[1]


def _goes_off(cloudwatch: Any, name: str, **more: Any) -> None:
    """An alarm over a metric that nobody reports."""
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="Load",
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        **more,
    )

"""CloudWatch's alarms through boto3: their state by their metric, their history, their lists, and what is refused."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.clients import client_speaking
from tests.support.processes import until
from tests.support.unique import unique

Put = Callable[..., str]


def one(cloudwatch: Any, name: str) -> dict[str, Any]:
    [found] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def state(cloudwatch: Any, name: str) -> str:
    return str(one(cloudwatch, name)["StateValue"])


def put_load(cloudwatch: Any, metric: dict[str, Any], value: float, seconds: int = 4) -> None:
    """The value in each of the last and the next seconds."""
    now = datetime.now(UTC)
    times = [now + timedelta(seconds=ahead) for ahead in range(-seconds, seconds)]
    datum = {"MetricName": metric["MetricName"], "Dimensions": metric["Dimensions"], "Value": value}
    cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=[{**datum, "Timestamp": at} for at in times])


def items(cloudwatch: Any, name: str, kind: str = "StateUpdate") -> list[dict[str, Any]]:
    """Its history, the oldest first."""
    asked = {"AlarmName": name, "HistoryItemType": kind, "ScanBy": "TimestampAscending"}
    return list(cloudwatch.describe_alarm_history(**asked)["AlarmHistoryItems"])


def refused(call: Callable[..., Any], code: str, text: str, **asked: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**asked)
    assert error.value.response["Error"]["Code"] == code, error.value
    assert text in error.value.response["Error"]["Message"]


def test_an_alarm_follows_its_metric(cloudwatch: Any, metric: dict[str, Any], alarm: Put) -> None:
    name = alarm(AlarmDescription="the line is full", Unit="None")
    fresh = one(cloudwatch, name)
    assert (fresh["StateValue"], fresh["ActionsEnabled"]) == ("INSUFFICIENT_DATA", True)
    until(lambda: one(cloudwatch, name)["StateReason"] == "Insufficient Data: 1 datapoint was unknown.")
    put_load(cloudwatch, metric, 9.0)
    until(lambda: state(cloudwatch, name) == "ALARM")
    found = one(cloudwatch, name)
    assert found["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [9 (")
    data = json.loads(found["StateReasonData"])
    assert (data["recentDatapoints"], data["threshold"], data["statistic"]) == ([9.0], 5.0, "Average")
    assert (
        found["AlarmArn"].endswith(f":alarm:{name}")
        and found["StateTransitionedTimestamp"] > fresh["StateUpdatedTimestamp"]
    )
    put_load(cloudwatch, metric, 0.0, seconds=6)
    until(lambda: state(cloudwatch, name) == "OK")
    until(lambda: state(cloudwatch, name) == "INSUFFICIENT_DATA", 20)
    until(lambda: len(items(cloudwatch, name)) == 3)
    assert [item["HistorySummary"] for item in items(cloudwatch, name)] == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to INSUFFICIENT_DATA",
    ]
    told = json.loads(items(cloudwatch, name)[0]["HistoryData"])
    assert told["newState"]["stateReasonData"]["recentDatapoints"] == [9.0]


@pytest.mark.parametrize(
    ("treatment", "expected"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA")]
)
def test_a_metric_that_says_nothing(cloudwatch: Any, alarm: Put, treatment: str, expected: str) -> None:
    name = alarm(TreatMissingData=treatment, EvaluationPeriods=2, DatapointsToAlarm=1)
    until(lambda: state(cloudwatch, name) == expected)
    time.sleep(1.5)
    assert state(cloudwatch, name) == expected
    reason = one(cloudwatch, name)["StateReason"]
    assert ("2 missing datapoints were treated as" in reason) == (treatment != "ignore")


def test_an_alarm_keeps_its_state_when_it_is_put_anew(cloudwatch: Any, metric: dict[str, Any], alarm: Put) -> None:
    name = alarm(TreatMissingData="breaching", Tags=[{"Key": "line", "Value": "1"}])
    until(lambda: state(cloudwatch, name) == "ALARM")
    alarm(name, TreatMissingData="ignore", Period=60, AlarmDescription="new", Tags=[{"Key": "line", "Value": "2"}])
    found = one(cloudwatch, name)
    assert (found["StateValue"], found["Period"], found["AlarmDescription"]) == ("ALARM", 60, "new")
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == [{"Key": "line", "Value": "1"}]
    told = [item["HistorySummary"] for item in items(cloudwatch, name, "ConfigurationUpdate")]
    assert told == [f'Alarm "{name}" created', f'Alarm "{name}" updated']


def test_a_state_that_is_set_lasts_for_a_period(cloudwatch: Any, alarm: Put) -> None:
    name = alarm(TreatMissingData="notBreaching")
    until(lambda: state(cloudwatch, name) == "OK")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill", StateReasonData='{"a": 1}')
    found = one(cloudwatch, name)
    assert (found["StateValue"], found["StateReason"], found["StateReasonData"]) == ("ALARM", "a drill", '{"a": 1}')
    until(lambda: state(cloudwatch, name) == "OK")
    until(lambda: len(items(cloudwatch, name)) == 3)
    assert "a drill" in items(cloudwatch, name)[1]["HistoryData"]
    refused(
        cloudwatch.set_alarm_state,
        "ResourceNotFound",
        "'nobody' does not exist",
        AlarmName="nobody",
        StateValue="OK",
        StateReason="",
    )


def test_actions_tell_a_topic_once_a_change(
    server: Server, cloudwatch: Any, metric: dict[str, Any], alarm: Put
) -> None:
    topic = f"arn:aws:sns:us-east-1:111122223333:{unique('topic')}"
    file = server.state / "notifications" / "111122223333" / "us-east-1" / f"{topic.split(':')[-1]}.jsonl"
    name = alarm(AlarmActions=[topic], OKActions=[topic], AlarmDescription="mind the line")
    until(lambda: one(cloudwatch, name)["StateReason"].startswith("Insufficient"))
    put_load(cloudwatch, metric, 9.0)
    until(lambda: len(items(cloudwatch, name, "Action")) == 1)
    time.sleep(1.5)  # it stays in ALARM, which is no reason to tell it again
    cloudwatch.disable_alarm_actions(AlarmNames=[name, "nobody"])
    assert one(cloudwatch, name)["ActionsEnabled"] is False
    put_load(cloudwatch, metric, 0.0)
    until(lambda: state(cloudwatch, name) == "OK")
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    [told] = [json.loads(line) for line in file.read_text().splitlines()]
    found = one(cloudwatch, name)
    assert (told["AlarmName"], told["OldStateValue"], told["NewStateValue"]) == (name, "INSUFFICIENT_DATA", "ALARM")
    assert told["AlarmArn"] == found["AlarmArn"] and told["AWSAccountId"] == server.account
    assert told["Trigger"]["Dimensions"] == [{"value": "1", "name": "Line"}]
    assert (told["Trigger"]["Statistic"], told["AlarmDescription"]) == ("AVERAGE", "mind the line")
    [action] = items(cloudwatch, name, "Action")
    assert action["HistorySummary"] == f"Successfully executed action {topic}"


def test_alarms_are_listed_filtered_and_paged(cloudwatch: Any, metric: dict[str, Any], alarm: Put) -> None:
    prefix = unique("paged")
    topic = "arn:aws:sns:us-east-1:111122223333:paged"
    names = [alarm(f"{prefix}-{number}", Period=60, Threshold=float(number)) for number in range(5)]
    alarm(names[3], Period=300, OKActions=[topic])
    pages = list(
        cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, PaginationConfig={"PageSize": 2})
    )
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 2, 1]
    assert [found["AlarmName"] for page in pages for found in page["MetricAlarms"]] == names

    def listed(**asked: Any) -> list[str]:
        return [found["AlarmName"] for found in cloudwatch.describe_alarms(**asked)["MetricAlarms"]]

    assert listed(AlarmNames=[names[2], names[0], "nobody"]) == [names[0], names[2]]
    assert listed(AlarmNamePrefix=prefix, StateValue="INSUFFICIENT_DATA") == names
    assert listed(AlarmNamePrefix=prefix, StateValue="ALARM") == []
    assert listed(AlarmNamePrefix=prefix, ActionPrefix="arn:aws:sns:us-east-1:") == [names[3]]
    assert listed(AlarmNamePrefix=prefix, ActionPrefix="arn:aws:autoscaling") == []
    assert listed(AlarmNamePrefix=prefix, AlarmTypes=["CompositeAlarm"]) == []
    assert listed(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]) == names

    def of_metric(**asked: Any) -> list[str]:
        return [
            found["AlarmName"] for found in cloudwatch.describe_alarms_for_metric(**metric, **asked)["MetricAlarms"]
        ]

    assert of_metric() == names
    assert of_metric(Period=300) == [names[3]]
    assert of_metric(Statistic="Sum") == of_metric(Unit="Seconds") == []
    assert cloudwatch.describe_alarms_for_metric(**{**metric, "Dimensions": []})["MetricAlarms"] == []
    token = pages[0]["NextToken"]
    describe = cloudwatch.describe_alarms
    refused(describe, "InvalidNextToken", "NextToken", AlarmNamePrefix="other", NextToken=token)
    refused(describe, "InvalidNextToken", "NextToken", NextToken="mine")
    refused(describe, "ValidationError", "exclude each other", AlarmNames=names, AlarmNamePrefix=prefix)
    refused(describe, "ResourceNotFound", "'x' does not exist", ChildrenOfAlarmName="x")


def test_alarms_are_deleted_all_or_none_and_their_history_stays(cloudwatch: Any, alarm: Put) -> None:
    names = [alarm(), alarm()]
    refused(cloudwatch.delete_alarms, "ResourceNotFound", "'nobody' does not exist", AlarmNames=[*names, "nobody"])
    assert len(cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]) == 2
    cloudwatch.delete_alarms(AlarmNames=names)
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []
    told = [item["HistorySummary"] for item in items(cloudwatch, names[0], "ConfigurationUpdate")]
    assert told == [f'Alarm "{names[0]}" created', f'Alarm "{names[0]}" deleted']


def test_history_is_paged_and_bounded_by_time(cloudwatch: Any, alarm: Put) -> None:
    name = alarm(Period=60)
    for number in range(4):
        alarm(name, Period=60, Threshold=float(number))
    pager = cloudwatch.get_paginator("describe_alarm_history")
    pages = list(pager.paginate(AlarmName=name, PaginationConfig={"PageSize": 2}))
    assert [len(page["AlarmHistoryItems"]) for page in pages] == [2, 2, 1]
    assert pages[2]["AlarmHistoryItems"][0]["HistorySummary"] == f'Alarm "{name}" created'
    then = pages[0]["AlarmHistoryItems"][1]["Timestamp"]

    def seen(**bounds: Any) -> int:
        return len(cloudwatch.describe_alarm_history(AlarmName=name, **bounds)["AlarmHistoryItems"])

    assert (seen(StartDate=then), seen(EndDate=then - timedelta(milliseconds=1))) == (2, 3)
    assert (seen(AlarmTypes=["CompositeAlarm"]), seen(HistoryItemType="Action")) == (0, 0)
    assert seen(AlarmTypes=["MetricAlarm"]) == 5
    refused(cloudwatch.describe_alarm_history, "InvalidNextToken", "NextToken", AlarmName=name, NextToken="mine")


def test_tags(cloudwatch: Any, server: Server, alarm: Put) -> None:
    arn = one(cloudwatch, alarm(Tags=[{"Key": "a", "Value": "1"}]))["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a", "none"])
    found = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert found == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    refused(cloudwatch.tag_resource, "InvalidParameterValue", "51 tags", ResourceARN=arn, Tags=many)
    elsewhere = server.client("cloudwatch", "eu-west-1")
    refused(elsewhere.list_tags_for_resource, "ResourceNotFoundException", "does not exist here", ResourceARN=arn)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"Metrics": [{"Id": "e", "Expression": "a/b"}]}, "is given beside Metrics"),
        ({"ThresholdMetricId": "e"}, "anomaly detection"),
        ({"Period": 7}, "Period 7 is neither one of"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "more than the 1 days"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "more than the 7 days"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm 2 is above EvaluationPeriods 1"),
        ({"ExtendedStatistic": "p99"}, "either a Statistic or an ExtendedStatistic"),
        ({"Statistic": None}, "either a Statistic or an ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "tm90"}, "The statistic 'tm90' is none of"),
        ({"Statistic": None, "ExtendedStatistic": "Sum"}, "is a Statistic; give it there"),
        ({"Threshold": None}, "The alarm needs Threshold"),
        ({"MetricName": None, "Period": None}, "The alarm needs MetricName, Period"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "compares with a band"),
        ({"TreatMissingData": "guess"}, "TreatMissingData 'guess' is none of missing, ignore"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "can only be 'evaluate'"),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "is nothing that alarms do here"),
        ({"AlarmActions": ["tell me"]}, "is nothing that alarms do here"),
        ({"OKActions": ["arn:aws:sns:us-east-1:111122223333:../../x"]}, "is no topic's ARN"),
        ({"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]}, "51 tags"),
    ],
)
def test_what_cannot_be_watched_is_refused(
    cloudwatch: Any, metric: dict[str, Any], changed: dict[str, Any], text: str
) -> None:
    name = unique("refused")
    asked = {
        "AlarmName": name,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "LessThanThreshold",
        **metric,
        **changed,
    }
    code = "InvalidParameterValue" if "Tags" in changed else "ValidationError"
    refused(
        cloudwatch.put_metric_alarm,
        code,
        text,
        **{member: value for member, value in asked.items() if value is not None},
    )
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@pytest.mark.parametrize("protocol", ["json", "query", "smithy-rpc-v2-cbor"])
def test_every_protocol(
    server: Server, metric: dict[str, Any], alarm: Put, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = alarm(Period=60)
    cloudwatch = client_speaking(server, "cloudwatch", protocol, monkeypatch)
    asked = {"AlarmName": name, "Statistic": "Average", "Period": 60, "EvaluationPeriods": 3, "Threshold": 0.5}
    asked |= {"ComparisonOperator": "LessThanThreshold", "ActionsEnabled": False, "OKActions": []}
    cloudwatch.put_metric_alarm(**asked, **metric, AlarmActions=["arn:aws:sns:us-east-1:111122223333:t"])
    found = one(cloudwatch, name)
    assert {member: found[member] for member in asked} == asked
    assert found["Dimensions"] == metric["Dimensions"] and isinstance(found["StateUpdatedTimestamp"], datetime)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="it is <fine>")
    assert one(cloudwatch, name)["StateReason"] == "it is <fine>"
    until(lambda: len(items(cloudwatch, name)) == 1)
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.delete_alarms(AlarmNames=["nobody"])
    cloudwatch.delete_alarms(AlarmNames=[name])


def test_a_server_killed_in_an_alarm_goes_on_and_tells_each_change_once(fresh_server: Callable[..., Server]) -> None:
    served = fresh_server()
    cloudwatch = served.client("cloudwatch")
    topic = "arn:aws:sns:us-east-1:111122223333:killed"
    file = served.state / "notifications" / "111122223333" / "us-east-1" / "killed.jsonl"
    asked = {"MetricName": "m", "Namespace": "Mine", "Statistic": "Sum", "Period": 1, "EvaluationPeriods": 1}
    asked |= {"Threshold": 1.0, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"}
    for number in range(20):
        cloudwatch.put_metric_alarm(AlarmName=f"killed-{number}", **asked, AlarmActions=[topic])
    until(lambda: file.exists() and file.read_text().count("\n") >= 1)
    served.kill()
    served.start()
    cloudwatch = served.client("cloudwatch")
    until(lambda: len(cloudwatch.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]) == 20)
    told = [json.loads(line)["AlarmName"] for line in file.read_text().splitlines()]
    assert sorted(told) == sorted(f"killed-{number}" for number in range(20))
    changes = cloudwatch.describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert len(changes) == 20

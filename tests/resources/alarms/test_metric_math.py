"""Metric math through boto3: in GetMetricData, and as what an alarm is about."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server
from tests.resources.alarms.test_alarms import items, one, put_load, refused, state
from tests.support.processes import until
from tests.support.unique import unique


@pytest.fixture
def space(cloudwatch: Any) -> str:
    """A namespace with `Errors` 1, 2, 3 and `All` 10, 0, 30 in the three minutes before the last whole one."""
    name = unique("Math")
    base = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=4)
    for metric, values in (("Errors", (1, 2, 3)), ("All", (10, 0, 30))):
        data = [
            {"MetricName": metric, "Value": float(value), "Timestamp": base + timedelta(minutes=number)}
            for number, value in enumerate(values)
        ]
        cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    return name


def stat(name: str, metric: str, space: str, period: int = 60, **more: Any) -> dict[str, Any]:
    wanted = {"Metric": {"Namespace": space, "MetricName": metric}, "Period": period, "Stat": "Sum"}
    return {"Id": name, "MetricStat": wanted, **more}


def asked(*queries: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "MetricDataQueries": list(queries),
        "StartTime": now - timedelta(minutes=10),
        "EndTime": now,
        "ScanBy": "TimestampAscending",
    }


def test_expressions_are_asked_for_as_metrics_are(cloudwatch: Any, space: str) -> None:
    found = cloudwatch.get_metric_data(
        **asked(
            {"Id": "rate", "Expression": "100 * errors / everything", "Label": "errors, %"},
            {"Id": "most", "Expression": "MAX(METRICS()) + 0 * rate"},
            stat("errors", "Errors", space, ReturnData=False),
            stat("everything", "All", space),
        )
    )["MetricDataResults"]
    assert [(each["Id"], each["Label"], each["Values"]) for each in found] == [
        ("rate", "errors, %", [10.0, 10.0]),
        ("most", "most", [10.0, 30.0]),
        ("everything", "All", [10.0, 0.0, 30.0]),
    ]
    assert found[0]["Timestamps"] == [found[2]["Timestamps"][0], found[2]["Timestamps"][2]]


def test_pages_of_expressions(cloudwatch: Any, space: str) -> None:
    queries = [{"Id": "twice", "Expression": "2 * errors"}, stat("errors", "Errors", space)]
    first = cloudwatch.get_metric_data(**asked(*queries), MaxDatapoints=4)
    second = cloudwatch.get_metric_data(**asked(*queries), MaxDatapoints=4, NextToken=first["NextToken"])
    values = [[each["Values"] for each in page["MetricDataResults"]] for page in (first, second)]
    assert values == [[[2.0, 4.0, 6.0], [1.0]], [[], [2.0, 3.0]]]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("nobody * 2", "'nobody'"),
        ("SLICE(errors)", "SLICE is no function"),
        ("METRICS()", "list of metrics"),
        ("e + 1", "depends on itself"),
    ],
)
def test_what_cannot_be_computed_is_refused(cloudwatch: Any, expression: str, named: str) -> None:
    queries = [{"Id": "e", "Expression": expression}, stat("errors", "Errors", "Nothing")]
    refused(cloudwatch.get_metric_data, "ValidationError", named, **asked(*queries))


@pytest.fixture
def rate(cloudwatch: Any) -> Iterator[dict[str, Any]]:
    """An alarm on the share of errors, in seconds; deleted after the test."""
    space = unique("Math")
    queries = [
        {"Id": "rate", "Expression": "IF(everything > 0, errors / everything, 0)", "Label": "errors"},
        stat("errors", "Errors", space, 1, ReturnData=False),
        stat("everything", "All", space, 1, ReturnData=False),
    ]
    alarm = {
        "AlarmName": unique("rate"),
        "EvaluationPeriods": 1,
        "Threshold": 0.2,
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": queries,
    }
    yield alarm
    cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"]])


def test_an_alarm_on_an_expression(server: Server, cloudwatch: Any, rate: dict[str, Any]) -> None:
    topic = server.client("sns").create_topic(Name=unique("rate"))["TopicArn"]
    cloudwatch.put_metric_alarm(**rate, AlarmActions=[topic])
    name, space = rate["AlarmName"], rate["Metrics"][1]["MetricStat"]["Metric"]["Namespace"]
    put_load(cloudwatch, {"Namespace": space, "MetricName": "All", "Dimensions": []}, 10.0, 20)
    put_load(cloudwatch, {"Namespace": space, "MetricName": "Errors", "Dimensions": []}, 1.0, 8)
    until(lambda: state(cloudwatch, name) == "OK")
    put_load(cloudwatch, {"Namespace": space, "MetricName": "Errors", "Dimensions": []}, 4.0, 8)
    until(lambda: state(cloudwatch, name) == "ALARM")
    found = one(cloudwatch, name)
    assert found["Metrics"] == rate["Metrics"] and "MetricName" not in found and "Period" not in found
    until(lambda: bool(items(cloudwatch, name, "Action")))
    file = server.state / "notifications" / server.account / "us-east-1" / f"{topic.rsplit(':', 1)[1]}.jsonl"
    told = json.loads(file.read_text().splitlines()[-1])
    assert told["Trigger"]["Metrics"][0]["Expression"] == rate["Metrics"][0]["Expression"]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Namespace": "Mine"}, "Namespace is given beside Metrics"),
        ({"Threshold": None}, "needs Threshold"),
        ({"Metrics": [{"Id": "a", "Expression": "1"}]}, "one a MetricStat at least"),
        ({"Metrics": [stat("a", "A", "S"), stat("b", "B", "S")]}, "Exactly one"),
        ({"Metrics": [stat("a", "A", "S"), stat("a", "B", "S", ReturnData=False)]}, "same Id"),
        ({"Metrics": [stat("a", "A", "S"), stat("b", "B", "S", 300, ReturnData=False)]}, "several Periods"),
        ({"Metrics": [{"Id": "e", "Expression": "a / c"}, stat("a", "A", "S", ReturnData=False)]}, "'c'"),
        ({"Metrics": [{"Id": "e", "Expression": "e"}, stat("a", "A", "S", ReturnData=False)]}, "depends on itself"),
        (
            {"Metrics": [{"Id": "e", "Expression": "METRICS()"}, stat("a", "A", "S", ReturnData=False)]},
            "list of metrics",
        ),
        ({"Metrics": [stat("a", "A", "S", 7)]}, "Period 7"),
    ],
)
def test_alarms_that_cannot_be_are_refused(cloudwatch: Any, changed: dict[str, Any], named: str) -> None:
    given = {
        "AlarmName": "never",
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": [stat("a", "A", "S")],
        **changed,
    }
    told = {name: value for name, value in given.items() if value is not None}
    refused(cloudwatch.put_metric_alarm, "ValidationError", named, **told)

"""Alarms of the shared server, on metrics of their own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.unique import unique


@pytest.fixture
def cloudwatch(server: Server) -> Any:
    return server.client("cloudwatch")


@pytest.fixture
def metric() -> dict[str, Any]:
    """A metric that nobody has put before."""
    return {"Namespace": unique("Mine"), "MetricName": "Load", "Dimensions": [{"Name": "Line", "Value": "1"}]}


@pytest.fixture
def alarm(cloudwatch: Any, metric: dict[str, Any]) -> Iterator[Callable[..., str]]:
    """`alarm(Threshold=3.0)` puts one of one-second periods on the metric; deleted after the test."""
    made: list[str] = []

    def put(name: str | None = None, **changed: Any) -> str:
        asked = {
            "AlarmName": name or unique("alarm"),
            "Statistic": "Average",
            "Period": 1,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **metric,
            **changed,
        }
        cloudwatch.put_metric_alarm(**asked)
        made.append(asked["AlarmName"])
        return str(asked["AlarmName"])

    yield put
    for name in set(made):
        if cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            cloudwatch.delete_alarms(AlarmNames=[name])

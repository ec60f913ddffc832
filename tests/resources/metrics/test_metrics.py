"""CloudWatch metrics: what is put comes back as statistics of periods."""

import math
import random
import statistics as python_statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.clients import client_speaking

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.statistics import percentile
from tobo.telemetry.base import Observation, Point

Ask = Callable[..., Any]
NOW = 1_700_000_000
MINUTE = NOW // 60 * 60
JOBS = "/aws/sagemaker/TrainingJobs"


def when(seconds: float) -> datetime:
    """Seconds after a full minute."""
    return datetime.fromtimestamp(MINUTE + seconds, UTC)


def put(ask: Ask, name: str = "m", dimensions: dict[str, str] | None = None, at: float = 0, **datum: Any) -> None:
    pairs = [{"Name": key, "Value": value} for key, value in (dimensions or {}).items()]
    ask(
        "PutMetricData",
        Namespace="ns",
        MetricData=[{"MetricName": name, "Dimensions": pairs, "Timestamp": when(at), **datum}],
    )


def asked_statistics(ask: Ask, **asked: Any) -> list[dict[str, Any]]:
    given = {"Namespace": "ns", "MetricName": "m", "StartTime": when(0), "EndTime": when(600), "Period": 60, **asked}
    return list(ask("GetMetricStatistics", **given)["Datapoints"])


def test_training_job_analytics_finds_its_points(ask: Ask, context: Context) -> None:
    """The question that the SageMaker SDK's TrainingJobAnalytics asks."""
    space, job = Namespace("111122223333", "us-east-1"), {"TrainingJobName": "marbles"}
    context.metrics.put(
        space, [Point(JOBS, "train:accuracy", job, MINUTE + at, value) for at, value in ((1, 0.5), (70, 1.0))]
    )
    answer = ask(
        "GetMetricStatistics",
        Namespace=JOBS,
        MetricName="train:accuracy",
        Dimensions=[{"Name": "TrainingJobName", "Value": "marbles"}],
        StartTime=when(0.5),
        EndTime=when(71),
        Period=60,
        Statistics=["Average"],
    )
    assert answer == {
        "Label": "train:accuracy",
        "Datapoints": [
            {"Timestamp": when(0), "Unit": "None", "Average": 0.5},
            {"Timestamp": when(60), "Unit": "None", "Average": 1.0},
        ],
    }


@pytest.mark.parametrize(
    ("datum", "found"),
    [
        ({"Value": 3.0}, (1, 3, 3, 3)),
        ({"Values": [1.0, 2.0, 6.0]}, (3, 9, 1, 6)),
        ({"Values": [1.0, 4.0], "Counts": [3.0, 1.0]}, (4, 7, 1, 4)),
        ({"StatisticValues": {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 5.0}}, (4, 10, 1, 5)),
        ({"Value": 0.0, "StorageResolution": 1}, (1, 0, 0, 0)),
        ({"Value": -2.0}, (1, -2, -2, -2)),
    ],
)
def test_each_form_of_a_datum(ask: Ask, datum: dict[str, Any], found: tuple[float, ...]) -> None:
    put(ask, **datum)
    (point,) = asked_statistics(ask, Statistics=["SampleCount", "Sum", "Minimum", "Maximum", "Average"])
    assert tuple(point[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")) == found
    assert point["Average"] == found[1] / found[0]


def test_a_datum_without_a_time_is_of_now_and_one_of_an_entity_counts(ask: Ask) -> None:
    ask("PutMetricData", Namespace="ns", EntityMetricData=[{"MetricData": [{"MetricName": "m", "Value": 2.0}]}])
    (point,) = asked_statistics(ask, Statistics=["Sum"])
    assert (point["Timestamp"], point["Sum"]) == (when(0), 2)


def test_units_stay_apart_and_can_be_asked_for(ask: Ask) -> None:
    put(ask, Value=1.0, Unit="Seconds")
    put(ask, Value=5.0, Unit="Count")
    assert [(point["Unit"], point["Sum"]) for point in asked_statistics(ask, Statistics=["Sum"])] == [
        ("Count", 5),
        ("Seconds", 1),
    ]
    assert [point["Sum"] for point in asked_statistics(ask, Statistics=["Sum"], Unit="Seconds")] == [1]


def test_dimensions_name_the_series_in_any_order(ask: Ask) -> None:
    put(ask, dimensions={"a": "1", "b": "2"}, Value=1.0)
    put(ask, dimensions={"b": "2", "a": "1"}, Value=2.0)
    put(ask, dimensions={"a": "1"}, Value=4.0)
    both = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    assert [point["Sum"] for point in asked_statistics(ask, Statistics=["Sum"], Dimensions=both)] == [3]
    assert asked_statistics(ask, Statistics=["Sum"]) == []


def test_percentiles_of_each_period(ask: Ask) -> None:
    put(ask, Values=[float(number) for number in range(1, 102)])
    put(ask, at=60, Values=[1.0, 9.0], Counts=[99.0, 1.0])
    put(ask, at=120, StatisticValues={"SampleCount": 2.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 9.0})
    first, second, third = asked_statistics(
        ask, ExtendedStatistics=["p50", "p99.9", "p0", "p100"], Statistics=["Maximum"]
    )
    assert first["ExtendedStatistics"] == {"p50": 51, "p99.9": pytest.approx(100.9), "p0": 1, "p100": 101}
    assert second["ExtendedStatistics"] == {"p50": 1, "p99.9": pytest.approx(8.208), "p0": 1, "p100": 9}
    assert "ExtendedStatistics" not in third
    assert third["Maximum"] == 9


def test_percentiles_agree_with_pythons_own() -> None:
    values = [random.Random(7).gauss(0, 1) for _ in range(200)]
    ours = [percentile([Observation(0, value, 1) for value in values], percent) for percent in range(1, 100)]
    assert ours == pytest.approx(python_statistics.quantiles(values, n=100, method="inclusive"))


# GetMetricData


def query(name: str, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "ns", "MetricName": more.pop("MetricName", "m")}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": more.pop("Stat", "Sum")}, **more}


def asked_data(ask: Ask, *queries: dict[str, Any], **asked: Any) -> dict[str, Any]:
    return dict(ask("GetMetricData", MetricDataQueries=list(queries), StartTime=when(0), EndTime=when(600), **asked))


def test_queries_are_answered_newest_first_with_id_and_label(ask: Ask) -> None:
    for at in (0, 60, 61):
        put(ask, at=at, Value=at + 1.0)
    answer = asked_data(ask, query("a"), query("b", Stat="p50", Label="middle"), query("c", ReturnData=False))
    assert answer == {
        "MetricDataResults": [
            {"Id": "a", "Label": "m", "Timestamps": [when(60), when(0)], "Values": [123, 1], "StatusCode": "Complete"},
            {
                "Id": "b",
                "Label": "middle",
                "Timestamps": [when(60), when(0)],
                "Values": [61.5, 1],
                "StatusCode": "Complete",
            },
        ],
        "Messages": [],
    }
    ascending = asked_data(ask, query("a"), ScanBy="TimestampAscending")
    assert ascending["MetricDataResults"][0]["Values"] == [1, 123]


@pytest.mark.parametrize("room", [1, 2, 3, 4, 5])
def test_datapoints_are_paged_over_all_queries(ask: Ask, room: int) -> None:
    for at in range(3):
        put(ask, at=60 * at, Value=float(at))
        put(ask, name="n", at=60 * at, Value=10.0 + at)
    found: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    token: dict[str, str] = {}
    while True:
        answer = asked_data(
            ask, query("a"), query("b", MetricName="none"), query("c", MetricName="n"), MaxDatapoints=room, **token
        )
        for result in answer["MetricDataResults"]:
            found[result["Id"]] += result["Values"]
        assert sum(len(result["Values"]) for result in answer["MetricDataResults"]) <= room
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert found == {"a": [2, 1, 0], "b": [], "c": [12, 11, 10]}


# ListMetrics


def test_metrics_are_listed_by_dimensions_and_youth(ask: Ask) -> None:
    put(ask, dimensions={"Job": "a", "Host": "1"}, Value=1.0)
    put(ask, dimensions={"Job": "b"}, at=-4 * 3600, Value=1.0)
    put(ask, name="n", Value=1.0)

    def found(**asked: Any) -> list[tuple[str, dict[str, str]]]:
        metrics = ask("ListMetrics", **asked)["Metrics"]
        return [(m["MetricName"], {d["Name"]: d["Value"] for d in m["Dimensions"]}) for m in metrics]

    a, b, n = ("m", {"Job": "a", "Host": "1"}), ("m", {"Job": "b"}), ("n", {})
    assert found() == [a, b, n]
    assert found(Namespace="ns", MetricName="m") == [a, b]
    assert found(Dimensions=[{"Name": "Job"}]) == [a, b]
    assert found(Dimensions=[{"Name": "Job", "Value": "b"}]) == [b]
    assert found(RecentlyActive="PT3H") == [a, n]
    assert found(Namespace="other") == []


def test_metrics_are_listed_500_a_page(ask: Ask) -> None:
    for start in (0, 1000):
        data = [{"MetricName": f"m{number:04}", "Value": 1.0} for number in range(start, start + 500 + start // 2)]
        ask("PutMetricData", Namespace="ns", MetricData=data)
    names: list[str] = []
    sizes = []
    token: dict[str, str] = {}
    while True:
        answer = ask("ListMetrics", **token)
        sizes.append(len(answer["Metrics"]))
        names += [metric["MetricName"] for metric in answer["Metrics"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert sizes == [500, 500, 500]
    assert names == sorted(set(names))


# Refusals

WINDOW = {"Namespace": "ns", "MetricName": "m", "StartTime": when(0), "EndTime": when(60), "Period": 60}
DATA = {"StartTime": when(0), "EndTime": when(60)}


def datum(**more: Any) -> dict[str, Any]:
    return {"Namespace": "ns", "MetricData": [{"MetricName": "m", **more}]}


@pytest.mark.parametrize(
    ("name", "asked", "code", "says"),
    [
        ("PutMetricData", {"Namespace": "ns"}, "MissingParameter", "MetricData"),
        ("PutMetricData", datum(), "InvalidParameterCombination", "MetricData.1"),
        ("PutMetricData", datum(Value=1.0, Values=[1.0]), "InvalidParameterCombination", "MetricData.1"),
        ("PutMetricData", datum(Value=math.nan), "InvalidParameterValue", "nan"),
        ("PutMetricData", datum(Value=math.inf), "InvalidParameterValue", "inf"),
        ("PutMetricData", datum(Values=[1.0], Counts=[1.0, 2.0]), "InvalidParameterValue", "Counts"),
        ("PutMetricData", datum(Values=[1.0], Counts=[0.0]), "InvalidParameterValue", "Counts"),
        ("PutMetricData", datum(Values=[1.0] * 151), "InvalidParameterValue", "150"),
        (
            "PutMetricData",
            datum(Value=1.0, Timestamp=when(3 * 3600)),
            "InvalidParameterValue",
            "MetricData.1.Timestamp",
        ),
        ("PutMetricData", datum(Value=1.0, Timestamp=when(-15 * 86400)), "InvalidParameterValue", "two weeks"),
        (
            "PutMetricData",
            datum(StatisticValues={"SampleCount": 1.0, "Sum": 1.0, "Minimum": 2.0, "Maximum": 1.0}),
            "InvalidParameterValue",
            "Minimum",
        ),
        ("PutMetricData", {**datum(Value=1.0), "Namespace": "AWS/EC2"}, "InvalidParameterValue", "AWS/"),
        (
            "PutMetricData",
            {"Namespace": "ns", "MetricData": [{"MetricName": "m", "Value": 1.0}] * 1001},
            "InvalidParameterValue",
            "1001",
        ),
        ("GetMetricStatistics", WINDOW, "MissingParameter", "ExtendedStatistics"),
        (
            "GetMetricStatistics",
            {**WINDOW, "Statistics": ["Sum"], "EndTime": when(0)},
            "InvalidParameterValue",
            "EndTime",
        ),
        ("GetMetricStatistics", {**WINDOW, "Statistics": ["Sum"], "Period": 61}, "InvalidParameterValue", "61"),
        ("GetMetricStatistics", {**WINDOW, "ExtendedStatistics": ["p101"]}, "InvalidParameterValue", "p101"),
        ("GetMetricStatistics", {**WINDOW, "ExtendedStatistics": ["tm90"]}, "InvalidParameterValue", "tm90"),
        (
            "GetMetricStatistics",
            {**WINDOW, "Statistics": ["Sum"], "EndTime": when(1441 * 60)},
            "InvalidParameterCombination",
            "1441",
        ),
        ("GetMetricData", {**DATA, "MetricDataQueries": []}, "ValidationError", "0"),
        ("GetMetricData", {**DATA, "MetricDataQueries": [query("a"), query("a")]}, "ValidationError", "'a'"),
        ("GetMetricData", {**DATA, "MetricDataQueries": [query("A")]}, "ValidationError", "'A'"),
        ("GetMetricData", {**DATA, "MetricDataQueries": [{"Id": "a"}]}, "ValidationError", "MetricStat"),
        ("GetMetricData", {**DATA, "MetricDataQueries": [{"Id": "a", "Expression": "m*2"}]}, "ValidationError", "'m'"),
        (
            "GetMetricData",
            {**DATA, "MetricDataQueries": [query("a")], "NextToken": "x"},
            "InvalidNextToken",
            "NextToken",
        ),
        (
            "GetMetricData",
            {**DATA, "MetricDataQueries": [query("a")], "MaxDatapoints": 0},
            "ValidationError",
            "MaxDatapoints",
        ),
        ("ListMetrics", {"NextToken": "WzFd"}, "InvalidParameterValue", "NextToken"),
    ],
)
def test_refusals_name_what_is_wrong(ask: Ask, name: str, asked: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(Fault) as refused:
        ask(name, **asked)
    assert refused.value.code == code
    assert says in refused.value.message


def test_a_refused_put_puts_nothing(ask: Ask) -> None:
    data = [{"MetricName": "good", "Value": 1.0}, {"MetricName": "bad"}]
    with pytest.raises(Fault, match=r"MetricData\.2"):
        ask("PutMetricData", Namespace="ns", MetricData=data)
    assert ask("ListMetrics")["Metrics"] == []


# Over the wire


@pytest.mark.parametrize("protocol", ["json", "query", "smithy-rpc-v2-cbor"])
def test_boto3_puts_and_asks_in_every_protocol(server: Any, protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cloudwatch = client_speaking(server, "cloudwatch", protocol, monkeypatch)
    assert cloudwatch.meta.service_model.resolved_protocol == protocol
    name, at = f"m-{protocol}", datetime.now(UTC)
    start, end = at - timedelta(minutes=2), at + timedelta(minutes=2)
    dimensions = [{"Name": "Job", "Value": "a"}]
    cloudwatch.put_metric_data(
        Namespace="wire",
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Values": [1.5, 2.5], "Counts": [1, 3]}
        ],
    )
    asked = {"Namespace": "wire", "MetricName": name, "Dimensions": dimensions}
    (point,) = cloudwatch.get_metric_statistics(
        **asked, StartTime=start, EndTime=end, Period=3600, Statistics=["Average"], ExtendedStatistics=["p50"]
    )["Datapoints"]
    assert (point["Average"], point["ExtendedStatistics"], point["Unit"]) == (2.25, {"p50": 2.5}, "None")
    queries = [{"Id": "q", "MetricStat": {"Metric": asked, "Period": 60, "Stat": "Sum"}}]
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)["MetricDataResults"]
    assert (result["Values"], result["Timestamps"]) == ([9.0], [at.replace(second=0, microsecond=0)])
    assert cloudwatch.list_metrics(Namespace="wire", MetricName=name)["Metrics"] == [asked]
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException, match="reserved"):
        cloudwatch.put_metric_data(Namespace="AWS/x", MetricData=[{"MetricName": "m", "Value": 1}])

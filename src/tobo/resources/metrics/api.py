"""Operations on metrics (Amazon CloudWatch API Reference); JSON, CBOR and query are the wire's business."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.metric_math import Expression, evaluated, read_expression
from tobo.operations.registry import Asked, operation
from tobo.operations.statistics import Range, bad_value, datapoints
from tobo.telemetry.base import MetricName, Point

_HOUR = 3600.0
_OLDEST = 14 * 24 * _HOUR
_NEWEST = 2 * _HOUR
_MOST_DATA = 1000
_MOST_VALUES = 150
_MOST_DATAPOINTS = 1440
_LARGEST = 2.0**360
_PAGE_OF_NAMES = 500
_PAGE_OF_DATAPOINTS = 100_800
_MOST_QUERIES = 500


def _any_metric(call: Call, asked: Asked) -> str:
    """CloudWatch knows no ARNs of metrics: policies speak of all of them."""
    return "*"


@operation("cloudwatch", "PutMetricData", resource=_any_metric)
def put_metric_data(call: Call, asked: Asked) -> dict[str, Any]:
    namespace = asked["Namespace"]
    if namespace.startswith("AWS/"):
        raise bad_value(f"Namespace '{namespace}' is reserved: one of your own does not start with 'AWS/'.")
    entities = asked.get("EntityMetricData", ())
    data = [*asked.get("MetricData", ()), *(datum for entity in entities for datum in entity.get("MetricData", ()))]
    if not data:
        raise Fault("MissingParameter", "The parameter MetricData is required.")
    if len(data) > _MOST_DATA:
        raise bad_value(f"MetricData has {len(data)} members; at most {_MOST_DATA} can be put at once.")
    points = [
        point
        for number, datum in enumerate(data, 1)
        for point in _points(call.now, namespace, datum, f"MetricData.{number}")
    ]
    call.context.metrics.put(call.space, points)
    return {}


def _points(now: float, namespace: str, datum: Mapping[str, Any], place: str) -> Iterator[Point]:
    """A datum's value, values with counts, or statistic set."""
    at = datum["Timestamp"].timestamp() if "Timestamp" in datum else now
    if not now - _OLDEST <= at <= now + _NEWEST:
        raise bad_value(
            f"{place}.Timestamp {datum['Timestamp']} is not within two weeks back and two hours ahead of now."
        )
    if sum(name in datum for name in ("Value", "Values", "StatisticValues")) != 1:
        raise Fault("InvalidParameterCombination", f"{place} has not exactly one of Value, Values and StatisticValues.")
    series = {"namespace": namespace, "name": datum["MetricName"], "dimensions": _dimensions(datum), "at": at}
    series["unit"] = datum.get("Unit", "None")
    if sets := datum.get("StatisticValues"):
        count, total, low, high = (_number(sets[n], place) for n in ("SampleCount", "Sum", "Minimum", "Maximum"))
        if count <= 0 or low > high:
            raise bad_value(f"{place}.StatisticValues has a SampleCount of 0 or a Minimum above its Maximum.")
        yield Point(**series, value=total, count=count, minimum=low, maximum=high)
        return
    values = datum["Values"] if "Values" in datum else [datum["Value"]]
    counts = datum.get("Counts", [1.0] * len(values))
    if not 0 < len(values) <= _MOST_VALUES or len(counts) != len(values):
        raise bad_value(f"{place} needs 1 to {_MOST_VALUES} Values and as many Counts, if any.")
    for value, count in zip(values, counts, strict=True):
        value, count = _number(value, place), _number(count, place)
        if count <= 0:
            raise bad_value(f"{place}.Counts has {count}; a count is above 0.")
        yield Point(**series, value=value * count, count=count, minimum=value, maximum=value)


def _number(value: float, place: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise bad_value(f"{place} has the value {value}; expected a number between -2^360 and 2^360.")
    return float(value)


@operation("cloudwatch", "GetMetricStatistics", resource=_any_metric)
def get_metric_statistics(call: Call, asked: Asked) -> dict[str, Any]:
    plain, extended = asked.get("Statistics", ()), asked.get("ExtendedStatistics", ())
    if not plain and not extended:
        raise Fault(
            "MissingParameter", "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        )
    periods = _range(asked, asked["Period"], asked.get("Unit"))
    if periods.periods > _MOST_DATAPOINTS:
        raise Fault(
            "InvalidParameterCombination",
            f"You have requested up to {periods.periods} datapoints, which exceeds the limit of {_MOST_DATAPOINTS}. "
            "Use a longer Period or a shorter time.",
        )
    series = MetricName(asked["Namespace"], asked["MetricName"], _dimensions(asked))
    answer = []
    for point in datapoints(call, series, periods, [*plain, *extended]):
        described = {"Timestamp": _time(point.at), "Unit": point.unit}
        described |= {name: point.values[name] for name in plain}
        if percentiles := {name: point.values[name] for name in extended if name in point.values}:
            described["ExtendedStatistics"] = percentiles
        answer.append(described)
    return {"Label": asked["MetricName"], "Datapoints": answer}


@operation("cloudwatch", "GetMetricData", resource=_any_metric)
def get_metric_data(call: Call, asked: Asked) -> dict[str, Any]:
    """Metrics, and expressions over them. Datapoints of all queries are paged as one row of them."""
    queries = asked["MetricDataQueries"]
    expressions = _check_queries(queries)
    points = _points_of(call, asked, queries, expressions)
    ascending = asked.get("ScanBy") == "TimestampAscending"
    skip = _read_skip(asked.get("NextToken"))
    room = asked.get("MaxDatapoints", _PAGE_OF_DATAPOINTS)
    if not 0 < room <= _PAGE_OF_DATAPOINTS:
        raise _bad_query(f"MaxDatapoints {room} is not between 1 and {_PAGE_OF_DATAPOINTS}.")
    seen = skip
    results = []
    complete = True
    for query in queries:
        if not query.get("ReturnData", True):
            continue
        found = points[query["Id"]]
        if not ascending:
            found.reverse()
        page = found[skip : skip + room]
        cut = len(found) > skip + room
        skip, room = max(0, skip - len(found)), room - len(page)
        seen += len(page)
        complete = complete and not cut
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get(
                    "Label", query.get("MetricStat", {}).get("Metric", {}).get("MetricName", query["Id"])
                ),
                "Timestamps": [_time(at) for at, _ in page],
                "Values": [value for _, value in page],
                "StatusCode": "PartialData" if cut else "Complete",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
    if not complete:
        answer["NextToken"] = base64.urlsafe_b64encode(orjson.dumps(seen)).decode()
    return answer


def _check_queries(queries: Sequence[Mapping[str, Any]]) -> dict[str, Expression]:
    """The expressions by their Ids. Raises Fault ValidationError."""
    expressions: dict[str, Expression] = {}
    if not 0 < len(queries) <= _MOST_QUERIES:
        raise _bad_query(f"MetricDataQueries has {len(queries)} members; expected 1 to {_MOST_QUERIES}.")
    seen: set[str] = set()
    for query in queries:
        name = query["Id"]
        if name in seen or not (name[0].isascii() and name[0].islower() and name.replace("_", "a").isalnum()):
            raise _bad_query(
                f"The Id '{name}' is given twice, or is not letters, digits and _ after a lower-case letter."
            )
        seen.add(name)
        if "Expression" in query:
            expressions[name] = read_expression(query["Expression"])
            continue
        if not query.get("MetricStat", {}).get("Metric", {}).get("MetricName"):
            raise _bad_query(f"The query '{name}' has no MetricStat with a Metric that has Namespace and MetricName.")
    for name, expression in expressions.items():
        if unknown := expression.ids - seen:
            raise _bad_query(f"The expression of '{name}' names '{min(unknown)}', which is the Id of no query.")
    return expressions


def _points_of(
    call: Call, asked: Asked, queries: Sequence[Mapping[str, Any]], expressions: Mapping[str, Expression]
) -> dict[str, list[tuple[float, float]]]:
    """(time, value) of each query that is needed, in time order. Expressions go by the longest Period of the metrics."""
    metrics = [query for query in queries if query["Id"] not in expressions]
    told = [query for query in metrics if expressions or query.get("ReturnData", True)]
    stats = {query["Id"]: dict(_query_points(call, asked, query)) for query in told}
    period = max((query["MetricStat"]["Period"] for query in metrics), default=60)
    return {name: list(series.items()) for name, series in evaluated(stats, expressions, period).items()}


def _query_points(call: Call, asked: Asked, query: Mapping[str, Any]) -> list[tuple[float, float]]:
    """(time, value) of a query, in time order."""
    wanted = query["MetricStat"]
    metric, statistic = wanted["Metric"], wanted["Stat"]
    series = MetricName(metric.get("Namespace", ""), metric["MetricName"], _dimensions(metric))
    found = datapoints(call, series, _range(asked, wanted["Period"], wanted.get("Unit")), [statistic])
    return [(point.at, point.values[statistic]) for point in found if statistic in point.values]


def _read_skip(token: str | None) -> int:
    if not token:
        return 0
    try:
        skip = orjson.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        skip = None
    if not isinstance(skip, int):
        raise Fault("InvalidNextToken", "NextToken is not one that GetMetricData gave; start again without it.")
    return skip


@operation("cloudwatch", "ListMetrics", resource=_any_metric)
def list_metrics(call: Call, asked: Asked) -> dict[str, Any]:
    """Series in the order of namespace, name and dimensions, 500 a page. No NextToken when nothing remains."""
    found = call.context.metrics.names(
        call.space,
        asked.get("Namespace"),
        asked.get("MetricName"),
        {dimension["Name"]: dimension.get("Value") for dimension in asked.get("Dimensions", ())},
        call.now - 3 * _HOUR if "RecentlyActive" in asked else None,
    )
    if token := asked.get("NextToken"):
        after = _read_series(token)
        found = [series for series in found if _series_key(series) > after]
    page = found[:_PAGE_OF_NAMES]
    answer: dict[str, Any] = {
        "Metrics": [
            {
                "Namespace": series.namespace,
                "MetricName": series.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
            }
            for series in page
        ]
    }
    if len(found) > len(page):
        answer["NextToken"] = base64.urlsafe_b64encode(orjson.dumps(_series_key(page[-1]))).decode()
    return answer


def _series_key(series: MetricName) -> list[str]:
    """As telemetry orders series."""
    return [series.namespace, series.name, orjson.dumps(dict(series.dimensions), option=orjson.OPT_SORT_KEYS).decode()]


def _read_series(token: str) -> list[str]:
    try:
        key = orjson.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != [str, str, str]:
        raise bad_value("NextToken is not one that ListMetrics gave; start again without it.")
    return key


def _range(asked: Asked, period: int, unit: str | None) -> Range:
    return Range(asked["StartTime"].timestamp(), asked["EndTime"].timestamp(), period, unit)


def _dimensions(asked: Mapping[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in asked.get("Dimensions", ())}


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _bad_query(message: str) -> Fault:
    return Fault("ValidationError", message)

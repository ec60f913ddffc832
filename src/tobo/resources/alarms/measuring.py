"""What an alarm's metric says: one datapoint for each of its last periods.

As on AWS, the periods end where the last whole minute does (or the last whole period, where that is shorter), so an alarm
of five-minute periods moves every minute.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tobo.kit.arn import Namespace
from tobo.operations.metric_math import Series, evaluated, read_expression
from tobo.operations.statistics import OF_BUCKET, percent_of, percentile
from tobo.resources.alarms.evaluation import MORE, Datapoint
from tobo.telemetry.base import Bucketed, MetricName, Metrics, Observation

SETTLING_SECONDS = 1.5
"""Until the counts of a period that is over are all written: endpoints are looked at once a second."""

_MINUTE = 60


def step(asked: Mapping[str, Any]) -> int:
    """Seconds from one look at an alarm to the next."""
    return min(period_of(asked), _MINUTE)


def period_of(asked: Mapping[str, Any]) -> int:
    """Seconds; an alarm on an expression has that of its metrics."""
    periods = (each["MetricStat"]["Period"] for each in asked.get("Metrics", ()) if "MetricStat" in each)
    return int(asked["Period"] if "Period" in asked else max(periods))


def next_look(asked: Mapping[str, Any], now: float) -> float:
    """When another period is over, in epoch seconds."""
    return _end(asked, now) + step(asked) + SETTLING_SECONDS


def evaluation_range(
    metrics: Metrics, space: Namespace, asked: Mapping[str, Any], now: float
) -> list[Datapoint | None]:
    """The datapoints of PutMetricAlarm's `asked` up to `now`, the oldest first; None for a period without data."""
    period, count = period_of(asked), asked["EvaluationPeriods"] + MORE
    end = _end(asked, now)
    start = end - count * period

    def of(metric: Mapping[str, Any], statistic: str, unit: str | None) -> dict[int, float]:
        dimensions = {pair["Name"]: pair["Value"] for pair in metric.get("Dimensions", ())}
        series = MetricName(metric["Namespace"], metric["MetricName"], dimensions)
        percent = percent_of(statistic)
        if percent is None:
            totals: dict[int, Bucketed] = {}
            for bucket in metrics.statistics(space, series, start, end, step(asked), unit):
                index = int(bucket.at - start) // period
                totals[index] = _together(totals[index], bucket) if index in totals else bucket
            return {index: OF_BUCKET[statistic](total) for index, total in totals.items()}
        seen: dict[int, list[Observation]] = defaultdict(list)
        for observation in metrics.values(space, series, start, end, unit):
            seen[int(observation.at - start) // period].append(observation)
        return {index: percentile(found, percent) for index, found in seen.items()}

    if asked.get("Metrics"):
        values = _computed(asked["Metrics"], of, period)
    else:
        values = of(asked, asked.get("Statistic") or asked["ExtendedStatistic"], asked.get("Unit"))
    return list(_in_order(values, start, period, count))


def _computed(
    queries: Sequence[Mapping[str, Any]],
    of: Callable[[Mapping[str, Any], str, str | None], dict[int, float]],
    period: int,
) -> dict[int, float]:
    """The value of the one query that returns data, by the number of the period."""
    stats: dict[str, Series] = {}
    expressions = {}
    for query in queries:
        if "Expression" in query:
            expressions[query["Id"]] = read_expression(query["Expression"])
        else:
            wanted = query["MetricStat"]
            values = of(wanted["Metric"], wanted["Stat"], wanted.get("Unit"))
            stats[query["Id"]] = {float(index * period): value for index, value in values.items()}
    found = evaluated(stats, expressions, period)[returned(queries)["Id"]]
    return {int(at) // period: value for at, value in found.items()}


def returned(queries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The query that an alarm is about."""
    return next(query for query in queries if query.get("ReturnData", True))


def _end(asked: Mapping[str, Any], now: float) -> int:
    return int((now - SETTLING_SECONDS) // step(asked) * step(asked))


def _in_order(values: Mapping[int, float], start: int, period: int, count: int) -> Iterator[Datapoint | None]:
    for index in range(count):
        value = values.get(index)
        yield None if value is None else Datapoint(start + index * period, value)


def _together(one: Bucketed, other: Bucketed) -> Bucketed:
    """An alarm without a unit takes the datapoints of all of them."""
    return replace(
        one,
        count=one.count + other.count,
        sum=one.sum + other.sum,
        minimum=min(one.minimum, other.minimum),
        maximum=max(one.maximum, other.maximum),
    )

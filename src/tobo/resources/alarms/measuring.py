"""What an alarm's metric says: one datapoint for each of its last periods.

As on AWS, the periods end where the last whole minute does (or the last whole period, where that is shorter), so an alarm
of five-minute periods moves every minute.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tobo.kit.arn import Namespace
from tobo.operations.statistics import OF_BUCKET, percent_of, percentile
from tobo.resources.alarms.evaluation import MORE, Datapoint
from tobo.telemetry.base import Bucketed, MetricName, Metrics, Observation

SETTLING_SECONDS = 1.5
"""Until the counts of a period that is over are all written: endpoints are looked at once a second."""

_MINUTE = 60


def step(asked: Mapping[str, Any]) -> int:
    """Seconds from one look at an alarm to the next."""
    return min(int(asked["Period"]), _MINUTE)


def next_look(asked: Mapping[str, Any], now: float) -> float:
    """When another period is over, in epoch seconds."""
    return _end(asked, now) + step(asked) + SETTLING_SECONDS


def evaluation_range(
    metrics: Metrics, space: Namespace, asked: Mapping[str, Any], now: float
) -> list[Datapoint | None]:
    """The datapoints of PutMetricAlarm's `asked` up to `now`, the oldest first; None for a period without data."""
    period, count = int(asked["Period"]), asked["EvaluationPeriods"] + MORE
    end = _end(asked, now)
    start = end - count * period
    series = MetricName(
        asked["Namespace"], asked["MetricName"], {pair["Name"]: pair["Value"] for pair in asked.get("Dimensions", ())}
    )
    unit = asked.get("Unit")
    values: dict[int, float]
    if (statistic := asked.get("Statistic")) is not None:
        totals: dict[int, Bucketed] = {}
        for bucket in metrics.statistics(space, series, start, end, step(asked), unit):
            index = int(bucket.at - start) // period
            totals[index] = _together(totals[index], bucket) if index in totals else bucket
        values = {index: OF_BUCKET[statistic](total) for index, total in totals.items()}
    else:
        percent = percent_of(asked["ExtendedStatistic"])
        assert percent is not None  # it was checked when the alarm was put
        seen: dict[int, list[Observation]] = defaultdict(list)
        for observation in metrics.values(space, series, start, end, unit):
            seen[int(observation.at - start) // period].append(observation)
        values = {index: percentile(found, percent) for index, found in seen.items()}
    return list(_in_order(values, start, period, count))


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

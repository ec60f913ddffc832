"""Statistics of a series by period: count, sum, average, extremes and percentiles."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.telemetry.base import Bucketed, MetricName, Observation

OF_BUCKET: Mapping[str, Callable[[Bucketed], float]] = {
    "SampleCount": lambda bucket: bucket.count,
    "Average": lambda bucket: bucket.sum / bucket.count,
    "Sum": lambda bucket: bucket.sum,
    "Minimum": lambda bucket: bucket.minimum,
    "Maximum": lambda bucket: bucket.maximum,
}
"""What each plain statistic makes of a period's totals."""

_PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)")
_SHORT_PERIODS = (1, 5, 10, 20, 30)


@dataclass(frozen=True)
class Range:
    """start <= time < end in epoch seconds, cut into periods of `period` seconds; `unit` None takes any."""

    start: float
    end: float
    period: int
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise bad_value("StartTime must be before EndTime.")
        if self.period % 60 and self.period not in _SHORT_PERIODS:
            raise bad_value(f"Period {self.period} is neither one of 1, 5, 10, 20, 30 nor a multiple of 60 seconds.")

    @property
    def periods(self) -> int:
        return int(-(-self.end // self.period) - self.start // self.period)


@dataclass(frozen=True)
class Datapoint:
    """One period's values by statistic; a percentile is absent where the observations are lost in statistic sets."""

    at: float
    unit: str
    values: Mapping[str, float]


def datapoints(call: Call, series: MetricName, asked: Range, statistics: Sequence[str]) -> list[Datapoint]:
    """Periods that have data, in time order; the first begins at `asked.start` rounded down to the period, as AWS does.

    Raises Fault InvalidParameterValue for a statistic that is none of the five and no percentile (p0 to p100).
    """
    percents = {name: percent for name in statistics if (percent := percent_of(name)) is not None}
    start = asked.start // asked.period * asked.period
    metrics = call.context.metrics
    found = []

    @cache
    def observations(unit: str) -> Mapping[float, list[Observation]]:
        by_period: dict[float, list[Observation]] = defaultdict(list)
        for observation in metrics.values(call.space, series, start, asked.end, unit):
            by_period[observation.at // asked.period * asked.period].append(observation)
        return by_period

    for bucket in metrics.statistics(call.space, series, start, asked.end, asked.period, asked.unit):
        values = {name: OF_BUCKET[name](bucket) for name in statistics if name not in percents}
        for name, percent in percents.items():
            if seen := observations(bucket.unit).get(bucket.at):
                values[name] = percentile(seen, percent)
        found.append(Datapoint(bucket.at, bucket.unit, values))
    return found


def percentile(observations: Sequence[Observation], percent: float) -> float:
    """Between order statistics by linear interpolation (Hyndman and Fan 1996, type 7), each value `weight` times."""
    ordered = sorted(observations, key=lambda observation: observation.value)
    rank = percent / 100 * (sum(observation.weight for observation in ordered) - 1)
    low = _at_rank(ordered, int(rank))
    return low + (_at_rank(ordered, int(rank) + 1) - low) * (rank - int(rank))


def _at_rank(ordered: Sequence[Observation], rank: int) -> float:
    for observation in ordered:
        if rank < observation.weight:
            return observation.value
        rank -= int(observation.weight)
    return ordered[-1].value


def percent_of(name: str) -> float | None:
    """The percentage of a percentile's name (p99.9), None for a plain statistic's; raises Fault InvalidParameterValue."""
    if name in OF_BUCKET:
        return None
    match = _PERCENTILE.fullmatch(name)
    if match is None:
        raise bad_value(
            f"The statistic '{name}' is none of {', '.join(OF_BUCKET)} and no percentile such as p99 or p99.9."
        )
    return float(match[1])


def bad_value(message: str) -> Fault:
    return Fault("InvalidParameterValue", message)

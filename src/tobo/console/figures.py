"""Figures: the points of CloudWatch's metrics that a page draws, asked for as GetMetricData's clients ask."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tobo.console.visit import Visit

Points = list[tuple[float, float]]
"""(epoch seconds, value), the oldest first."""


class Figure(NamedTuple):
    """A statistic of one metric."""

    metric: str
    dimensions: Mapping[str, str]
    statistic: str = "Average"


def points_of(
    visit: Visit, namespace: str, figures: Sequence[Figure], start: float, end: float, period: int
) -> list[Points]:
    """The points of each figure from start to end (epoch seconds), one a period of seconds. Raises GetMetricData's Faults."""
    asked: dict[str, Any] = {
        "MetricDataQueries": [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": figure.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in figure.dimensions.items()],
                    },
                    "Period": period,
                    "Stat": figure.statistic,
                },
            }
            for number, figure in enumerate(figures)
        ],
        "StartTime": datetime.fromtimestamp(start, UTC),
        "EndTime": datetime.fromtimestamp(end, UTC),
        "ScanBy": "TimestampAscending",
    }
    points: list[Points] = [[] for _ in figures]
    while figures:
        found = visit.quietly("cloudwatch", "GetMetricData", **asked)
        for one in found["MetricDataResults"]:
            points[int(one["Id"][1:])] += zip(map(epoch, one["Timestamps"]), one["Values"], strict=True)
        if not found.get("NextToken"):
            break
        asked["NextToken"] = found["NextToken"]
    return points


def epoch(at: datetime | float) -> float:
    """Epoch seconds of a time of an answer."""
    return at.timestamp() if isinstance(at, datetime) else float(at)

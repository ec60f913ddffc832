"""What an alarm's metric says, from points in a real metrics file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tobo.kit.arn import Namespace
from tobo.resources.alarms.measuring import SETTLING_SECONDS, evaluation_range, next_look
from tobo.telemetry.base import Point
from tobo.telemetry.series import SqlMetrics

SPACE = Namespace("1", "us-east-1")
END = 1_700_000_040  # a whole minute, not a whole five minutes
NOW = END + SETTLING_SECONDS
ALARM = {"Namespace": "Mine", "MetricName": "Load", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1}


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[SqlMetrics]:
    metrics = SqlMetrics(tmp_path / "metrics.db")
    yield metrics
    metrics.close()


def put(metrics: SqlMetrics, *points: tuple[float, float], unit: str = "None", **dimensions: str) -> None:
    """(seconds before END, value)"""
    metrics.put(SPACE, [Point("Mine", "Load", dimensions, END - ago, value, unit) for ago, value in points])


def values(metrics: SqlMetrics, now: float = NOW, **changed: Any) -> list[float | None]:
    seen = evaluation_range(metrics, SPACE, {**ALARM, **changed}, now)
    return [None if point is None else point.value for point in seen]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Statistic": "Average"}, [None, 7.0, 2.0]),
        ({"Statistic": "Sum"}, [None, 7.0, 6.0]),
        ({"Statistic": "Minimum"}, [None, 7.0, 1.0]),
        ({"Statistic": "Maximum"}, [None, 7.0, 3.0]),
        ({"Statistic": "SampleCount"}, [None, 1.0, 3.0]),
        ({"Statistic": None, "ExtendedStatistic": "p50"}, [None, 7.0, 2.0]),
        ({"Statistic": None, "ExtendedStatistic": "p100"}, [None, 7.0, 3.0]),
        ({"Unit": "Seconds"}, [None, None, None]),
        ({"Dimensions": [{"Name": "a", "Value": "b"}]}, [None, None, None]),
        ({"EvaluationPeriods": 2}, [None, None, 7.0, 2.0]),
        ({"Period": 30}, [None, 7.0, 2.0]),
        ({"Period": 300}, [None, None, 13 / 4]),
    ],
)
def test_datapoints(metrics: SqlMetrics, changed: dict[str, Any], expected: list[float | None]) -> None:
    put(metrics, (0, 99.0), (1, 1.0), (20, 2.0), (30, 3.0), (60.5, 7.0))
    if changed.get("Period") == 30:
        expected = [7.0, None, 2.0]
    assert values(metrics, **changed) == expected


def test_without_a_unit_all_units_count(metrics: SqlMetrics) -> None:
    put(metrics, (1, 2.0))
    put(metrics, (2, 4.0), unit="Seconds")
    assert values(metrics) == [None, None, 3.0]
    assert values(metrics, Unit="Seconds") == [None, None, 4.0]


def test_periods_of_minutes_move_every_minute(metrics: SqlMetrics) -> None:
    put(metrics, (1, 2.0))
    five = {"Period": 300}
    assert [values(metrics, NOW + later, **five)[-1] for later in (-1, 0, 60, 299, 300)] == [None, 2.0, 2.0, 2.0, None]
    starts = [point.at for point in evaluation_range(metrics, SPACE, {**ALARM, **five}, NOW) if point]
    assert starts == [END - 300]


@pytest.mark.parametrize(("period", "expected"), [(1, 1.0), (10, 10.0), (60, 60.0), (3600, 60.0)])
def test_the_next_look_comes_when_another_period_is_over(period: int, expected: float) -> None:
    assert next_look({"Period": period}, NOW) - NOW == expected
    assert next_look({"Period": period}, NOW + 0.4) - NOW == expected

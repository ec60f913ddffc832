"""What becomes of metrics as they grow old: on a real metrics file, by the clock."""

from typing import cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.operations.context import Context
from tobo.resources.metrics.work import LEARNING_CURVES, age
from tobo.telemetry.base import MetricName, Point

SPACE = Namespace("111122223333", "us-east-1")
LOAD = MetricName("Mine", "Load", {})
DAY = 86_400.0


def points(context: Context, series: MetricName) -> int:
    """How many the file has."""
    return len(context.metrics.statistics(SPACE, series, 0, 1e10, 1))


@pytest.mark.parametrize(
    ("days", "left"), [(0.9, 600), (1.1, 10), (14.9, 10), (15.1, 2), (62.9, 2), (63.1, 1), (454.9, 1), (455.1, 0)]
)
def test_points_grow_coarser_and_go(context: Context, days: float, left: int) -> None:
    clock = cast(SetClock, context.clock)
    clock.at = clock.at // 3600 * 3600
    curve, steps = LOAD._replace(namespace=LEARNING_CURVES[0]), LOAD._replace(namespace=LEARNING_CURVES[-1])
    for series, begin in ((LOAD, clock.at), (curve, clock.at), (steps, 0.0)):
        put = [Point(*series, begin + second, 1.0) for second in range(600)]
        context.metrics.put(SPACE, put)
    clock.turn(days * DAY)
    for _ in range(2):
        age(context)
        assert points(context, LOAD) == left
        assert points(context, curve) == points(context, steps) == 600
    assert context.metrics.names(SPACE, "Mine") == ([LOAD] if left else [])

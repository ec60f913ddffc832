"""What policies' metrics say, from points in a real metrics file: windows, rates, statistics, what was before a change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.operations.context import Context
from tobo.resources.autoscaling.measuring import tracked, work_waits
from tobo.resources.autoscaling.resource import Variant
from tobo.settings import Settings
from tobo.store.base import Key, Row
from tobo.telemetry.base import Point
from tobo.telemetry.series import SqlMetrics

SPACE = Namespace("1", "us-east-1")
VARIANT = Variant("e", "v")
OF_VARIANT = {"EndpointName": "e", "VariantName": "v"}
NOW = 1_700_000_001.5  # a whole period of 10 s is just over and written
END = 1_700_000_000.0
LONG_AGO = 0.0


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    nothing = cast(Any, None)
    metrics = SqlMetrics(tmp_path / "metrics.db")
    settings = Settings(tmp_path, scaling_period_seconds=10.0)
    yield Context(settings, SetClock(NOW), nothing, nothing, nothing, metrics, nothing, nothing, nothing)
    metrics.close()


def policy(**configuration: Any) -> Row:
    asked = {
        "PolicyName": "p",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 7.0, **configuration},
    }
    return Row(Key(SPACE, "scaling-policy", "endpoint/e/variant/v/p"), "arn", asked, {}, "", "Put", 0.0, 0.0)


def own(statistic: str, **more: Any) -> Row:
    metric = {"Namespace": "Mine", "MetricName": "Load", "Statistic": statistic, **more}
    return policy(CustomizedMetricSpecification=metric)


def invoked(context: Context, *counts: int) -> None:
    """So many requests in the last whole period, in the one before it, and so on."""
    points = [
        Point(
            "AWS/SageMaker", "Invocations", OF_VARIANT, END - 10 * (number + 1), float(count), "None", count, 0.0, 1.0
        )
        for number, count in enumerate(counts)
        if count
    ]
    context.metrics.put(SPACE, points)


@pytest.mark.parametrize(
    ("counts", "current", "late", "long"),
    [
        ((10, 10, 10), 1, 60.0, 12.0),
        ((10, 10, 10), 2, 30.0, 6.0),
        ((0, 0, 30, 99), 1, 60.0, 129 * 0.4),
        ((), 3, 0.0, 0.0),  # whoever counts every request knows that there was none
    ],
)
def test_requests_a_minute_and_instance(
    context: Context, counts: tuple[int, ...], current: int, late: float, long: float
) -> None:
    invoked(context, *counts)
    found = tracked(context, policy(), VARIANT, current, LONG_AGO)
    assert (found.late, found.long) == pytest.approx((late, long))
    assert (found.target, found.cooldown_out, found.cooldown_in, found.scales_in) == (7.0, 300.0, 300.0, True)


def test_what_was_before_a_change(context: Context) -> None:
    """Requests count whatever the capacity was; fewer instances are not asked for before it has lasted for long."""
    invoked(context, 10, 10, 10)
    changed = END - 15
    assert tracked(context, policy(), VARIANT, 1, changed).late == pytest.approx(60.0)
    assert tracked(context, policy(), VARIANT, 1, changed).long is None
    context.metrics.put(SPACE, [Point("Mine", "Load", {}, END - ago, value) for ago, value in ((5, 4.0), (20, 100.0))])
    assert tracked(context, own("Average"), VARIANT, 1, changed).late == 4.0
    assert tracked(context, own("Average"), VARIANT, 1, LONG_AGO).late == 52.0
    assert tracked(context, own("Average"), VARIANT, 1, END - 9).late is None


@pytest.mark.parametrize(
    ("statistic", "more", "late"),
    [
        ("Average", {}, 3.0),
        ("Minimum", {}, 1.0),
        ("Maximum", {}, 5.0),
        ("Sum", {}, 12.0),  # 6 in half a minute
        ("SampleCount", {}, 4.0),
        ("Average", {"Unit": "Count"}, 1.0),
        ("Average", {"Dimensions": [{"Name": "a", "Value": "b"}]}, None),
    ],
)
def test_statistics(context: Context, statistic: str, more: dict[str, Any], late: float | None) -> None:
    points = [Point("Mine", "Load", {}, END - 1, 5.0), Point("Mine", "Load", {}, END - 29, 1.0, "Count")]
    outside = [Point("Mine", "Load", {}, END, 50.0), Point("Mine", "Load", {}, END - 150.5, 70.0)]
    context.metrics.put(SPACE, [*points, *outside])
    found = tracked(context, own(statistic, **more), VARIANT, 1, LONG_AGO)
    assert found.late == (None if late is None else pytest.approx(late))
    assert found.metric == "Load"


@pytest.mark.parametrize(
    ("name", "dimensions", "ago", "value", "waits"),
    [
        ("NoCapacityInvocationFailures", OF_VARIANT, 1.0, 1.0, True),
        ("NoCapacityInvocationFailures", {**OF_VARIANT, "VariantName": "w"}, 1.0, 1.0, False),
        ("NoCapacityInvocationFailures", OF_VARIANT, 21.0, 1.0, False),
        ("NoCapacityInvocationFailures", OF_VARIANT, 6.0, 1.0, False),  # before it fell asleep
        ("HasBacklogWithoutCapacity", {"EndpointName": "e"}, 1.0, 1.0, True),
        ("HasBacklogWithoutCapacity", {"EndpointName": "e"}, 1.0, 0.0, False),
    ],
)
def test_waiting_work(
    context: Context, name: str, dimensions: dict[str, str], ago: float, value: float, waits: bool
) -> None:
    target = Row(Key(SPACE, "scalable-target", str(VARIANT)), "arn", {}, {}, "", "Following", 0.0, 0.0)
    assert not work_waits(context, target, VARIANT, NOW - 5)
    context.metrics.put(SPACE, [Point("AWS/SageMaker", name, dimensions, NOW - ago, value)])
    assert work_waits(context, target, VARIANT, NOW - 5) == waits

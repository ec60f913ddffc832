"""What a policy's metric says: its statistic over the last periods, from the metrics that CloudWatch's operations answer.

AWS asks for three minutes above the target, and fifteen below, one value a minute. A period is shorter here
(TOBO_SCALING_PERIOD_SECONDS), and the statistic is taken over all of them at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tobo.operations.context import Context
from tobo.resources.autoscaling.decisions import COOLDOWN, Tracked
from tobo.resources.autoscaling.requests import INVOCATIONS, TRACKING_CONFIGURATION
from tobo.resources.autoscaling.resource import Variant
from tobo.store.base import Row
from tobo.telemetry.base import MetricName

LATE, LONG = 3, 15
"""Periods above the target that ask for more instances, and below it that ask for fewer."""

SETTLING_SECONDS = 1.5
"""Until the counts of a period that is over are all written: endpoints are looked at once a second."""

FRESH_SECONDS = 20.0
"""So old a sign of waiting work may be: a backlog is measured every ten seconds."""

_MINUTE = 60.0
_ALL = 1 << 40
"""A period that holds every time there is."""


class Window(NamedTuple):
    """start <= time < end, in epoch seconds; `changed` is when the capacity became what it is."""

    start: float
    end: float
    changed: float


@dataclass(frozen=True)
class Totals:
    """What was seen in a window."""

    count: float
    sum: float
    least: float
    most: float


def windows(context: Context, changed: float) -> tuple[Window, Window]:
    """The last LATE and LONG periods."""
    period = context.settings.scaling_period_seconds
    end = (context.clock.now() - SETTLING_SECONDS) // period * period
    return Window(end - LATE * period, end, changed), Window(end - LONG * period, end, changed)


def tracked(context: Context, policy: Row, variant: Variant, current: int, changed: float) -> Tracked:
    """A policy with its metric's values, of `current` instances since `changed`."""
    configuration = policy.asked[TRACKING_CONFIGURATION]
    late, long = windows(context, changed)
    own = configuration.get("CustomizedMetricSpecification")
    values: list[float | None]
    if own is None:
        metric = INVOCATIONS
        values = [_invocations(context, policy, variant, window) / current for window in (late, long)]
    else:
        metric = own["MetricName"]
        values = [_statistic(context, policy, own, window) for window in (late, long)]
    return Tracked(
        policy.asked["PolicyName"],
        metric,
        configuration["TargetValue"],
        values[0],
        None if long.start < changed else values[1],
        configuration.get("ScaleOutCooldown", COOLDOWN),
        configuration.get("ScaleInCooldown", COOLDOWN),
        not configuration.get("DisableScaleIn", False),
    )


def work_waits(context: Context, target: Row, variant: Variant, changed: float) -> bool:
    """Whether there is work for a variant that has been without instances since `changed`, by AWS's metrics for that."""
    dimensions = {"EndpointName": variant.endpoint}
    for name, series in (
        ("NoCapacityInvocationFailures", {**dimensions, "VariantName": variant.name}),
        ("HasBacklogWithoutCapacity", dimensions),
    ):
        last = context.metrics.last(target.key.space, MetricName("AWS/SageMaker", name, series))
        if last is not None and last.value > 0 and last.at >= max(changed, context.clock.now() - FRESH_SECONDS):
            return True
    return False


def _invocations(context: Context, policy: Row, variant: Variant, window: Window) -> float:
    """A minute's requests to the variant: their number does not hang on how many instances there were."""
    series = MetricName("AWS/SageMaker", "Invocations", {"EndpointName": variant.endpoint, "VariantName": variant.name})
    seen = _seen(context, policy, series, window.start, window.end, None)
    return 0.0 if seen is None else seen.sum * _MINUTE / (window.end - window.start)


def _statistic(context: Context, policy: Row, own: Mapping[str, Any], window: Window) -> float | None:
    """Of the time since the capacity is what it is, a period at least; sums and counts as those of a minute."""
    start = max(window.start, window.changed)
    if window.end - start < context.settings.scaling_period_seconds:
        return None
    series = MetricName(
        own["Namespace"],
        own["MetricName"],
        {dimension["Name"]: dimension["Value"] for dimension in own.get("Dimensions", ())},
    )
    seen = _seen(context, policy, series, start, window.end, own.get("Unit"))
    if seen is None:
        return None
    per_minute = _MINUTE / (window.end - start)
    return {
        "Average": seen.sum / seen.count,
        "Minimum": seen.least,
        "Maximum": seen.most,
        "Sum": seen.sum * per_minute,
        "SampleCount": seen.count * per_minute,
    }[own["Statistic"]]


def _seen(
    context: Context, policy: Row, series: MetricName, start: float, end: float, unit: str | None
) -> Totals | None:
    found = context.metrics.statistics(policy.key.space, series, start, end, _ALL, unit)
    if not found:
        return None
    return Totals(
        sum(bucket.count for bucket in found),
        sum(bucket.sum for bucket in found),
        min(bucket.minimum for bucket in found),
        max(bucket.maximum for bucket in found),
    )

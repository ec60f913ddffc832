"""The curves of an endpoint's last hour: latency, requests, errors, and how many instances there were."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.console.figures import Figure, Points, points_of
from tobo.console.visit import Visit

HOUR, MINUTE = 3600.0, 60

FIGURES: Mapping[str, str] = {
    "latency": "Model latency, ms",
    "invocations": "Requests a minute",
    "errors": "Errors a minute",
    "instances": "Instances",
}
"""Curve -> its title."""

_METRICS: Mapping[str, tuple[Sequence[tuple[str, str, str]], float]] = {
    "latency": ((("ModelLatency", "p50", "p50"), ("ModelLatency", "p99", "p99")), 0.001),
    "invocations": ((("Invocations", "Sum", "requests"),), 1.0),
    "errors": ((("Invocation4XXErrors", "Sum", "4XX"), ("Invocation5XXErrors", "Sum", "5XX")), 1.0),
}
"""Curve -> (metric, statistic, its words), and what a value is multiplied with (microseconds -> ms)."""

_INVOCATIONS, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"

_LATE = 30.0
"""Seconds after which every instance has told of its processor."""


def course(visit: Visit, name: str, figure: str) -> dict[str, Any]:
    """What <live-chart> draws of the last hour, a point a minute. Raises the operations' Faults."""
    endpoint = visit.quietly("sagemaker", "DescribeEndpoint", EndpointName=name)
    variants = {one["VariantName"]: one for one in endpoint.get("ProductionVariants", [])}
    shadows = {one["VariantName"]: one for one in endpoint.get("ShadowProductionVariants", [])}
    titles = dict(zip(variants, variants, strict=True)) | {shadow: f"{shadow} (shadow)" for shadow in shadows}
    now = visit.context.clock.now()
    found = {"x": "time", "range": [now - HOUR, now]}
    if figure == "instances":
        return {**found, "series": _instances(visit, name, titles, {**variants, **shadows}, now), "stepped": True}
    return {**found, "series": _measured(visit, name, titles, figure, now)}


def _measured(visit: Visit, name: str, titles: Mapping[str, str], figure: str, now: float) -> list[dict[str, Any]]:
    metrics, factor = _METRICS.get(figure, _METRICS["latency"])
    wanted = [(variant, *metric) for variant in titles for metric in metrics]
    figures = [Figure(metric, _where(name, variant), statistic) for variant, metric, statistic, _ in wanted]
    points = points_of(visit, _INVOCATIONS, figures, now - HOUR, now + MINUTE, MINUTE)
    return [
        {
            "name": words if len(titles) == 1 else f"{titles[variant]} {words}",
            "points": [[at, value * factor] for at, value in its],
        }
        for (variant, _, _, words), its in zip(wanted, points, strict=True)
    ]


def _instances(
    visit: Visit, name: str, titles: Mapping[str, str], told: Mapping[str, Mapping[str, Any]], now: float
) -> list[dict[str, Any]]:
    """The most of each minute: how many told of their processor at a time, and those of now as they are described."""
    period = 10 if visit.context.settings.scaling_period_seconds >= 10 else 1  # how often they tell, or more finely
    figures = [Figure("CPUUtilization", _where(name, variant), "SampleCount") for variant in titles]
    points = points_of(visit, _INSTANCES, figures, now - HOUR, now, period)
    return [
        {
            "name": "instances" if len(titles) == 1 else titles[variant],
            "points": [*_by_minute(its, now), [now, told[variant].get("CurrentInstanceCount", 0)]],
        }
        for variant, its in zip(titles, points, strict=True)
    ]


def _by_minute(points: Points, now: float) -> list[list[float]]:
    """Minutes of which nothing was told, behind the first of which something was, had none."""
    most: dict[int, float] = {}
    for at, value in points:
        minute = int(at // MINUTE)
        most[minute] = max(most.get(minute, 0.0), value)
    if not most:
        return []
    last = max(int((now - _LATE) // MINUTE), max(most) + 1)
    return [[float(minute * MINUTE), most.get(minute, 0.0)] for minute in range(min(most), last)]


def _where(name: str, variant: str) -> dict[str, str]:
    return {"EndpointName": name, "VariantName": variant}

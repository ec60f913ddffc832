"""An endpoint's CloudWatch metrics: what its variants were asked and answered, who waits, and what their replicas use.

Source: SageMaker Developer Guide, "Metrics for monitoring SageMaker with CloudWatch".
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tobo.compute.base import Usage as Measured
from tobo.operations.context import Context
from tobo.operations.market import counted
from tobo.operations.metering import Usage, note_work
from tobo.operations.pricing import serverless_type
from tobo.resources.endpoints.fleets import Fleet, name_of, replicas_of
from tobo.resources.endpoints.routes import ROUTES, Route, address_of
from tobo.resources.endpoints.traffic import Traffic
from tobo.store.base import Row
from tobo.telemetry.base import Point

FLUSH_SECONDS = 10.0
"""Or autoscaling's period where that is shorter, so that what it asks for is there."""

_INVOCATIONS, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


def flush_metrics(context: Context, row: Row, at_once: bool = False) -> None:
    """Once a period, at the time when it began, so that a sum over periods is one of whole periods."""
    route = ROUTES.get(address_of(row))
    if route is None:
        return
    now = context.clock.now()
    period = min(FLUSH_SECONDS, context.settings.scaling_period_seconds)
    current = now // period * period
    points = list(_waiting(row, route, now))
    if current != route.flushed or at_once:
        route.flushed = current
        counted, route.traffic = route.traffic, {}
        for variant, traffic in counted.items():
            points += _invoked(row, variant, traffic, current - period)
            points += _sold(row, variant, traffic, current - period)
            _note_work(context, row, variant, traffic)
        points += _used(context, row, route, current - period)
    if points:
        context.metrics.put(row.key.space, points)


def _waiting(row: Row, route: Route, now: float) -> Iterator[Point]:
    """The sign by which autoscaling wakes a variant, at once."""
    for variant, gate in route.gates.items():
        if gate.asleep and gate.waiting:
            count = float(gate.waiting)
            yield Point(_INVOCATIONS, "NoCapacityInvocationFailures", _dimensions(row, variant), now, count, "Count")


def _invoked(row: Row, variant: str, traffic: Traffic, at: float) -> list[Point]:
    dimensions, count = _dimensions(row, variant), traffic.answered + traffic.refused
    points = [
        Point(_INVOCATIONS, name, dimensions, at, float(total), "None", count, 0.0, 1.0)
        for name, total in (
            ("Invocations", count),
            ("Invocation4XXErrors", traffic.client_errors),
            ("Invocation5XXErrors", traffic.server_errors),
        )
    ]
    instances = len(replicas_of(row.found["_fleet"], variant)) if row.found["_fleet"] else 0
    points.append(Point(_INVOCATIONS, "InvocationsPerInstance", dimensions, at, count / max(1, instances)))
    for alike, total in traffic.latencies.values():
        latency = Point(_INVOCATIONS, "ModelLatency", dimensions, at, total, "Microseconds", alike)
        points.append(replace(latency, minimum=total / alike, maximum=total / alike))
    return points


def _note_work(context: Context, row: Row, variant: str, traffic: Traffic) -> None:
    """A serverless variant is paid for while it works."""
    for each in (row.found["_fleet"] or {"variants": ()})["variants"]:
        if each["VariantName"] == variant and (serverless := each.get("ServerlessConfig")):
            usage = Usage(serverless_type(serverless["MemorySizeInMB"]), 1, variant, package=each.get("Package", ""))
            note_work(context, row, usage, sum(total for _, total in traffic.latencies.values()) / 1e6)


def _sold(row: Row, variant: str, traffic: Traffic, at: float) -> Iterator[Point]:
    """What a model package has answered, for whoever it was subscribed from."""
    fleet = row.found["_fleet"]
    packages = {each["VariantName"]: each.get("Package", "") for each in fleet["variants"]} if fleet else {}
    if traffic.served and (package := packages.get(variant)):
        yield counted(package, at, traffic.served)


def _used(context: Context, row: Row, route: Route, at: float) -> Iterator[Point]:
    """Processors and memory of each ready replica since the last look, in per cent of one processor and of its memory."""
    fleet: Fleet | None = row.found["_fleet"]
    seen: dict[str, tuple[float, Measured]] = {}
    for replica in fleet["replicas"] if fleet is not None else ():
        name = name_of(row, fleet or {}, replica)
        usage = context.hosting.usage(name) if replica["ready"] else None
        if usage is None:
            continue
        now = time.monotonic()
        seen[name] = (now, usage)
        dimensions = _dimensions(row, replica["variant"])
        if before := route.usage.get(name):
            share = (usage.cpu_seconds - before[1].cpu_seconds) / (now - before[0])
            yield Point(_INSTANCES, "CPUUtilization", dimensions, at, max(0.0, share) * 100, "Percent")
        if usage.memory_limit:
            share = usage.memory_bytes / usage.memory_limit
            yield Point(_INSTANCES, "MemoryUtilization", dimensions, at, share * 100, "Percent")
    route.usage = seen


def _dimensions(row: Row, variant: str) -> Mapping[str, str]:
    return {"EndpointName": row.key.name, "VariantName": variant}

"""Where invocations go and what became of them: kept in memory, since a request must not wait for the store.

The work of an endpoint says which variants answer (again after a restart of the server); invoke.py picks one and counts.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tobo.operations.context import Context
from tobo.store.base import Row
from tobo.telemetry.base import Point

FLUSH_SECONDS = 10.0


@dataclass
class Traffic:
    """Counts of one variant since they were written last. Latencies in microseconds, as CloudWatch's ModelLatency is."""

    invocations: int = 0
    client_errors: int = 0
    server_errors: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = 0.0

    def add(self, status: int, microseconds: float) -> None:
        """One answer of a replica, whatever its status."""
        self.invocations += 1
        self.total += microseconds
        self.least = min(self.least, microseconds)
        self.most = max(self.most, microseconds)
        if status >= 500:
            self.server_errors += 1
        elif status >= 400:
            self.client_errors += 1


@dataclass
class Route:
    """The variants of one endpoint with their weights."""

    variants: tuple[tuple[str, float], ...]
    traffic: dict[str, Traffic] = field(default_factory=dict)
    flushed: float = 0.0

    def pick(self) -> str:
        """A variant by weight."""
        if len(self.variants) == 1:
            return self.variants[0][0]
        names, weights = zip(*self.variants, strict=True)
        name: str = random.choices(names, weights)[0]
        return name


ROUTES: dict[tuple[str, str, str], Route] = {}
"""(account, region, endpoint) -> route, of the endpoints in service."""


def address(row: Row) -> tuple[str, str, str]:
    return (*row.key.space, row.key.name)


def set_route(row: Row, variants: Sequence[tuple[str, float]]) -> None:
    """Opens an endpoint to invocations, or changes its weights."""
    route = ROUTES.setdefault(address(row), Route(tuple(variants)))
    route.variants = tuple(variants)


def flush_traffic(context: Context, row: Row, at_once: bool = False) -> None:
    """Writes the counts as CloudWatch metrics of namespace AWS/SageMaker (Developer Guide, "Endpoint invocation metrics")."""
    route = ROUTES.get(address(row))
    now = context.clock.now()
    if route is None or (now - route.flushed < FLUSH_SECONDS and not at_once):
        return
    route.flushed = now
    points = []
    counted, route.traffic = route.traffic, {}
    for variant, traffic in counted.items():
        dimensions = {"EndpointName": row.key.name, "VariantName": variant}
        count = traffic.invocations
        for name, total in (
            ("Invocations", count),
            ("Invocation4XXErrors", traffic.client_errors),
            ("Invocation5XXErrors", traffic.server_errors),
        ):
            points.append(Point("AWS/SageMaker", name, dimensions, now, float(total), "None", count, 0.0, 1.0))
        points.append(
            Point(
                "AWS/SageMaker",
                "ModelLatency",
                dimensions,
                now,
                traffic.total,
                "Microseconds",
                count,
                traffic.least,
                traffic.most,
            )
        )
    if points:
        context.metrics.put(row.key.space, points)

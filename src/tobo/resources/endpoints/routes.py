"""Where invocations go and what became of them: kept in memory, since a request must not wait for the store.

The work of an endpoint says which replicas may answer (again after a restart of the server); invoke.py picks and counts.
"""

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tobo.compute.base import Usage
from tobo.hosting.base import Answer, Invocation
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.resources.endpoints.backlog import Backlog
from tobo.resources.endpoints.capture import Capture
from tobo.resources.endpoints.deployment import Shift, shift_of
from tobo.resources.endpoints.fleets import Fleet, Variant, group_of, instances_of, variant_of
from tobo.resources.endpoints.gates import Gate, fit_gates
from tobo.resources.endpoints.replicas import ml_root
from tobo.resources.endpoints.review import Review
from tobo.resources.endpoints.serverless import Demand
from tobo.resources.endpoints.shelves import Shelf
from tobo.resources.endpoints.traffic import Traffic
from tobo.store.base import Row

WAKE_SECONDS = 0.2
"""Between two requests to the controller to look at an endpoint whose replicas are missed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A variant of a fleet: the hosting group that answers for it, and its part of the traffic.

    `weight` is its part of all requests, `share` that of the requests which name its variant: two fleets may have it.
    """

    variant: str
    group: str
    weight: float
    share: float
    demand: Demand | None = None
    """Of serverless variants."""
    shelf: Shelf | None = None
    """Of variants with several models."""
    gate: Gate | None = None
    """Of variants with instances."""


@dataclass
class Route:
    """Where the requests to one endpoint go. `targets` is replaced as a whole: a request sees the old ones or the new."""

    row: Row
    targets: tuple[Target, ...] = ()
    shadows: tuple[Target, ...] = ()
    """Each gets a copy of `weight` of the requests; `copies` are under way."""
    sleepers: tuple[Target, ...] = ()
    """Variants without instances that autoscaling wakes when they are asked."""
    copies: int = 0
    capture: Capture | None = None
    review: Review | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """The endpoint's, of which the review was made."""
    backlog: Backlog | None = None
    """Of asynchronous endpoints."""
    drained: bool = False
    """Nothing is left of a time when it was one."""
    demands: dict[str, Demand] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    traffic: dict[str, Traffic] = field(default_factory=dict)
    usage: dict[str, tuple[float, Usage]] = field(default_factory=dict)
    """What replicas had used when they were looked at last (time.monotonic), by name."""
    flushed: float = 0.0
    woken: float = 0.0

    def pick(self, variant: str | None = None) -> Target:
        """A target by weight, or one of the variant that the request names. Raises Fault ValidationError."""
        targets = self.targets
        if variant is None:
            if len(targets) == 1:
                return targets[0]
            if targets:
                return random.choices(targets, [target.weight for target in targets])[0]
        named = [target for target in targets if target.variant == variant]
        named = named or [target for target in self.sleepers if variant in (None, target.variant)]
        if not named:
            raise _nowhere(self.row, variant)
        return random.choices(named, [target.share for target in named])[0]

    def tell(self, variant: str, invocation: Invocation, answer: Answer, inference_id: str) -> None:
        """What goes with each answer that is no error; costs microseconds and never raises."""
        for each in (self.capture, self.review):
            if each is not None:
                each.add(variant, invocation, answer, inference_id)

    def miss(self, context: Context) -> None:
        """Has the controller look at the endpoint now: a request finds no replica."""
        now = time.monotonic()
        if now - self.woken > WAKE_SECONDS:
            self.woken = now
            context.wake(self.row)


ROUTES: dict[tuple[str, str, str], Route] = {}
"""(account, region, endpoint) -> route, of the endpoints that answer."""


def open_route(context: Context, row: Row) -> Route:
    """Says where requests go now, by what the row holds and, while traffic is shifted, by the time."""
    route = ROUTES.setdefault(address_of(row), Route(row))
    route.row = row
    share = 0.0
    if (following := row.found["_next"]) is not None and following["serving_since"] is not None:
        share = shift_to_next(row).share(context.clock.now() - following["serving_since"])
    shares = [(row.found["_fleet"], 1 - share), (following, share)]
    parts = [(fleet, part) for fleet, part in shares if fleet is not None and part > 0]
    fit_gates(context, route.gates, [fleet for fleet, _ in parts], route.traffic)
    route.targets = tuple(target for fleet, part in parts for target in _targets(context, route, fleet, part))
    route.sleepers = tuple(target for fleet, part in parts for target in _sleepers(context, route, fleet, part))
    route.shadows = tuple(_shadows(row, following if share == 1 else row.found["_fleet"]))
    return route


def close_route(row: Row) -> Route | None:
    """Ends an endpoint's traffic; the route that it had."""
    return ROUTES.pop(address_of(row), None)


def shift_to_next(row: Row) -> Shift:
    """How the traffic moves from the fleet that answers to the next one; at once where none answers."""
    following = row.found["_next"]
    if row.found["_fleet"] is None:
        return Shift((1.0,), 0.0, 0.0)
    return shift_of(following["deployment"], instances_of(following))


def address_of(row: Row) -> tuple[str, str, str]:
    return (*row.key.space, row.key.name)


def _targets(context: Context, route: Route, fleet: Fleet, share: float) -> Iterator[Target]:
    """The production variants that have replicas, or get them when they are asked; until a resize is through they have
    the weights that they had."""
    awake = [v for v in fleet["variants"] if not v["Shadow"] and (v["InstanceCount"] or v.get("ServerlessConfig"))]
    before = {v["VariantName"]: v["Weight"] for v in (fleet["before"] or fleet)["variants"]}
    weights = {variant["VariantName"]: before[variant["VariantName"]] for variant in awake}
    total = sum(weights.values())
    for variant in awake:
        name = variant["VariantName"]
        weight = weights[name] / total if total else 1 / len(awake)
        group, shelf = group_of(route.row, fleet, name), _shelf(context, route.row, fleet, variant)
        demand = _demand(route, variant)
        gate = route.gates[name] if demand is None else None
        yield Target(name, group, weight * share, share, demand, shelf, gate)


def _sleepers(context: Context, route: Route, fleet: Fleet, share: float) -> Iterator[Target]:
    """The variants without instances that a request wakes: scalable targets that may have none. Others are paused."""
    names = [
        v["VariantName"]
        for v in fleet["variants"]
        if not (v["Shadow"] or v["InstanceCount"] or v.get("ServerlessConfig"))
    ]
    if not names:
        return
    space, _, endpoint = route.row.key
    resources = {f"endpoint/{endpoint}/variant/{name}": name for name in names}
    found = context.as_house(
        space,
        "application-autoscaling",
        "DescribeScalableTargets",
        ServiceNamespace="sagemaker",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        ResourceIds=list(resources),
    )
    for target in found["ScalableTargets"]:
        if target["MinCapacity"] == 0 < target["MaxCapacity"]:
            name = resources[target["ResourceId"]]
            shelf = _shelf(context, route.row, fleet, variant_of(fleet, name))
            yield Target(name, group_of(route.row, fleet, name), share, share, None, shelf, route.gates[name])


def _shelf(context: Context, row: Row, fleet: Fleet, variant: Variant) -> Shelf | None:
    if not variant.get("MultiModel"):
        return None
    return Shelf(context, row.key.space, variant["ModelData"], ml_root(context, row, fleet, variant["VariantName"]))


def _demand(route: Route, variant: Variant) -> Demand | None:
    serverless = variant.get("ServerlessConfig")
    if not serverless:
        return None
    demand = route.demands.setdefault(variant["VariantName"], Demand())
    demand.limit = serverless["MaxConcurrency"]
    return demand


def _shadows(row: Row, fleet: Fleet | None) -> Iterator[Target]:
    """A shadow variant's weight beside that of the production variant is the part of the requests that it gets."""
    if fleet is None:
        return
    for shadow in fleet["variants"]:
        if shadow["Shadow"] and shadow["InstanceCount"]:
            name = shadow["VariantName"]
            production = sum(variant["Weight"] for variant in fleet["variants"] if not variant["Shadow"])
            part = min(1.0, shadow["Weight"] / production) if production else 1.0
            yield Target(name, group_of(row, fleet, name), part, part)


def _nowhere(row: Row, variant: str | None) -> Fault:
    known = [v["VariantName"] for v in (row.found["_fleet"] or row.found["_next"])["variants"] if not v["Shadow"]]
    if variant is None or variant in known:
        who = f"Endpoint {row.key.name}" if variant is None else f"Variant {variant} of endpoint {row.key.name}"
        return Fault(
            "ValidationError",
            f"{who} is paused: it has 0 instances. UpdateEndpointWeightsAndCapacities with a DesiredInstanceCount of 1 or "
            "more wakes it.",
        )
    return Fault(
        "ValidationError", f"Variant {variant} of endpoint {row.key.name} was not found; it has {', '.join(known)}."
    )

"""What the controller does for an endpoint: the fleet that answers is kept up, and changes happen beside it."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tobo.compute.limits import machine_cpus
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.deploying import Deployment, record_deployment
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, key_in_memory, register
from tobo.operations.metering import METERS, Meter, Usage
from tobo.resources.endpoints import features, replicas, states
from tobo.resources.endpoints.api import KIND
from tobo.resources.endpoints.fleets import Fleet, died_starting, grown, replicas_of, settled, shrunk
from tobo.resources.endpoints.metrics import flush_metrics
from tobo.resources.endpoints.rollback import check_alarms
from tobo.resources.endpoints.routes import Route, close_route, open_route, shift_to_next
from tobo.resources.endpoints.serverless import Demand, replicas_wanted
from tobo.store.base import Row

POLL_SECONDS = 0.03
HEALTH_POLL_SECONDS = 1.0
DELETION_GRACE = 10.0

_looked: dict[tuple[str, int], float] = {}
"""When the fleet that answers was looked at last, by state folder and row."""


def stand_up(context: Context, row: Row) -> Outcome:
    """Until every replica of the next fleet answered a ping. Raises Fault where one died or took too long."""
    found = _keep_up(context, row)
    tended = _tend_next(context, row)
    if tended.ready:
        return Done({**found, "_next": {**tended.fleet, "serving_since": context.clock.now()}})
    return _again(row, POLL_SECONDS, {**found, "_next": tended.fleet})


def shift(context: Context, row: Row) -> Outcome:
    """Moves the traffic as the deployment says. Raises Fault where a replica of the next fleet dies, or an alarm goes off."""
    _open(context, row)
    elapsed = context.clock.now() - row.found["_next"]["serving_since"]
    if elapsed >= shift_to_next(row).end:
        return Happened("serving", {"_fleet": row.found["_next"], "_next": None, "_old": row.found["_fleet"]})
    if not _is_time(context, row):
        return Again(POLL_SECONDS)
    if row.found["_fleet"] is not None:  # else there is nothing to go back to
        check_alarms(context, row.key.space, row.found["_next"]["deployment"])
    return _again(row, POLL_SECONDS, {"_next": _tend_next(context, row).fleet, **_keep_up(context, row)})


def resize(context: Context, row: Row) -> Outcome:
    """Until each variant has as many ready replicas as it shall have. Raises Fault where an added one died."""
    _open(context, row)
    fleet = row.found["_fleet"]
    tended = replicas.tend(context, row, fleet)
    short = {
        variant["VariantName"]
        for variant in fleet["variants"]
        if sum(r["ready"] for r in replicas_of(tended.fleet, variant["VariantName"])) < variant["InstanceCount"]
    }
    if not short:
        settled_fleet, surplus = settled(tended.fleet)
        return Happened("serving", {"_fleet": settled_fleet, "_old": surplus})
    for replica, reason in tended.dead:
        if replica["variant"] in short and replica["number"] > fleet["before"]["last"]:
            raise Fault("ClientError", reason)
    return _again(row, POLL_SECONDS, {"_fleet": replicas.replace_dead(context, row, tended)})


def release(context: Context, row: Row) -> Outcome:
    """The fleet that goes gets no more requests; what it has begun it finishes."""
    _open(context, row)
    old = row.found["_old"]
    replicas.stop(context, row, old, old["replicas"], replicas.DRAIN_SECONDS)
    return Done()


def retire(context: Context, row: Row) -> Outcome:
    """Until nothing of the fleet that goes runs any more."""
    found = _keep_up(context, row)
    old = row.found["_old"]
    if not replicas.gone(context, row, old):
        return _again(row, POLL_SECONDS, found)
    if old["number"] != row.found["_fleet"]["number"]:
        replicas.remove_files(context, row, old)
    return Happened("retired", {**found, "_old": None})


def supervise(context: Context, row: Row) -> Outcome:
    """Replaces dead replicas and follows the demand for serverless variants, for as long as the endpoint is in service."""
    _looked.pop(key_in_memory(context, row), None)
    found = _keep_up(context, row)
    fleet = found["_fleet"]
    if all(replica["ready"] for replica in fleet["replicas"]) or died_starting(row.found["_fleet"], fleet):
        return _again(row, HEALTH_POLL_SECONDS, found)
    return _again(row, POLL_SECONDS, found)


def record(context: Context, row: Row) -> Outcome:
    """What is deployed, in lineage, once: one action a deployment, whose number may be an earlier endpoint's of the name."""
    fleet = row.found["_fleet"]
    if row.found.get("_recorded") == fleet["number"]:  # it was scaled
        return Done()
    record_deployment(
        context,
        row.key.space,
        Deployment(
            name=f"{row.key.name}-{row.id}-{fleet['number']}",
            models=[variant["ModelData"] for variant in fleet["variants"]],
            kind="Endpoint",
            place_name=row.key.name,
            place_arn=row.arn,
            packages=[variant.get("Package", "") for variant in fleet["variants"]],
        ),
    )
    return Done({"_recorded": fleet["number"]})


def stop_replicas(context: Context, row: Row) -> Outcome:
    """For an endpoint that failed to start: nothing of it goes on."""
    _stop_all(context, row)
    return Done({"_next": {**row.found["_next"], "replicas": []}})


def remove(context: Context, row: Row) -> Outcome:
    """Replicas, folder and at last the row itself; the log stays."""
    flush_metrics(context, row, at_once=True)
    route = close_route(row)
    if route is not None:
        features.end(route)
    features.drop_backlog(context, row)
    _stop_all(context, row)
    _looked.pop(key_in_memory(context, row), None)
    context.store.delete(row)
    return Done()


def _open(context: Context, row: Row) -> Route:
    """Says where requests go now, and what goes with them."""
    route = open_route(context, row)
    features.follow(context, route)
    return route


def _keep_up(context: Context, row: Row) -> dict[str, Any]:
    """Now and then, what keeps the fleet that answers alive; what is to be written of it."""
    if row.found["_fleet"] is None or not _is_time(context, row):
        return {}
    _looked[key_in_memory(context, row)] = time.monotonic()
    demands = _open(context, row).demands
    flush_metrics(context, row)
    fleet = replicas.replace_dead(context, row, replicas.tend(context, row, row.found["_fleet"]))
    return {"_fleet": _fit_to_demand(context, row, fleet, demands)}


def _fit_to_demand(context: Context, row: Row, fleet: Fleet, demands: Mapping[str, Demand]) -> Fleet:
    """More or fewer replicas for the serverless variants; the new ones start when the fleet is tended next."""
    most = max(1, int(context.settings.cpus or machine_cpus()))
    for variant in fleet["variants"]:
        if not variant.get("ServerlessConfig"):
            continue
        name = variant["VariantName"]
        have = len(replicas_of(fleet, name))
        wanted = replicas_wanted(variant, demands[name], have, most, context.settings.serverless_idle_seconds)
        fleet, surplus = shrunk(grown(fleet, name, wanted), name, wanted)
        replicas.stop(context, row, fleet, surplus, replicas.DRAIN_SECONDS)
    return fleet


def _is_time(context: Context, row: Row) -> bool:
    """Whether the fleet that answers was not looked at for a while, or has replicas that start."""
    fleet = row.found["_fleet"]
    if fleet is not None and not all(replica["ready"] for replica in fleet["replicas"]):
        return True
    return time.monotonic() - _looked.get(key_in_memory(context, row), 0.0) >= HEALTH_POLL_SECONDS


def _tend_next(context: Context, row: Row) -> replicas.Tended:
    """Raises Fault where a replica of the next fleet is dead, or the deployment takes longer than it may."""
    fleet = row.found["_next"]
    policy = fleet["deployment"].get("BlueGreenUpdatePolicy", {})
    limit = policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None and context.clock.now() - fleet["since"] > limit:
        raise Fault("ClientError", f"The deployment took longer than MaximumExecutionTimeoutInSeconds of {limit}.")
    tended = replicas.tend(context, row, fleet)
    if tended.dead:
        raise Fault("ClientError", tended.dead[0][1])
    return tended


def _again(row: Row, seconds: float, found: Mapping[str, Any]) -> Again:
    """Writes only what is new."""
    changed = {member: value for member, value in found.items() if value != row.found[member]}
    return Again(seconds, changed or None)


def _stop_all(context: Context, row: Row) -> None:
    for member in ("_fleet", "_next", "_old"):
        if fleet := row.found[member]:
            replicas.stop(context, row, fleet, fleet["replicas"], DELETION_GRACE)
    replicas.remove_files(context, row)


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(stand_up, shift, resize, release, retire, record, supervise, stop_replicas, remove),
        on_step=states.on_step,
    )
)


def usage(row: Row) -> list[Usage]:
    """What each variant has, of the fleet that answers, of one that is being made and of one that is going."""
    counts = Counter[tuple[str, str, str]]()
    for fleet in (row.found.get(member) for member in ("_fleet", "_next", "_old")):
        kinds = {
            v["VariantName"]: (v.get("InstanceType", ""), v.get("Package", ""))
            for v in (fleet or {}).get("variants", ())
        }
        counts.update((replica["variant"], *kinds[replica["variant"]]) for replica in (fleet or {}).get("replicas", ()))
    return [
        Usage(of, count, part, package=package)
        for (part, of, package), count in sorted(counts.items())
        if of and row.state != "Deleting"
    ]


METERS[KIND] = Meter(usage, frozenset(states.STATUS.values()) - {"Failed", "Deleting"}, usage)

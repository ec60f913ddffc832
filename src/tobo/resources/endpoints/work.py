"""What the controller does for an endpoint: lays models out, starts replicas, replaces the dead; each command is safe to repeat."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tobo.algorithms import find_algorithm
from tobo.compute.instances import instance
from tobo.hosting.base import Dead, Ready, ReplicaSpec
from tobo.kit.fault import Fault
from tobo.kit.states import Step
from tobo.operations.artifacts import lay_model_out, serving_environment
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.endpoints import states
from tobo.resources.endpoints.api import KIND
from tobo.resources.endpoints.routes import ROUTES, address, flush_traffic, set_route
from tobo.store.base import Row

log = logging.getLogger("tobo.endpoints")

START_POLL_SECONDS = 0.03
HEALTH_POLL_SECONDS = 1.0


def group_of(row: Row, variant: str) -> str:
    """The hosting group of a variant; invoke.py builds the same from its request."""
    return f"{row.key.space.account}/{row.key.space.region}/{row.key.name}/{variant}"


def deploy(context: Context, row: Row) -> Outcome:
    """Unpacks each variant's model and starts its replicas."""
    replicas = []
    for variant in row.found["_variants"]:
        lay_model_out(context, row.key.space, variant, _folder(context, row) / variant["VariantName"])
        replicas += [_replica(row, variant, ordinal, generation=1) for ordinal in range(variant["InstanceCount"])]
    for replica in replicas:
        _start(context, row, replica)
    return Done({"_replicas": replicas})


def await_ready(context: Context, row: Row) -> Outcome:
    """InService when every replica answered a ping; Failed when one died or none answered in time."""
    replicas = [dict(replica) for replica in row.found["_replicas"]]
    for replica in replicas:
        state = context.hosting.look(replica["name"])
        if isinstance(state, Dead):
            raise Fault("ClientError", f"The model of variant '{replica['variant']}' did not start: {state.reason}")
        replica["ready"] = isinstance(state, Ready)
    if all(replica["ready"] for replica in replicas):
        _open(row)
        return Happened("ready", {"_replicas": replicas})
    seconds = max(variant["StartSeconds"] for variant in row.found["_variants"])
    if context.clock.now() - row.created > seconds:
        slow = next(replica for replica in replicas if not replica["ready"])
        raise Fault(
            "ClientError",
            f"The primary container for production variant {slow['variant']} did not pass the ping health check within "
            f"{seconds} s. Please check CloudWatch logs for this endpoint.",
        )
    return Again(START_POLL_SECONDS)


def supervise(context: Context, row: Row) -> Outcome:
    """Looks at each replica and replaces the dead ones, for as long as the endpoint is in service."""
    _open(row)
    flush_traffic(context, row)
    replicas = []
    for replica in row.found["_replicas"]:
        state = context.hosting.look(replica["name"])
        if isinstance(state, Dead):
            log.warning("replica %s is dead (%s) and is replaced", replica["name"], state.reason)
            context.hosting.stop(replica["name"], 0.0)
            variant = next(v for v in row.found["_variants"] if v["VariantName"] == replica["variant"])
            lay_model_out(context, row.key.space, variant, _folder(context, row) / variant["VariantName"])
            replica = _replica(row, variant, replica["ordinal"], replica["generation"] + 1)
            _start(context, row, replica)
        else:
            replica = {**replica, "ready": isinstance(state, Ready)}
        replicas.append(replica)
    changed = replicas != row.found["_replicas"]
    return Again(HEALTH_POLL_SECONDS, {"_replicas": replicas} if changed else None)


def stop_replicas(context: Context, row: Row) -> Outcome:
    """For an endpoint that failed to start: nothing of it goes on."""
    _stop_all(context, row)
    return Done({"_replicas": []})


def remove(context: Context, row: Row) -> Outcome:
    """Replicas, folder and at last the row itself; the log stays."""
    flush_traffic(context, row, at_once=True)
    ROUTES.pop(address(row), None)
    _stop_all(context, row)
    context.store.delete(row)
    return Done()


def _open(row: Row) -> None:
    set_route(row, [(variant["VariantName"], variant["Weight"]) for variant in row.found["_variants"]])


def _stop_all(context: Context, row: Row) -> None:
    for name in _names_to_stop(row):
        context.hosting.stop(name)
    shutil.rmtree(_folder(context, row), ignore_errors=True)


def _names_to_stop(row: Row) -> set[str]:
    """Every replica that may have been started: a deletion can overtake the command that was about to write it down."""
    variants = {variant["VariantName"]: variant for variant in row.found["_variants"]}
    first = [
        _replica(row, variant, ordinal, 1)
        for variant in variants.values()
        for ordinal in range(variant["InstanceCount"])
    ]
    written = row.found["_replicas"]
    next_ones = [_replica(row, variants[r["variant"]], r["ordinal"], r["generation"] + 1) for r in written]
    return {replica["name"] for replica in (*first, *written, *next_ones)}


def _folder(context: Context, row: Row) -> Path:
    return context.settings.state / "endpoints" / str(row.id)


def _replica(row: Row, variant: Mapping[str, Any], ordinal: int, generation: int) -> dict[str, Any]:
    name = f"{group_of(row, variant['VariantName'])}/{row.id}-{ordinal}-{generation}"
    return {
        "name": name,
        "variant": variant["VariantName"],
        "ordinal": ordinal,
        "generation": generation,
        "ready": False,
    }


def _start(context: Context, row: Row, replica: Mapping[str, Any]) -> None:
    variant = next(v for v in row.found["_variants"] if v["VariantName"] == replica["variant"])
    algorithm = find_algorithm(variant["Image"])
    if algorithm is None:
        raise Fault("ClientError", f"The image '{variant['Image']}' does not run here any more.")
    machine = instance(variant["InstanceType"])
    stream = f"{replica['variant']}/i-{row.id:08x}{replica['ordinal']:04x}{replica['generation']:05x}"
    root = _folder(context, row) / variant["VariantName"]
    context.hosting.start(
        ReplicaSpec(
            group=group_of(row, variant["VariantName"]),
            name=replica["name"],
            ml_root=root,
            log=context.logs.stream_file(row.key.space, f"/aws/sagemaker/Endpoints/{row.key.name}", stream),
            entry=algorithm.serve,
            environment=serving_environment(context, row.key.space, root, variant["Environment"]),
            cpus=machine.vcpus,
            memory_bytes=machine.memory_bytes,
        )
    )


def _on_step(row: Row, step: Step, now: float, message: str) -> Mapping[str, Any]:
    return {"FailureReason": message[:1024]} if step.state == "Failed" else {}


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands={command.__name__: command for command in (deploy, await_ready, supervise, stop_replicas, remove)},
        on_step=_on_step,
    )
)

"""The replicas of a fleet as processes: lays models out, starts, looks, stops; each deed is safe to repeat."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tobo.compute.instances import instance
from tobo.hosting.base import Dead, Ready, ReplicaState, Starting
from tobo.kit.fault import Fault
from tobo.operations.artifacts import lay_model_out, replica_spec
from tobo.operations.context import Context
from tobo.resources.endpoints.fleets import Fleet, Replica, Variant, group_of, name_of, replaced, variant_of
from tobo.store.base import Row

log = logging.getLogger("tobo.endpoints")

DRAIN_SECONDS = 60.0
"""What a replica that leaves a serving endpoint has to finish its requests: as long as a model may answer."""


_begun: set[tuple[str, str]] = set()
"""Replicas that this server process has started and that are not ready yet, by state folder and name."""


LONGEST_ASYNC_SECONDS = 3600
"""Of an asynchronous request (API reference, InvocationTimeoutSeconds): a model that works on it is not stuck before."""


class Tended(NamedTuple):
    """A fleet as it was just seen, and its dead replicas, each with one sentence."""

    fleet: dict[str, Any]
    dead: list[tuple[Replica, str]]

    @property
    def ready(self) -> bool:
        return not self.dead and all(replica["ready"] for replica in self.fleet["replicas"])


def tend(context: Context, row: Row, fleet: Fleet) -> Tended:
    """Starts the replicas that were not ready yet and looks at all; one that cannot be started counts as dead."""
    seen: list[Replica] = []
    dead: list[tuple[Replica, str]] = []
    for replica in fleet["replicas"]:
        state = _started(context, row, fleet, replica)
        if reason := _death(context, fleet, replica, state):
            dead.append((replica, reason))
        seen.append({**replica, "ready": isinstance(state, Ready)})
    return Tended({**fleet, "replicas": seen}, dead)


def replace_dead(context: Context, row: Row, tended: Tended) -> dict[str, Any]:
    """The fleet with new replicas for the dead ones; they start when it is tended next, after they were written down."""
    for replica, reason in tended.dead:
        name = name_of(row, tended.fleet, replica)
        log.warning("replica %s is replaced: %s", name, reason)
        context.hosting.stop(name, 0.0)
    return replaced(tended.fleet, [replica["number"] for replica, _ in tended.dead])


def stop(context: Context, row: Row, fleet: Fleet, replicas: Sequence[Replica], grace: float) -> None:
    """No new requests for these replicas; what they have begun they may finish for `grace` seconds."""
    for replica in replicas:
        name = name_of(row, fleet, replica)
        context.hosting.stop(name, grace)
        _begun.discard((str(context.settings.state), name))


def gone(context: Context, row: Row, fleet: Fleet) -> bool:
    """Whether nothing of the stopped replicas of a fleet runs any more."""
    return all(context.hosting.gone(name_of(row, fleet, replica)) for replica in fleet["replicas"])


def remove_files(context: Context, row: Row, fleet: Fleet | None = None) -> None:
    """Removes the model folders of a fleet, or of the whole endpoint."""
    folder = _folder(context, row)
    shutil.rmtree(folder / str(fleet["number"]) if fleet else folder, ignore_errors=True)


def ml_root(context: Context, row: Row, fleet: Fleet, variant: str) -> Path:
    """The /opt/ml tree that the replicas of a variant share."""
    return _folder(context, row) / str(fleet["number"]) / variant


def _started(context: Context, row: Row, fleet: Fleet, replica: Replica) -> ReplicaState:
    """How a replica is, which this server process starts once before it was ready: the last one may have died over it."""
    name = name_of(row, fleet, replica)
    mark = (str(context.settings.state), name)
    if not replica["ready"] and mark not in _begun:
        try:
            _start(context, row, fleet, replica)
        except Fault as fault:
            return Dead(fault.message)
        _begun.add(mark)
    state = context.hosting.look(name)
    if not isinstance(state, Starting):
        _begun.discard(mark)
    return state


def _death(context: Context, fleet: Fleet, replica: Replica, state: ReplicaState) -> str:
    """Why a replica counts as dead; "" where it does not."""
    variant = variant_of(fleet, replica["variant"])
    name, seconds = variant["VariantName"], variant["StartSeconds"]
    if isinstance(state, Dead):
        what = (
            f"A replica of variant '{name}' died"
            if replica["ready"]
            else f"The model of variant '{name}' did not start"
        )
        return f"{what}: {state.reason}"
    if isinstance(state, Starting) and context.clock.now() - state.since > seconds:
        return (
            f"The primary container for production variant {name} did not pass the ping health check within {seconds} s. "
            "Please check CloudWatch logs for this endpoint."
        )
    return ""


def _folder(context: Context, row: Row) -> Path:
    return context.settings.state / "endpoints" / str(row.id)


def _start(context: Context, row: Row, fleet: Fleet, replica: Replica) -> None:
    variant = variant_of(fleet, replica["variant"])
    space, root = row.key.space, ml_root(context, row, fleet, replica["variant"])
    lay_model_out(context, space, variant, root)
    cpus, memory = _size(variant)
    stream = f"{replica['variant']}/i-{row.id:06x}{fleet['number']:05x}{replica['number']:06x}"
    context.hosting.start(
        replica_spec(
            context,
            space,
            variant,
            group=group_of(row, fleet, replica["variant"]),
            name=name_of(row, fleet, replica),
            root=root,
            log=context.logs.stream_file(space, f"/aws/sagemaker/Endpoints/{row.key.name}", stream),
            cpus=cpus,
            memory_bytes=memory,
            told={"TOBO_ANSWER_SECONDS": str(LONGEST_ASYNC_SECONDS)} if fleet.get("AsyncInferenceConfig") else {},
        )
    )


def _size(variant: Variant) -> tuple[float, int]:
    """Processors and bytes of memory of a replica; a serverless one has a processor a GiB."""
    if serverless := variant.get("ServerlessConfig"):
        mebibytes = serverless["MemorySizeInMB"]
        return mebibytes / 1024, mebibytes << 20
    machine = instance(variant["InstanceType"])
    return machine.vcpus, machine.memory_bytes

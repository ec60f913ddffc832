"""What the controller does for a transform job; each command is safe to repeat."""

import logging
import math
import shutil
from collections.abc import Mapping
from functools import partial
from typing import Any

from tobo.compute.instances import instance
from tobo.compute.limits import machine_cpus
from tobo.hosting.base import Dead, Ready
from tobo.kit.fault import Fault
from tobo.operations.artifacts import lay_model_out, replica_spec, start_seconds
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, key_in_memory, register
from tobo.operations.market import counted
from tobo.operations.metering import meter_job
from tobo.resources.transform_jobs import states
from tobo.resources.transform_jobs.api import KIND
from tobo.resources.transform_jobs.plan import (
    DEFAULT_TIMEOUT,
    GROUP,
    concurrency,
    hosting_group,
    job_folder,
    read_plan,
    stream_suffix,
)
from tobo.resources.transform_jobs.record import record
from tobo.resources.transform_jobs.scoring import Scoring
from tobo.store.base import Row

log = logging.getLogger("tobo.transform")

START_POLL_SECONDS, POLL_SECONDS, HEALTH_POLL_SECONDS = 0.03, 0.1, 1.0

SCORINGS: dict[tuple[str, int], Scoring] = {}
"""What is being scored in this process, by state folder and row; a lost one is started anew from the disk."""


def reserve(context: Context, row: Row) -> Outcome:
    """A place on the machine, and how many replicas share it: one a core, none that could not be asked."""
    cpus, memory = _size(row)
    if not context.compute.reserve(_place(row), cpus, memory):
        return Again(POLL_SECONDS)
    cores = context.settings.cpus or machine_cpus()
    count = max(1, min(math.ceil(cpus), math.floor(cores), concurrency(row) or math.ceil(cpus)))
    return Happened("granted", {"_replicas": [{"ordinal": number, "generation": 1} for number in range(count)]})


def deploy(context: Context, row: Row) -> Outcome:
    """Unpacks the model and starts its replicas."""
    lay_model_out(context, row.key.space, row.found["_container"], job_folder(context, row))
    for replica in row.found["_replicas"]:
        _start(context, row, replica)
    return Done()


def await_ready(context: Context, row: Row) -> Outcome:
    """Until every replica answers; Fault when one died or took too long."""
    looks = [context.hosting.look(_name(row, replica)) for replica in row.found["_replicas"]]
    for look in looks:
        if isinstance(look, Dead):
            raise Fault(
                "ClientError", f"ClientError: The model '{row.asked['ModelName']}' did not start: {look.reason}"
            )
    if all(isinstance(look, Ready) for look in looks):
        return Happened("ready")
    seconds = start_seconds(context, row.found["_container"])
    if context.clock.now() - row.found["TransformStartTime"] > seconds:
        raise Fault("ClientError", f"ClientError: The model did not answer a ping within {seconds} s; see its log.")
    return Again(START_POLL_SECONDS)


def transform(context: Context, row: Row) -> Outcome:
    """Follows the scoring, which it starts where there is none, and replaces replicas that died."""
    at = key_in_memory(context, row)
    scoring = SCORINGS.get(at)
    if scoring is None:
        scoring = SCORINGS[at] = Scoring(context, read_plan(context, row), partial(context.wake, row))
    _sell(context, row, scoring)
    if scoring.over:
        del SCORINGS[at]
        if scoring.error is not None:
            raise scoring.error
        if scoring.failures.by_key:
            return Happened("failed", message=scoring.failures.reason(scoring.objects))
        return Happened("finished")
    replicas = [_revived(context, row, replica) for replica in row.found["_replicas"]]
    return Again(HEALTH_POLL_SECONDS, {"_replicas": replicas} if replicas != row.found["_replicas"] else None)


def _sell(context: Context, row: Row, scoring: Scoring) -> None:
    """What a model package has answered since the last look, for whoever it was subscribed from."""
    count = scoring.served - scoring.sold
    scoring.sold += count
    if count and (package := row.found["_container"].get("Package")):
        context.metrics.put(row.key.space, [counted(package, context.clock.now(), count)])


def halt(context: Context, row: Row) -> Outcome:
    """Gives up what is being scored."""
    _end_scoring(context, row)
    return Happened("halted")


def clean(context: Context, row: Row) -> Outcome:
    """Replicas, place and folder are given back; outputs and logs stay."""
    _end_scoring(context, row)
    for replica in row.found["_replicas"]:
        for generation in (replica["generation"], replica["generation"] + 1):  # one may not have been written down
            context.hosting.stop(_name(row, {**replica, "generation": generation}), 0.0)
    context.compute.release(_place(row))
    shutil.rmtree(job_folder(context, row), ignore_errors=True)
    return Done()


def _end_scoring(context: Context, row: Row) -> None:
    at = key_in_memory(context, row)
    scoring = SCORINGS.pop(at, None)
    if scoring is not None:
        scoring.stop()
        _sell(context, row, scoring)


def _revived(context: Context, row: Row, replica: Mapping[str, Any]) -> Mapping[str, Any]:
    """The replica, or the one that takes the place of a dead one."""
    name = _name(row, replica)
    state = context.hosting.look(name)
    if not isinstance(state, Dead):
        return replica
    log.warning("replica %s is dead (%s) and is replaced", name, state.reason)
    context.hosting.stop(name, 0.0)
    following = {**replica, "generation": replica["generation"] + 1}
    _start(context, row, following)
    return following


def _start(context: Context, row: Row, replica: Mapping[str, Any]) -> None:
    container: Mapping[str, Any] = row.found["_container"]
    seconds = row.asked.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT)
    environment = {**container["Environment"], **row.asked.get("Environment", {})}
    space, count = row.key.space, len(row.found["_replicas"])
    stream = f"{row.key.name}/{stream_suffix(row, replica['ordinal'])}{replica['generation']:05x}"
    cpus, memory = _size(row)
    context.hosting.start(
        replica_spec(
            context,
            space,
            {**container, "Environment": environment},
            group=hosting_group(row),
            name=_name(row, replica),
            root=job_folder(context, row),
            log=context.logs.stream_file(space, GROUP, stream),
            cpus=max(1.0, cpus / count),
            memory_bytes=memory // count,
            told={"TOBO_ANSWER_SECONDS": str(seconds)},  # a model that works for so long is not stuck
        )
    )


def _size(row: Row) -> tuple[float, int]:
    """Processors and bytes of memory of all instances together."""
    resources = row.asked["TransformResources"]
    machine, count = instance(resources["InstanceType"]), resources["InstanceCount"]
    return machine.vcpus * count, machine.memory_bytes * count


def _name(row: Row, replica: Mapping[str, Any]) -> str:
    return f"{hosting_group(row)}/{row.id}-{replica['ordinal']}-{replica['generation']}"


def _place(row: Row) -> str:
    return f"{hosting_group(row)}/{row.id}"


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(reserve, deploy, await_ready, transform, halt, clean, record),
        on_step=lambda row, step, now, message: states.on_step(step.state, now, message),
    )
)

meter_job(
    KIND,
    lambda row: row.asked["TransformResources"],
    "TransformStartTime",
    "TransformEndTime",
    ("InProgress", "Stopping"),
    lambda row: row.found.get("_container", {}).get("Package", ""),
)

"""What a plan says: its row, its stages, which devices a stage selects, and how far each stage is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context
from tobo.operations.edge import TOLD, stage_key
from tobo.operations.rows import known_row
from tobo.store.base import Query, Row

KIND = "edge-deployment"

DO_NOTHING: Mapping[str, Any] = {"FailureHandlingPolicy": "DO_NOTHING"}
"""The DeploymentConfig of a stage that has none."""

_LONGEST = 40
"""Characters of a plan's name in the name of a deployment, which has 63 at most."""


def plan_row(call: Call, name: str) -> Row:
    """Raises Fault ResourceNotFound."""
    return known_row(call, KIND, name, _missing)


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"There is no edge deployment plan '{arn.rsplit('/', 1)[-1]}'.")


def stage_of(plan: Row, name: str) -> Mapping[str, Any]:
    """A stage as it was asked; raises Fault ResourceNotFound."""
    for stage in stages_of(plan):
        if stage["StageName"] == name:
            return stage
    raise Fault("ResourceNotFound", f"The plan '{plan.key.name}' has no stage '{name}'.")


def stages_of(plan: Row) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = plan.asked.get("Stages", [])
    return found


def policy_of(stage: Mapping[str, Any]) -> str:
    return str(stage.get("DeploymentConfig", DO_NOTHING)["FailureHandlingPolicy"])


def deployment_name(stage: Row, start: int | None = None) -> str:
    """Unique for good: of each start of each stage, the last one unless said otherwise."""
    plan = stage.asked["EdgeDeploymentPlanName"][:_LONGEST].rstrip("-")
    return f"{plan}-{stage.id}-{start or stage.found['_round']}"


def selected(stage: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The devices that a stage is for, among those of the fleet, which come in the order of their names.

    A percentage is rounded up, and takes the first ones: 10 % of 3 devices is one device, and 10 % and then 50 % of the
    same fleet is a roll-out that goes on, not one to other devices.
    """
    selection = stage["DeviceSelectionConfig"]
    if selection["DeviceSubsetType"] == "SELECTION":
        wanted = set(selection["DeviceNames"])
        return [name for name in names if name in wanted]
    if selection["DeviceSubsetType"] == "NAMECONTAINS":
        return [name for name in names if selection["DeviceNameContains"] in name]
    return list(names[: math.ceil(len(names) * selection["Percentage"] / 100)])


def counts(context: Context, stage: Row | None) -> tuple[int, int, int]:
    """How many of a stage's devices have succeeded, are pending, have failed. Who was taken back has failed."""
    if stage is None:
        return 0, 0, 0

    def count(status: str) -> int:
        prefix = f"{deployment_name(stage)}/"
        return context.store.count(Query(stage.key.space, TOLD, name_prefix=prefix, status=status))

    succeeded = count("DEPLOYED") + len(stage.found["_already"])
    return succeeded, count("INPROGRESS") + count("STOPPING"), count("FAILED") + count("STOPPED")


def totals(context: Context, plan: Row) -> tuple[int, int, int]:
    """The same of a whole plan; a device that has it from one stage counts once, though others have selected it, too."""
    succeeded = pending = failed = 0
    for stage in stages_of(plan):
        row = context.store.get(stage_key(plan.key.space, plan.key.name, stage["StageName"]))
        of_stage = counts(context, row)
        elsewhere = 0 if row is None else sum(by != stage["StageName"] for by in row.found["_already"].values())
        succeeded, pending, failed = succeeded + of_stage[0] - elsewhere, pending + of_stage[1], failed + of_stage[2]
    return succeeded, pending, failed

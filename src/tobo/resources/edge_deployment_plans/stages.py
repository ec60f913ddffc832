"""Starting and stopping stages, and what each of their devices did."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.edge import STAGE, device_arn, devices_of, stage_key, told_in
from tobo.operations.listing import Tokens
from tobo.operations.machine import advance_fresh
from tobo.operations.registry import Asked, operation
from tobo.resources.edge_deployment_plans import states
from tobo.resources.edge_deployment_plans.api import plan_resource
from tobo.resources.edge_deployment_plans.plan import (
    deployment_name,
    plan_row,
    selected,
    stage_of,
    stages_of,
)
from tobo.store.base import AlreadyExists, Event, Row


@operation("sagemaker", "StartEdgeDeploymentStage", resource=plan_resource)
def start_edge_deployment_stage(call: Call, asked: Asked) -> dict[str, Any]:
    """One that is over or was stopped starts anew, for the devices that do not have its models yet: those that failed, that
    joined the fleet, or that were enrolled again.

    Raises Fault ResourceNotFound; ResourceInUse while a stage of the plan is under way.
    """
    plan = plan_row(call, asked["EdgeDeploymentPlanName"])
    stage_of(plan, asked["StageName"])
    for other in stages_of(plan):
        row = call.context.store.get(stage_key(call.space, plan.key.name, other["StageName"]))
        if row is not None and row.state not in states.IDLE:
            raise Fault(
                "ResourceInUse",
                f"The stage '{other['StageName']}' of the plan '{plan.key.name}' is {row.status}; one stage of a plan "
                "is deployed at a time.",
            )
    if not _started(call, plan, asked["StageName"]):
        advance_fresh(call.context, lambda: _startable(call, asked), "start")
    return {}


@operation("sagemaker", "StopEdgeDeploymentStage", resource=plan_resource)
def stop_edge_deployment_stage(call: Call, asked: Asked) -> dict[str, Any]:
    """Who has not answered yet is told nothing any more; who has deployed keeps it. A roll-back goes on.

    Raises Fault ResourceNotFound; ValidationException where it is not under way.
    """
    advance_fresh(call.context, lambda: _stoppable(call, asked), "stop")
    return {}


@operation("sagemaker", "ListStageDevices", resource=plan_resource)
def list_stage_devices(call: Call, asked: Asked) -> dict[str, Any]:
    """In the order of their names. Of a stage that has not started: those that it would select now."""
    plan = plan_row(call, asked["EdgeDeploymentPlanName"])
    stage = stage_of(plan, asked["StageName"])
    row = call.context.store.get(stage_key(call.space, plan.key.name, asked["StageName"]))
    found = _selectable(call, plan, stage) if row is None else _told(call, row)
    if asked.get("ExcludeDevicesDeployedInOtherStage"):
        found = {
            name: one for name, one in found.items() if one.get("DeployedStageName", "") in ("", stage["StageName"])
        }
    tokens = Tokens.of(f"{STAGE}-devices", asked)
    after = tokens.read(asked.get("NextToken"))
    names = [name for name in sorted(found) if after is None or name > str(after[0])]
    page = names[: asked.get("MaxResults") or 10]
    common = {
        "EdgeDeploymentPlanArn": plan.arn,
        "EdgeDeploymentPlanName": plan.key.name,
        "StageName": stage["StageName"],
        "DeviceFleetName": plan.asked["DeviceFleetName"],
    }
    fleet = plan.asked["DeviceFleetName"]
    answer: dict[str, Any] = {
        "DeviceDeploymentSummaries": [
            {**common, "DeviceName": name, "DeviceArn": device_arn(call.space, fleet, name), **found[name]}
            for name in page
        ]
    }
    if len(names) > len(page):
        answer["NextToken"] = tokens.write((page[-1], 0))
    return answer


def _started(call: Call, plan: Row, stage: str) -> bool:
    """Whether it is started for the first time, which its row's making does."""
    key = stage_key(call.space, plan.key.name, stage)
    now = call.now
    row = Row(
        key=key,
        arn=f"{plan.arn}/stage/{stage}",
        asked={"EdgeDeploymentPlanName": plan.key.name, "StageName": stage},
        found=states.stage_step("Starting", now, "", {}),
        status=states.STAGE_STATUS["Starting"],
        state="Starting",
        created=now,
        modified=now,
        due=now,
        todo=("select",),
    )
    try:
        call.context.wake(call.context.store.insert(row, Event(now, "start", "Starting")))
    except AlreadyExists:
        return False
    return True


def _startable(call: Call, asked: Asked) -> Row:
    row = _row(call, asked)
    if row.state in states.IDLE:
        return row
    raise Fault("ResourceInUse", f"The stage '{asked['StageName']}' is {row.status} already.")


def _stoppable(call: Call, asked: Asked) -> Row:
    row = _row(call, asked)
    if row.state in states.IDLE:
        raise validation(
            f"The stage '{asked['StageName']}' is {row.status}; only one that is under way can be stopped."
        )
    return row


def _row(call: Call, asked: Asked) -> Row:
    plan = plan_row(call, asked["EdgeDeploymentPlanName"])
    stage_of(plan, asked["StageName"])
    row = call.context.store.get(stage_key(call.space, plan.key.name, asked["StageName"]))
    if row is None:
        raise validation(f"The stage '{asked['StageName']}' is READYTODEPLOY; start it first.")
    return row


def _selectable(call: Call, plan: Row, stage: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    devices = {
        row.asked["DeviceName"]: row for row in devices_of(call.context, call.space, plan.asked["DeviceFleetName"])
    }
    return {
        name: {"DeviceDeploymentStatus": "READYTODEPLOY", **_description(devices[name])}
        for name in selected(stage, list(devices))
    }


def _told(call: Call, row: Row) -> dict[str, dict[str, Any]]:
    stage = row.asked["StageName"]
    found: dict[str, dict[str, Any]] = {
        name: {"DeviceDeploymentStatus": "DEPLOYED", "DeployedStageName": by}
        for name, by in row.found["_already"].items()
    }
    for told in told_in(call.context, call.space, deployment_name(row)):
        found[told.asked["DeviceName"]] = {
            "DeviceDeploymentStatus": told.status,
            **({"DeployedStageName": stage} if told.state == "Deployed" else {}),
            **({"DeviceDeploymentStatusMessage": told.found["_message"]} if told.found.get("_message") else {}),
            **_description(told),
            "DeploymentStartTime": told.created,
        }
    return found


def _description(row: Row) -> dict[str, str]:
    return {"Description": row.asked["Description"]} if "Description" in row.asked else {}

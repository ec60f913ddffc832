"""The operations on plans and their stages. Source of members and errors: API reference, ...EdgeDeployment{Plan,Stage}."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.edge import stage_key, told_in
from tobo.operations.listing import page_of
from tobo.operations.registry import Asked, operation
from tobo.operations.rows import add_row, change_row
from tobo.resources.edge_deployment_plans import states
from tobo.resources.edge_deployment_plans.plan import (
    DO_NOTHING,
    KIND,
    counts,
    deployment_name,
    plan_row,
    stage_of,
    stages_of,
    totals,
)
from tobo.resources.edge_deployment_plans.requests import check_plan, check_stages
from tobo.store.base import Conflict, Row


def plan_resource(call: Call, asked: Asked) -> str:
    """The plan that a request is about, for the check of policies."""
    return sagemaker_arn(call.space, KIND, asked.get("EdgeDeploymentPlanName", "*"))


@operation("sagemaker", "CreateEdgeDeploymentPlan", resource=plan_resource)
def create_edge_deployment_plan(call: Call, asked: Asked) -> dict[str, Any]:
    """Raises Fault ResourceInUse, ResourceNotFound, ValidationException."""
    check_plan(call, asked)
    check_stages(asked.get("Stages", []))
    row = add_row(call, KIND, asked["EdgeDeploymentPlanName"], asked, _taken)
    return {"EdgeDeploymentPlanArn": row.arn}


@operation("sagemaker", "DescribeEdgeDeploymentPlan", resource=plan_resource)
def describe_edge_deployment_plan(call: Call, asked: Asked) -> dict[str, Any]:
    """With a page of its stages, in their order."""
    plan = plan_row(call, asked["EdgeDeploymentPlanName"])
    stages, more = page_of(stages_of(plan), f"{KIND}-stages", asked, 100)
    return {**plan.asked, **head(call, plan), "Stages": [_described(call, plan, stage) for stage in stages], **more}


@operation("sagemaker", "DeleteEdgeDeploymentPlan", resource=plan_resource)
def delete_edge_deployment_plan(call: Call, asked: Asked) -> dict[str, Any]:
    """Devices keep what they have. Raises Fault ResourceInUse while a stage is under way."""
    name = asked["EdgeDeploymentPlanName"]
    while True:
        plan = plan_row(call, name)
        for stage in stages_of(plan):
            _check_idle(call, plan, stage["StageName"])
        for stage in stages_of(plan):
            _forget(call, plan, stage["StageName"])
        try:
            call.context.store.delete(plan)
        except Conflict:
            continue  # a stage was added or the plan was tagged meanwhile
        return {}


@operation("sagemaker", "CreateEdgeDeploymentStage", resource=plan_resource)
def create_edge_deployment_stage(call: Call, asked: Asked) -> dict[str, Any]:
    """Stages behind those that the plan has. Raises Fault ResourceNotFound, ValidationException."""

    def added(plan: Row) -> Mapping[str, Any]:
        check_stages(asked["Stages"], [stage["StageName"] for stage in stages_of(plan)])
        return {"asked": {**plan.asked, "Stages": [*stages_of(plan), *asked["Stages"]]}}

    change_row(call, lambda: plan_row(call, asked["EdgeDeploymentPlanName"]), "stages added", added)
    return {}


@operation("sagemaker", "DeleteEdgeDeploymentStage", resource=plan_resource)
def delete_edge_deployment_stage(call: Call, asked: Asked) -> dict[str, Any]:
    """Raises Fault ResourceNotFound; ResourceInUse while it is under way."""
    name = asked["StageName"]
    plan = plan_row(call, asked["EdgeDeploymentPlanName"])
    stage_of(plan, name)
    _check_idle(call, plan, name)
    _forget(call, plan, name)

    def removed(plan: Row) -> Mapping[str, Any]:
        return {"asked": {**plan.asked, "Stages": [one for one in stages_of(plan) if one["StageName"] != name]}}

    change_row(call, lambda: plan_row(call, asked["EdgeDeploymentPlanName"]), "stage deleted", removed)
    return {}


def head(call: Call, plan: Row) -> dict[str, Any]:
    """The members that summaries and descriptions share."""
    succeeded, pending, failed = totals(call.context, plan)
    return {
        "EdgeDeploymentPlanArn": plan.arn,
        "EdgeDeploymentPlanName": plan.key.name,
        "DeviceFleetName": plan.asked["DeviceFleetName"],
        "EdgeDeploymentSuccess": succeeded,
        "EdgeDeploymentPending": pending,
        "EdgeDeploymentFailed": failed,
        "CreationTime": plan.created,
        "LastModifiedTime": plan.modified,
    }


def _described(call: Call, plan: Row, stage: Mapping[str, Any]) -> dict[str, Any]:
    row = call.context.store.get(stage_key(call.space, plan.key.name, stage["StageName"]))
    succeeded, pending, failed = counts(call.context, row)
    status: dict[str, Any] = {
        "StageStatus": "READYTODEPLOY" if row is None else row.status,
        "EdgeDeploymentSuccessInStage": succeeded,
        "EdgeDeploymentPendingInStage": pending,
        "EdgeDeploymentFailedInStage": failed,
    }
    if row is not None:
        status |= {"EdgeDeploymentStageStartTime": row.found["_started"]}
        status |= {"EdgeDeploymentStatusMessage": row.found["_message"]} if row.found["_message"] else {}
    return {"DeploymentConfig": DO_NOTHING, **stage, "DeploymentStatus": status}


def _check_idle(call: Call, plan: Row, stage: str) -> None:
    """Raises Fault ResourceInUse."""
    row = call.context.store.get(stage_key(call.space, plan.key.name, stage))
    if row is not None and (row.state not in states.IDLE or row.todo):
        raise Fault(
            "ResourceInUse",
            f"The stage '{stage}' of the plan '{plan.key.name}' is {row.status}; stop it and wait until it is over.",
        )


def _forget(call: Call, plan: Row, stage: str) -> None:
    """What its devices were told, then the stage's row: who is killed in between does it again."""
    row = call.context.store.get(stage_key(call.space, plan.key.name, stage))
    if row is None:
        return
    starts = range(1, row.found["_round"] + 1)
    for one in [one for start in starts for one in told_in(call.context, call.space, deployment_name(row, start))]:
        _remove(call, one)
    try:
        call.context.store.delete(row)
    except Conflict:
        raise Fault("ResourceInUse", f"The stage '{stage}' is being changed; try again.") from None


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"An edge deployment plan of this name exists ({arn}); choose another name.")


def _remove(call: Call, told: Row | None) -> None:
    """What a device was told, also while its work writes down that it has it."""
    while told is not None:
        try:
            call.context.store.delete(told)
            return
        except Conflict:
            told = call.context.store.get(told.key)

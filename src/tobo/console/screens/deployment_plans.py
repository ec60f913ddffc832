"""Edge deployment plans: the list, one with the progress of its stages, making one, starting and stopping."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tobo.console.choices import names_of
from tobo.console.edge import numbered
from tobo.console.lists import addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

MOVING = ("STARTING", "INPROGRESS", "STOPPING")
DEVICES_SHOWN = 100
"""Of a stage; the others are counted."""


@shown("/deployment-plans")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, sort="CREATION_TIME")
    found = visit.call("sagemaker", "ListEdgeDeploymentPlans", **asked)
    return visit.page(
        "deployment_plans/list.html",
        plans=found["EdgeDeploymentPlanSummaries"],
        next_token=found.get("NextToken"),
        asked=asked,
        at=addresses(visit, "deployment-plans"),
    )


@shown("/deployment-plans/create")
def _form(visit: Visit) -> Response:
    return visit.page(
        "deployment_plans/create.html",
        fleets=names_of(visit, "ListDeviceFleets", "DeviceFleetSummaries", "DeviceFleetName"),
        jobs=names_of(
            *(visit, "ListEdgePackagingJobs", "EdgePackagingJobSummaries", "EdgePackagingJobName"),
            StatusEquals="COMPLETED",
        ),
    )


@posted("/deployment-plans/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name, job = fields.get("name", ""), fields.get("job", "")
    if not job:
        raise Fault("ValidationException", "A plan deploys a packaging job that is COMPLETED; choose one.")
    model = visit.quietly("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=job)["ModelName"]
    stages = [_stage(row) for row in numbered(fields, "stage", "how", "which", "policy") if "stage" in row]
    visit.change(
        "sagemaker",
        "CreateEdgeDeploymentPlan",
        EdgeDeploymentPlanName=name,
        DeviceFleetName=fields.get("fleet", ""),
        ModelConfigs=[{"ModelHandle": model, "EdgePackagingJobName": job}],
        Stages=stages,
    )
    return visit.done(url("deployment-plans", name), f"Plan {name} is there; nothing moves before a stage is started.")


@shown("/deployment-plans/{name}")
def _show(visit: Visit) -> Response:
    name = visit.path["name"]
    plan = visit.call("sagemaker", "DescribeEdgeDeploymentPlan", EdgeDeploymentPlanName=name)
    stages = [{**stage, **_devices(visit, name, stage)} for stage in plan["Stages"]]
    return visit.page(
        "deployment_plans/show.html",
        plan=plan,
        stages=stages,
        moving=any(stage["DeploymentStatus"]["StageStatus"] in MOVING for stage in stages),
        MOVING=MOVING,
        older=_older(visit, plan),
    )


@posted("/deployment-plans/{name}/start")
def _start(visit: Visit) -> Response:
    name, stage = visit.path["name"], fields_of(visit.form).get("stage", "")
    visit.change("sagemaker", "StartEdgeDeploymentStage", EdgeDeploymentPlanName=name, StageName=stage)
    return visit.done(url("deployment-plans", name), f"Stage {stage} has started.")


@posted("/deployment-plans/{name}/stop")
def _stop(visit: Visit) -> Response:
    name, stage = visit.path["name"], fields_of(visit.form).get("stage", "")
    visit.change("sagemaker", "StopEdgeDeploymentStage", EdgeDeploymentPlanName=name, StageName=stage)
    return visit.done(url("deployment-plans", name), f"Stage {stage} stops; who has the model already keeps it.")


@posted("/deployment-plans/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteEdgeDeploymentPlan", EdgeDeploymentPlanName=name)
    return visit.done(url("deployment-plans"), f"Plan {name} is deleted; devices keep what they have.")


def _stage(row: Mapping[str, str]) -> dict[str, Any]:
    """A stage as its row of the form says. Raises Fault ValidationException for a percentage that is none."""
    how, which = row.get("how", "PERCENTAGE"), row.get("which", "")
    chosen: dict[str, Any] = {"DeviceSubsetType": how}
    if how == "PERCENTAGE":
        if not (which.isascii() and which.isdigit()):
            raise Fault("ValidationException", f"'{which}' of the stage '{row['stage']}' is no whole percentage.")
        chosen["Percentage"] = int(which)
    elif how == "SELECTION":
        chosen["DeviceNames"] = which.replace(",", " ").split()
    else:
        chosen["DeviceNameContains"] = which
    policy = {"FailureHandlingPolicy": row.get("policy", "ROLLBACK_ON_FAILURE")}
    return {"StageName": row["stage"], "DeviceSelectionConfig": chosen, "DeploymentConfig": policy}


def _devices(visit: Visit, plan: str, stage: Mapping[str, Any]) -> dict[str, Any]:
    """The devices of a stage, and how many there are of it as far as is known."""
    asked = {"EdgeDeploymentPlanName": plan, "StageName": stage["StageName"]}
    found = visit.quietly("sagemaker", "ListStageDevices", **asked, MaxResults=DEVICES_SHOWN)
    told, devices = stage["DeploymentStatus"], found["DeviceDeploymentSummaries"]
    counted = sum(told[f"EdgeDeployment{what}InStage"] for what in ("Success", "Pending", "Failed"))
    return {"devices": devices, "total": max(counted, len(devices)), "more": "NextToken" in found}


def _older(visit: Visit, plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Other packaging jobs of the same model, newest first: what one can go back to."""
    current = {model["EdgePackagingJobName"]: model["ModelHandle"] for model in plan["ModelConfigs"]}
    handle = next(iter(current.values()))
    try:
        found = visit.quietly(
            "sagemaker", "ListEdgePackagingJobs", ModelNameContains=handle, StatusEquals="COMPLETED", MaxResults=20
        )
    except Fault:
        return []
    jobs = found["EdgePackagingJobSummaries"]
    return [job for job in jobs if job["ModelName"] == handle and job["EdgePackagingJobName"] not in current]


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _show, _start, _stop, _delete)

"""Devices: those of all fleets, one with what its heartbeats and frames tell, and going back to another version."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from tobo.console.choices import names_of
from tobo.console.edge import SPANS, device_figures, device_state, live_view, with_states
from tobo.console.lists import PAGE, addresses
from tobo.console.routing import Screen, posted, shown
from tobo.console.sent_home import sent_home
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

KEPT = {"margin": "the model was unsure", "random": "drawn at random"}
REASONS = {
    "class": "its class",
    "unknown": "no label counts",
    "late": "decided too late",
    "close": "too close to a threshold",
    "failed": "the camera or the model failed",
    "override": "all parts are told so",
}
"""Words for what a device says of a frame: why it was kept, why it fell so."""


@shown("/devices")
def _list(visit: Visit) -> Response:
    query = visit.query
    asked = {"DeviceFleetName": query.get("fleet"), "ModelName": query.get("model"), "NextToken": query.get("token")}
    found = visit.call(
        "sagemaker", "ListDevices", **{name: value for name, value in asked.items() if value}, MaxResults=PAGE
    )
    return visit.page(
        "devices/list.html",
        devices=with_states(visit, found["DeviceSummaries"]),
        fleets=names_of(visit, "ListDeviceFleets", "DeviceFleetSummaries", "DeviceFleetName"),
        next_token=found.get("NextToken"),
        at=addresses(visit, "devices"),
    )


@shown("/devices/{fleet}/{device}")
def _show(visit: Visit) -> Response:
    fleet, name = visit.path["fleet"], visit.path["device"]
    device = visit.call("sagemaker", "DescribeDevice", DeviceFleetName=fleet, DeviceName=name)
    return visit.page(
        "devices/show.html",
        device=device,
        state=device_state(device.get("LatestHeartbeat"), visit.context.clock.now()),
        span=_span(visit),
        spans=SPANS,
        sent=sent_home(visit, fleet, name),
        KEPT=KEPT,
        REASONS=REASONS,
        older=_older(visit, device.get("Models", [])),
    )


@shown("/devices/{fleet}/{device}/figures")
def _figures(visit: Visit) -> Response:
    return JSONResponse(device_figures(visit, visit.path["fleet"], visit.path["device"], _span(visit)))


@shown("/devices/{fleet}/{device}/live")
def _live(visit: Visit) -> Response:
    """What the device shows now; to ask is what makes it show itself."""
    return JSONResponse(live_view(visit, visit.path["fleet"], visit.path["device"]))


@posted("/devices/{fleet}/{device}/back")
def _package(visit: Visit) -> Response:
    """The older model, packaged again: devices refuse a bundle that is older than theirs."""
    fleet, device, older = visit.path["fleet"], visit.path["device"], fields_of(visit.form).get("job", "")
    job = visit.quietly("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=older)
    name = _next(visit, older)
    members = ("CompilationJobName", "ModelName", "ModelVersion", "RoleArn", "OutputConfig")
    asked = {member: job[member] for member in members if member in job}
    asked["OutputConfig"] = {"S3OutputLocation": job["OutputConfig"]["S3OutputLocation"]}
    visit.change("sagemaker", "CreateEdgePackagingJob", EdgePackagingJobName=name, **asked)
    return visit.done(url("devices", fleet, device, "back", name), f"Packaging job {name} has begun.")


@shown("/devices/{fleet}/{device}/back/{job}")
def _back(visit: Visit) -> Response:
    """How far going back has come: the bundle, then the button that sends it to this device."""
    fleet, device, job = visit.path["fleet"], visit.path["device"], visit.path["job"]
    packaged = visit.call("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=job)
    return visit.page("devices/back.html", fleet=fleet, device=device, job=packaged)


@posted("/devices/{fleet}/{device}/back/{job}")
def _send(visit: Visit) -> Response:
    """A plan of one stage for this device, started."""
    fleet, device, job = visit.path["fleet"], visit.path["device"], visit.path["job"]
    packaged = visit.quietly("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=job)
    plan = f"{device[:20]}-{job}"[:63].rstrip("-")
    visit.change(
        "sagemaker",
        "CreateEdgeDeploymentPlan",
        EdgeDeploymentPlanName=plan,
        DeviceFleetName=fleet,
        ModelConfigs=[{"ModelHandle": packaged["ModelName"], "EdgePackagingJobName": job}],
        Stages=[
            {
                "StageName": device,
                "DeviceSelectionConfig": {"DeviceSubsetType": "SELECTION", "DeviceNames": [device]},
                "DeploymentConfig": {"FailureHandlingPolicy": "ROLLBACK_ON_FAILURE"},
            }
        ],
    )
    visit.change("sagemaker", "StartEdgeDeploymentStage", EdgeDeploymentPlanName=plan, StageName=device)
    told = f"{device} is told to take {packaged['ModelName']} {packaged['ModelVersion']}."
    return visit.done(url("deployment-plans", plan), told)


def _older(visit: Visit, models: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest package of each other version of what the device runs."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for model in models:
        name, asked = model["ModelName"], {"StatusEquals": "COMPLETED", "MaxResults": 50}
        try:
            jobs = visit.quietly("sagemaker", "ListEdgePackagingJobs", ModelNameContains=name, **asked)
        except Fault:
            return []
        for job in jobs["EdgePackagingJobSummaries"]:
            if job["ModelName"] == name and job["ModelVersion"] != model["ModelVersion"]:
                found.setdefault((name, job["ModelVersion"]), job)
    return list(found.values())


def _next(visit: Visit, name: str) -> str:
    """marbles-1 -> marbles-1-again, marbles-1-again-2, ... : the first that there is no job of."""
    stem = re.sub(r"-again(-\d+)?$", "", name)[:54].rstrip("-")
    for number in range(1, 100):
        its = f"{stem}-again" if number == 1 else f"{stem}-again-{number}"
        try:
            visit.quietly("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=its)
        except Fault as fault:
            if fault.status == 403:
                raise
            return its
    raise Fault("ResourceInUse", f"There are a hundred packaging jobs called '{stem}-again'; package it by hand.")


def _span(visit: Visit) -> str:
    return span if (span := visit.query.get("span", "")) in SPANS else "hour"


SCREENS: tuple[Screen, ...] = (_list, _show, _figures, _live, _package, _back, _send)

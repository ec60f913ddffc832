"""Fleets of devices: the list, a fleet with its report and devices, making one, registering, enrolling."""

import re
import shlex
from collections.abc import Sequence

from starlette.responses import Response

from tobo.console.choices import names_of, roles_of
from tobo.console.edge import with_states
from tobo.console.lists import addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, all_of, fields_of, url
from tobo.kit.fault import Fault


@shown("/fleets")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, sort="CREATION_TIME")
    found = visit.call("sagemaker", "ListDeviceFleets", **asked)
    names = [one["DeviceFleetName"] for one in found["DeviceFleetSummaries"]]
    may = [visit.may("sagemaker", "GetDeviceFleetReport", DeviceFleetName=name) for name in names]
    reports = {
        name: visit.quietly("sagemaker", "GetDeviceFleetReport", DeviceFleetName=name)
        for name, allowed in zip(names, may, strict=True)
        if allowed
    }
    return visit.page(
        "fleets/list.html",
        fleets=found["DeviceFleetSummaries"],
        reports=reports,
        next_token=found.get("NextToken"),
        asked=asked,
        at=addresses(visit, "fleets"),
    )


@shown("/fleets/create")
def _form(visit: Visit) -> Response:
    return visit.page("fleets/create.html", roles=roles_of(visit))


@posted("/fleets/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    asked = {"DeviceFleetName": fields.get("name"), "Description": fields.get("description")}
    role = fields.get("role")
    visit.change(
        "sagemaker",
        "CreateDeviceFleet",
        **{name: value for name, value in asked.items() if value},
        **({"RoleArn": role, "EnableIotRoleAlias": True} if role else {}),
        OutputConfig={"S3OutputLocation": fields.get("output", "")},
    )
    name = fields.get("name", "")
    return visit.done(url("fleets", name), f"Fleet {name} is there; its first device is next.")


@shown("/fleets/{name}")
def _show(visit: Visit) -> Response:
    name = visit.path["name"]
    fleet = visit.call("sagemaker", "DescribeDeviceFleet", DeviceFleetName=name)
    report = visit.call("sagemaker", "GetDeviceFleetReport", DeviceFleetName=name)
    token = {"NextToken": visit.query["token"]} if visit.query.get("token") else {}
    found = visit.call("sagemaker", "ListDevices", DeviceFleetName=name, MaxResults=100, **token)
    plans = visit.quietly("sagemaker", "ListEdgeDeploymentPlans", DeviceFleetNameContains=name, MaxResults=20)
    return visit.page(
        "fleets/show.html",
        fleet=fleet,
        report=report,
        devices=with_states(visit, found["DeviceSummaries"]),
        next_token=found.get("NextToken"),
        plans=[one for one in plans["EdgeDeploymentPlanSummaries"] if one["DeviceFleetName"] == name],
        at=addresses(visit, "fleets", name),
    )


@posted("/fleets/{name}/register")
def _register(visit: Visit) -> Response:
    """One or several, separated by white space or commas."""
    fleet, fields = visit.path["name"], fields_of(visit.form)
    names = re.split(r"[\s,]+", fields.get("names", ""))
    words = {"Description": fields["description"]} if "description" in fields else {}
    visit.change(
        "sagemaker",
        "RegisterDevices",
        DeviceFleetName=fleet,
        Devices=[{"DeviceName": name, **words} for name in names if name],
    )
    return visit.done(url("fleets", fleet), f"{_devices(names)} registered.")


@posted("/fleets/{name}/deregister")
def _deregister(visit: Visit) -> Response:
    """Those that are ticked."""
    fleet, names = visit.path["name"], all_of(visit.form, "device")
    if not names:
        raise Fault("ValidationException", "No device is ticked; tick those that shall be deregistered.")
    visit.change("sagemaker", "DeregisterDevices", DeviceFleetName=fleet, DeviceNames=list(names))
    return visit.done(url("fleets", fleet), f"{_devices(names)} deregistered.")


@posted("/fleets/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteDeviceFleet", DeviceFleetName=name)
    return visit.done(url("fleets"), f"Fleet {name} is deleted; what its devices sent home stays in S3.")


@shown("/enroll")
def _enroll(visit: Visit) -> Response:
    """The commands for one device, to be copied: its key is drawn where the command runs, never here."""
    query = visit.query
    fleet, device = query.get("fleet", "").strip(), query.get("device", "").strip()
    target, host = query.get("target", "").strip() or "rasp4b", query.get("host", "").strip()
    parts = ["tobo", "edge", "enroll", fleet, device, "--into", f"{device}/", "--target", target]
    parts += ["--host", host] if host else []
    return visit.page(
        "fleets/enroll.html",
        fleet=fleet,
        device=device,
        target=target,
        host=host or _reached(visit.request.url.hostname or ""),
        fleets=names_of(visit, "ListDeviceFleets", "DeviceFleetSummaries", "DeviceFleetName"),
        command=shlex.join(parts) if fleet and device else None,
        folder=shlex.quote(device) if device else "",
        tls=visit.context.settings.tls_port,
    )


def _reached(host: str) -> str:
    """The name by which the browser has reached the server, if a device could do the same."""
    return "" if host in ("localhost", "::1") or host.startswith("127.") else host


def _devices(named: Sequence[str]) -> str:
    names = [name for name in named if name]
    return f"{names[0]} is" if len(names) == 1 else f"{len(names)} devices are"


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _show, _register, _deregister, _delete, _enroll)

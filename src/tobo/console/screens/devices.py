"""Devices: those of all fleets, and one with what its heartbeats tell."""

from starlette.responses import JSONResponse, Response

from tobo.console.choices import names_of
from tobo.console.edge import SPANS, device_figures, device_state, with_states
from tobo.console.lists import PAGE, addresses
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit


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
    )


@shown("/devices/{fleet}/{device}/figures")
def _figures(visit: Visit) -> Response:
    return JSONResponse(device_figures(visit, visit.path["fleet"], visit.path["device"], _span(visit)))


def _span(visit: Visit) -> str:
    return span if (span := visit.query.get("span", "")) in SPANS else "hour"


SCREENS: tuple[Screen, ...] = (_list, _show, _figures)

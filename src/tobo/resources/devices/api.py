"""The operations on devices. Source of members and errors: API reference, RegisterDevices, DescribeDevice, ...Devices."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.edge import DEVICE, device_arn, device_key, device_resource, device_row, devices_of, move, told_to
from tobo.operations.listing import list_among, list_rows
from tobo.operations.registry import Asked, operation
from tobo.operations.rows import add_row, change_row
from tobo.store.base import Conflict, Row

_OWN = ("DeviceName", "Description", "IotThingName")


def _fleet_resource(call: Call, asked: Asked) -> str:
    """Operations on several devices ask it on all of the fleet's."""
    return device_arn(call.space, asked.get("DeviceFleetName", "*"), "*")


@operation("sagemaker", "RegisterDevices", resource=_fleet_resource)
def register_devices(call: Call, asked: Asked) -> dict[str, Any]:
    """What is registered already in the very same words is left alone, so that a call can be repeated.

    Raises Fault ResourceNotFound (no such fleet), ResourceInUse (a device of the name, a thing of another device).
    """
    fleet = asked["DeviceFleetName"]
    _check_fleet(call, fleet)
    for device in _checked(asked):
        wanted = {**device, "DeviceFleetName": fleet}
        _check_thing(call, wanted)
        key = device_key(call.space, fleet, device["DeviceName"])
        known = call.context.store.get(key)
        if known is not None and known.asked == wanted:
            continue
        add_row(
            call,
            DEVICE,
            key.name,
            {**wanted, "Tags": asked.get("Tags", [])},
            _taken,
            state="Registered",
            arn=device_arn(call.space, fleet, device["DeviceName"]),
        )
    return {}


@operation("sagemaker", "UpdateDevices", resource=_fleet_resource)
def update_devices(call: Call, asked: Asked) -> dict[str, Any]:
    """Description and thing of each; what is not given stays. Raises Fault ResourceNotFound before any is changed."""
    fleet = asked["DeviceFleetName"]
    devices = _checked(asked)
    for device in devices:
        device_row(call, fleet, device["DeviceName"])
        _check_thing(call, {**device, "DeviceFleetName": fleet})
    for device in devices:
        name = device["DeviceName"]
        change_row(
            call,
            lambda name=name: device_row(call, fleet, name),  # type: ignore[misc]
            "updated",
            lambda row, device=device: {"asked": {**row.asked, **device}},  # type: ignore[misc]
        )
    return {}


@operation("sagemaker", "DeregisterDevices", resource=_fleet_resource)
def deregister_devices(call: Call, asked: Asked) -> dict[str, Any]:
    """Who is not registered is no error. What a device still had to deploy fails with it."""
    fleet = asked["DeviceFleetName"]
    for name in asked["DeviceNames"]:
        while (row := call.context.store.get(device_key(call.space, fleet, name))) is not None:
            try:
                call.context.store.delete(row)
            except Conflict:
                continue  # it has just sent a heartbeat
        for told in told_to(call.context, call.space, fleet, name):
            move(call.context, told, "superseded", "The device was deregistered.")
    return {}


@operation("sagemaker", "DescribeDevice", resource=device_resource)
def describe_device(call: Call, asked: Asked) -> dict[str, Any]:
    """One read. Raises Fault ResourceNotFound."""
    row = device_row(call, asked["DeviceFleetName"], asked["DeviceName"])
    models = row.found.get("Models", [])
    return {**row.asked, **_told(row), "Models": models, "MaxModels": len(models)}


@operation("sagemaker", "ListDevices", resource=_fleet_resource)
def list_devices(call: Call, asked: Asked) -> dict[str, Any]:
    """Youngest registration first; of one fleet, with a model, with a heartbeat since a time."""
    fleet = asked.get("DeviceFleetName")
    prefix = None if fleet is None else f"{fleet}/"
    since, model = asked.get("LatestHeartbeatAfter"), asked.get("ModelName")
    if since is None and model is None:
        return list_rows(call, DEVICE, asked, "DeviceSummaries", _summary, name_prefix=prefix)
    rows = (
        row
        for row in devices_of(call.context, call.space, fleet)
        if (since is None or row.found.get("LatestHeartbeat", 0.0) > since.timestamp())
        and (model is None or any(told["ModelName"] == model for told in row.found.get("Models", [])))
    )
    return list_among(DEVICE, asked, "DeviceSummaries", _summary, rows)


def _check_fleet(call: Call, fleet: str) -> None:
    """Raises Fault ResourceNotFound."""
    call.context.as_house(call.space, "sagemaker", "DescribeDeviceFleet", DeviceFleetName=fleet)


def _checked(asked: Asked) -> list[Mapping[str, Any]]:
    """The devices of a request; raises Fault ValidationException for one that stands in it twice."""
    names = [device["DeviceName"] for device in asked["Devices"]]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise validation(f"The device '{twice}' stands twice in the request; names are unique in a fleet.")
    return [{member: device[member] for member in _OWN if member in device} for device in asked["Devices"]]


def _check_thing(call: Call, device: Mapping[str, Any]) -> None:
    """Raises Fault ResourceInUse where another device of the fleet is that thing: whose certificate would it be?"""
    if "IotThingName" not in device:
        return
    for row in devices_of(call.context, call.space, device["DeviceFleetName"], IotThingName=device["IotThingName"]):
        if row.asked["DeviceName"] != device["DeviceName"]:
            raise Fault(
                "ResourceInUse",
                f"The thing '{device['IotThingName']}' is the device '{row.asked['DeviceName']}' already; a thing is "
                "one device of a fleet.",
            )


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"The device is registered already ({arn}); change it with UpdateDevices.")


def _told(row: Row) -> dict[str, Any]:
    """The members that summaries and descriptions share, beside those that were asked."""
    heard = {name: row.found[name] for name in ("LatestHeartbeat", "AgentVersion") if name in row.found}
    return {"DeviceArn": row.arn, "RegistrationTime": row.created, **heard}


def _summary(row: Row) -> dict[str, Any]:
    models = [{name: model[name] for name in ("ModelName", "ModelVersion")} for model in row.found.get("Models", [])]
    return {**row.asked, **_told(row), "Models": models}

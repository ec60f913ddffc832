"""The operations on device fleets. Source of members and errors: API reference, Create/Describe/...DeviceFleet."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.edge import FLEET, check_output, role_alias
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, remove_row
from tobo.store.base import Row

_SORTS = {"NAME": "Name", "CREATION_TIME": "CreationTime", "LAST_MODIFIED_TIME": "LastModifiedTime"}
_CHANGEABLE = ("RoleArn", "Description", "OutputConfig", "EnableIotRoleAlias")


@operation("sagemaker", "CreateDeviceFleet")
def create_device_fleet(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceInUse, ValidationException. The alias of the role is made first: a fleet has what it says."""
    _check(asked)
    _ensure_alias(call, asked)
    add_row(call, FLEET, asked["DeviceFleetName"], asked, _taken)
    return {}


@operation("sagemaker", "DescribeDeviceFleet")
def describe_device_fleet(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = known_row(call, FLEET, asked["DeviceFleetName"], _missing)
    alias = Arn("iot", row.key.space.region, row.key.space.account, f"rolealias/{role_alias(row.key.name)}")
    return {**row.asked, **_head(row), **({"IotRoleAlias": str(alias)} if row.asked.get("EnableIotRoleAlias") else {})}


@operation("sagemaker", "UpdateDeviceFleet")
def update_device_fleet(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is not given stays. Raises Fault ResourceNotFound, ValidationException."""
    known = known_row(call, FLEET, asked["DeviceFleetName"], _missing)
    changes = {name: asked[name] for name in _CHANGEABLE if name in asked}
    _check({**known.asked, **changes})
    _ensure_alias(call, {**known.asked, **changes})
    change_row(
        call,
        lambda: known_row(call, FLEET, asked["DeviceFleetName"], _missing),
        "updated",
        lambda row: {"asked": {**row.asked, **changes}},
    )
    return {}


@operation("sagemaker", "DeleteDeviceFleet")
def delete_device_fleet(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceInUse while devices are registered in it. What they sent home stays."""
    name = asked["DeviceFleetName"]
    known_row(call, FLEET, name, _missing)
    devices = call.context.as_house(call.space, "sagemaker", "ListDevices", DeviceFleetName=name, MaxResults=1)
    if devices["DeviceSummaries"]:
        raise Fault("ResourceInUse", f"The fleet '{name}' has devices; deregister them first.")
    remove_row(call, FLEET, name, _missing)
    return {}


@operation("sagemaker", "ListDeviceFleets")
def list_device_fleets(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    sort = _SORTS[asked.get("SortBy", "CREATION_TIME")]
    return list_rows(call, FLEET, {**asked, "SortBy": sort}, "DeviceFleetSummaries", _head)


def _check(asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException in one sentence."""
    output = asked["OutputConfig"]
    check_output(output)
    if any(letter in output["S3OutputLocation"] for letter in "*?"):
        raise validation(
            f"'{output['S3OutputLocation']}' at OutputConfig.S3OutputLocation has a * or ?, which would open other "
            "folders to the devices' credentials; leave it out."
        )
    if asked.get("EnableIotRoleAlias") and "RoleArn" not in asked:
        raise validation("EnableIotRoleAlias needs a RoleArn, the role that the alias stands for.")


def _ensure_alias(call: Call, asked: Mapping[str, Any]) -> None:
    """The role alias by which the fleet's devices get credentials; an existing one is led to the fleet's role."""
    if not asked.get("EnableIotRoleAlias"):
        return
    alias = {"roleAlias": role_alias(asked["DeviceFleetName"]), "roleArn": asked["RoleArn"]}
    try:
        call.context.as_house(call.space, "iot", "CreateRoleAlias", **alias)
    except Fault as fault:
        if fault.code != "ResourceAlreadyExistsException":
            raise
        call.context.as_house(call.space, "iot", "UpdateRoleAlias", **alias)


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"A device fleet of this name exists ({arn}); update it or choose another name.")


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"There is no device fleet '{arn.rsplit('/', 1)[-1]}'.")


def _head(row: Row) -> dict[str, Any]:
    return {
        "DeviceFleetName": row.key.name,
        "DeviceFleetArn": row.arn,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }

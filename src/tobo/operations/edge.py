"""Fleets of devices: the rows that several nouns read and move, a device's and what it was told to have.

A device's row is named `<fleet>/<device>`. What a device was told by a stage of a deployment plan is a row of its own,
named `<deployment>/<device>`; its ARN is the device's with /deployment, so that a device's rows are found by the index
of ARNs. Of those the newest counts, and is told while it is open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tobo.kit.arn import Arn, Namespace, sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Call, Context
from tobo.operations.machine import MACHINES, advance
from tobo.operations.registry import Asked
from tobo.store.base import Conflict, Key, Query, Row, every_row

FLEET, DEVICE, STAGE, TOLD = "device-fleet", "device", "edge-deployment-stage", "device-deployment"

UNDO = "-undo"
"""Ends the name of the command by which a deployment is taken back, so that an answer says which of both it is of."""

CONNECTED_SECONDS = 300.0
"""A device whose last heartbeat is younger counts as connected."""

OPEN = ("Waiting", "RollingBack")
"""States of a device-deployment in which the device is told something."""

BUNDLES = "_bundles"
"""Below a fleet's folder in S3; no device's name begins so."""


def device_arn(space: Namespace, fleet: str, device: str) -> str:
    """In the letters' own case: what a policy allows one device must not fit another one."""
    return str(Arn("sagemaker", space.region, space.account, f"device-fleet/{fleet}/device/{device}"))


def device_resource(call: Call, asked: Asked) -> str:
    """The device that a request is about, for the check of policies."""
    return device_arn(call.space, asked.get("DeviceFleetName", "*"), asked.get("DeviceName", "*"))


def fleet_resource(call: Call, asked: Asked) -> str:
    """The fleet that a request is about, likewise."""
    return sagemaker_arn(call.space, FLEET, asked.get("DeviceFleetName", "*"))


def stage_key(space: Namespace, plan: str, stage: str) -> Key:
    """The row of a plan's stage, which is there once it has started."""
    return Key(space, STAGE, f"{plan}/{stage}")


def device_key(space: Namespace, fleet: str, device: str) -> Key:
    return Key(space, DEVICE, f"{fleet}/{device}")


def device_row(call: Call, fleet: str, device: str) -> Row:
    """Raises Fault ResourceNotFound."""
    row = call.context.store.get(device_key(call.space, fleet, device))
    if row is None:
        raise Fault("ResourceNotFound", f"There is no device '{device}' in the fleet '{fleet}'; register it first.")
    return row


def devices_of(context: Context, space: Namespace, fleet: str | None, **where: str) -> Iterator[Row]:
    """A fleet's (None: all) devices in the order of their names; `where` are members that must be equal."""
    prefix = None if fleet is None else f"{fleet}/"
    return _rows(context, Query(space, DEVICE, name_prefix=prefix, where=where, sort_by="Name", descending=False))


def told_in(context: Context, space: Namespace, deployment: str) -> Iterator[Row]:
    """What the devices of one deployment were told, in the order of the devices' names."""
    return _rows(context, Query(space, TOLD, name_prefix=f"{deployment}/", sort_by="Name", descending=False))


def told_to(context: Context, space: Namespace, fleet: str, device: str) -> Iterator[Row]:
    """What a device was told, newest first."""
    return _rows(context, Query(space, TOLD, arn=f"{device_arn(space, fleet, device)}/deployment"))


def is_newest(context: Context, told: Row) -> bool:
    """Whether nothing was told to the same device after it."""
    space, of = told.key.space, told.asked
    newest = next(told_to(context, space, of["DeviceFleetName"], of["DeviceName"]), None)
    return newest is not None and newest.id == told.id


def move(context: Context, row: Row, event: str, message: str = "") -> bool:
    """Moves a device-deployment where its table knows the event in its state; whether it did.

    What comes twice, or too late, changes nothing.
    """
    while True:
        if (row.state, event) not in MACHINES[TOLD].table:
            return False
        try:
            advance(context, row, event, message=message)
            return True
        except Conflict:
            fresh = context.store.get(row.key)
            if fresh is None:
                return False
            row = fresh


def check_output(output: Mapping[str, Any]) -> None:
    """The OutputConfig of a fleet or a packaging job; raises Fault ValidationException."""
    parse_s3_uri(output["S3OutputLocation"], "OutputConfig.S3OutputLocation")
    if "PresetDeploymentType" in output:
        raise validation(
            "OutputConfig.PresetDeploymentType GreengrassV2Component is not built in tobo; its devices run tobo-edge."
        )


def role_alias(fleet: str) -> str:
    """The alias of a fleet's role (API reference, CreateDeviceFleet, EnableIotRoleAlias)."""
    return f"SageMakerEdge-{fleet}"


def nudge_topic(space: Namespace, fleet: str, device: str) -> str:
    """The MQTT topic on which a device is told to poll."""
    return f"tobo/{space.account}/{space.region}/{fleet}/{device}/nudge"


def fleet_folder(location: str, fleet: str, *parts: str) -> S3Uri:
    """Where a fleet keeps things in S3, below its OutputConfig's S3OutputLocation."""
    return parse_s3_uri(location, "OutputConfig.S3OutputLocation").below(fleet, *parts)


def _rows(context: Context, query: Query) -> Iterator[Row]:
    return every_row(context.store, replace(query, limit=500))

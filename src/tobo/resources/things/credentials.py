"""Credentials for a device that has shown its certificate (AWS IoT Developer Guide, "Authorizing direct calls").

They are a session of the fleet's role, limited to what this one device has to do, and end within the hour.
"""

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.edge import BUNDLES, DEVICE, device_arn, devices_of, fleet_folder, nudge_topic, role_alias
from tobo.resources.things.names import ALIAS, ATTACHED, CERTIFICATE, EVERYWHERE
from tobo.store.base import Key, Row

log = logging.getLogger("tobo.edge")

LONGEST_SECONDS = 3600


def device_topic(context: Context, certificate: str, name: str) -> str:
    """The MQTT topic that a device may hear, by the id and the common name, `<fleet>/<device>`, of its certificate.

    Raises Fault AccessDenied: a certificate that is not ACTIVE here, or not attached to the thing of that device.
    """
    space = _space(context, certificate, name)
    row = context.store.get(Key(space, DEVICE, name))
    thing = None if row is None else row.asked.get("IotThingName")
    if row is None or context.store.get(Key(space, ATTACHED, f"{thing}/{certificate}")) is None:
        raise _denied(f"The certificate {certificate} is not that of a device '{name}'.", name)
    return nudge_topic(space, row.asked["DeviceFleetName"], row.asked["DeviceName"])


def device_credentials(context: Context, certificate: str | None, thing: str, alias: str) -> dict[str, Any]:
    """The Credentials of AssumeRole. `certificate` is the id of what the TLS connection has proved, None for none.

    Raises Fault AccessDenied: no certificate, one that is not ACTIVE here, not attached to the thing, an alias that is
    not that of a fleet in which the thing is a device.
    """
    certificate = certificate or ""
    space = _space(context, certificate, thing)
    if context.store.get(Key(space, ATTACHED, f"{thing}/{certificate}")) is None:
        raise _denied(f"The certificate {certificate} is not attached to the thing '{thing}'.", thing)
    fleet, device = _device(context, space, thing, alias)
    described = context.as_house(space, "sagemaker", "DescribeDeviceFleet", DeviceFleetName=fleet)
    role = context.store.get(Key(space, ALIAS, alias))
    if role is None or "IotRoleAlias" not in described:
        raise _denied(f"The role alias '{alias}' was deleted, or the fleet has it no more.", thing)
    answer = context.as_house(
        space,
        "sts",
        "AssumeRole",
        RoleArn=role.asked["roleArn"],
        RoleSessionName=certificate[:32],
        DurationSeconds=min(role.asked.get("credentialDurationSeconds", LONGEST_SECONDS), LONGEST_SECONDS),
        Policy=_policy(space, described, device),
    )
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def _space(context: Context, certificate: str, thing: str) -> Namespace:
    """Account and region of an ACTIVE certificate; raises Fault AccessDenied for others."""
    row = context.store.get(Key(EVERYWHERE, CERTIFICATE, certificate))
    if row is None:
        raise _denied("No certificate of this server's devices was shown.", thing)
    if row.status != "ACTIVE":
        raise _denied(f"The certificate {certificate} is {row.status}.", thing)
    return Namespace(row.found["_account"], row.found["_region"])


def _device(context: Context, space: Namespace, thing: str, alias: str) -> tuple[str, str]:
    """The fleet and the device; raises Fault AccessDenied."""
    fleet = alias.removeprefix(role_alias(""))
    found: Row | None = next(devices_of(context, space, fleet, IotThingName=thing), None)
    if alias != role_alias(fleet) or found is None:
        raise _denied(f"The thing '{thing}' is no device of the fleet of the role alias '{alias}'.", thing)
    return fleet, found.asked["DeviceName"]


def _policy(space: Namespace, fleet: Mapping[str, Any], device: str) -> str:
    """What this device has to do, and no other's: its three operations, its fleet's bundles, its own folder.

    `fleet` is what DescribeDeviceFleet answers.
    """
    name, location = fleet["DeviceFleetName"], fleet["OutputConfig"]["S3OutputLocation"]

    def objects(*parts: str) -> str:
        uri = fleet_folder(location, name, *parts)
        return f"arn:aws:s3:::{uri.bucket}/{uri.key}/*"

    operations = [f"sagemaker:{name}" for name in ("GetDeployments", "GetDeviceRegistration", "SendHeartbeat")]
    allowed = [
        (operations, device_arn(space, name, device)),
        (["s3:GetObject"], objects(BUNDLES)),
        (["s3:PutObject", "s3:AbortMultipartUpload"], objects(device)),
    ]
    statements = [{"Effect": "Allow", "Action": actions, "Resource": place} for actions, place in allowed]
    return orjson.dumps({"Version": "2012-10-17", "Statement": statements}).decode()


def _denied(why: str, thing: str) -> Fault:
    log.warning("the device '%s' is refused: %s", thing[:128], why)
    return Fault("AccessDenied", why, 403)

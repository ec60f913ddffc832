"""GetDeviceFleetReport: how many devices are there, what they run, and whose scores drift."""

from collections import Counter
from typing import Any

from tobo.operations.context import Call
from tobo.operations.edge import CONNECTED_SECONDS, devices_of, fleet_resource
from tobo.operations.registry import Asked, operation
from tobo.store.base import Row

_LONGEST = 800
"""Characters of a report's Description."""


@operation("sagemaker", "GetDeviceFleetReport", resource=fleet_resource)
def get_device_fleet_report(call: Call, asked: Asked) -> dict[str, Any]:
    """Connected is who sent a heartbeat within CONNECTED_SECONDS, active who classified, sampling who kept a sample then.

    The report has no member for alarms: whose scores have drifted is said behind the fleet's Description.
    Raises Fault ResourceNotFound.
    """
    name = asked["DeviceFleetName"]
    fleet = call.call("sagemaker", "DescribeDeviceFleet", DeviceFleetName=name)
    devices = list(devices_of(call.context, call.space, name))
    since = call.now - CONNECTED_SECONDS
    connected = [row for row in devices if row.found.get("LatestHeartbeat", 0.0) >= since]
    versions = Counter(row.found["AgentVersion"] for row in devices if "AgentVersion" in row.found)
    description = _description(fleet.get("Description", ""), devices)
    return {
        "DeviceFleetArn": fleet["DeviceFleetArn"],
        "DeviceFleetName": fleet["DeviceFleetName"],
        "OutputConfig": fleet["OutputConfig"],
        **({"Description": description} if description else {}),
        "ReportGenerated": call.now,
        "DeviceStats": {"ConnectedDeviceCount": len(connected), "RegisteredDeviceCount": len(devices)},
        "AgentVersions": [{"Version": version, "AgentCount": count} for version, count in sorted(versions.items())],
        "ModelStats": _model_stats(devices, since),
    }


def _model_stats(devices: list[Row], since: float) -> list[dict[str, Any]]:
    """One for each model and version that a device has told of."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row in devices:
        connected = row.found.get("LatestHeartbeat", 0.0) >= since
        for model in row.found.get("Models", []):
            count = counts.setdefault((model["ModelName"], model["ModelVersion"]), Counter())
            count["Connected" if connected else "Offline"] += 1
            count["Active"] += connected and model.get("LatestInference", 0.0) >= since
            count["Sampling"] += connected and model.get("LatestSampleTime", 0.0) >= since
    return [
        {
            "ModelName": name,
            "ModelVersion": version,
            **{f"{what}DeviceCount": count[what] for what in ("Offline", "Connected", "Active", "Sampling")},
        }
        for (name, version), count in sorted(counts.items())
    ]


def _description(said: str, devices: list[Row]) -> str:
    drifting = [row.asked["DeviceName"] for row in devices if row.found.get("_drifting")]
    told = f"Score drift: {', '.join(drifting)}." if drifting else ""
    return " ".join(filter(None, (said, told)))[:_LONGEST]

"""SendHeartbeat: a device is there, what it runs, what it measured, and how a deployment ended."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.edge import TOLD, UNDO, device_resource, device_row, move, stage_key
from tobo.operations.registry import Asked, operation
from tobo.resources.edge_runtime.frames import review_frames
from tobo.store.base import Conflict, Key, Row
from tobo.telemetry.base import Point

log = logging.getLogger("tobo.edge")

NAMESPACE = "/aws/sagemaker/Devices"
GROUP = "/aws/sagemaker/EdgeFleets"

DRIFT, DRIFT_BAND = "ScoreDrift", 0.2
"""The population stability index from which scores count as drifted: above 0.25 a population has changed, below 0.1 it
has not (Siddiqi, Credit Risk Scorecards, 2006)."""

MOST_MODELS, MOST_METRICS = 100, 1000

_LATEST = ("LatestInference", "LatestSampleTime")

_UNITS = {"Decisions": "Count", "Rejects": "Count", "Latency": "Milliseconds", "OutboxBytes": "Bytes"}
_OLDEST, _NEWEST = 14 * 86_400.0, 2 * 3_600.0
"""Seconds back and ahead of now, as CloudWatch takes metrics."""

_EVENTS = {
    ("SUCCESS", False): "succeeded",
    ("FAIL", False): "failed",
    ("SUCCESS", True): "undone",
    ("FAIL", True): "undo_failed",
}
"""What an answer means to the device's table, by its status and by whether it is of the command that takes back."""


@operation("sagemaker-edge", "SendHeartbeat", resource=device_resource)
def send_heartbeat(call: Call, asked: Asked) -> dict[str, Any]:
    """The answer to a deployment first, for the device sends it again until it has our answer; everything is harmless twice.

    Metrics go to CloudWatch's namespace `/aws/sagemaker/Devices` with the dimensions DeviceFleetName and DeviceName, those of
    a model with ModelName, a Dimension as such. One that has a Timestamp is kept once; one whose Timestamp is not within
    two weeks back and two hours ahead is a wrong clock's and is left out. Raises Fault ResourceNotFound,
    ValidationException.
    """
    fleet, name = asked["DeviceFleetName"], asked["DeviceName"]
    device_row(call, fleet, name)
    if len(asked.get("Models", [])) > MOST_MODELS or len(asked.get("AgentMetrics", [])) > MOST_METRICS:
        raise validation(f"A heartbeat has at most {MOST_MODELS} Models and {MOST_METRICS} AgentMetrics; send several.")
    if result := asked.get("DeploymentResult"):
        _take_result(call, fleet, name, result)
    points = [point for point in _points(call.now, asked) if -_OLDEST <= point.at - call.now <= _NEWEST]
    drift = max((point for point in points if point.name == DRIFT), key=lambda point: point.at, default=None)
    before, device = _remember(call, asked, points, drift)
    if points:
        call.context.metrics.put(call.space, points, once=True)
    if drift is not None and before.found.get("_drifting", False) != device.found["_drifting"]:
        _tell_drift(call, device, drift)
    review_frames(call, fleet, name)
    return {}


def _take_result(call: Call, fleet: str, name: str, result: Mapping[str, Any]) -> None:
    """Moves what the device was told. An answer to what it was never told, or to what is gone, changes nothing."""
    status = result.get("DeploymentStatus", "").upper()
    deployment = result.get("DeploymentName", "")
    undo = deployment.endswith(UNDO)
    event = _EVENTS.get((status, undo))
    if event is None or not deployment:
        raise validation(
            f"DeploymentResult has DeploymentName '{deployment}' and DeploymentStatus '{status}'; expected a name that "
            "GetDeployments gave, and SUCCESS or FAIL."
        )
    told = call.context.store.get(Key(call.space, TOLD, f"{deployment.removesuffix(UNDO)}/{name}"))
    if told is None or told.asked["DeviceFleetName"] != fleet:
        log.warning("device %s of fleet %s answers for '%s', which it was not told", name, fleet, deployment)
        return
    if move(call.context, told, event, result.get("DeploymentStatusMessage", "")):
        stage = stage_key(call.space, told.asked["EdgeDeploymentPlanName"], told.asked["StageName"])
        if (row := call.context.store.get(stage)) is not None:
            call.context.wake(row)


def _points(now: float, asked: Asked) -> Iterator[Point]:
    dimensions = {"DeviceFleetName": asked["DeviceFleetName"], "DeviceName": asked["DeviceName"]}
    told = [(metric, dimensions) for metric in asked.get("AgentMetrics", [])]
    for model in asked.get("Models", []):
        of_model = {**dimensions, "ModelName": model.get("ModelName", "")}
        told += [(metric, of_model) for metric in model.get("ModelMetrics", [])]
    for metric, where in told:
        if "MetricName" not in metric or "Value" not in metric:
            raise validation("A metric has no MetricName or no Value; it needs both.")
        at = metric["Timestamp"].timestamp() if "Timestamp" in metric else now
        extra = {"Dimension": metric["Dimension"]} if "Dimension" in metric else {}
        unit = _UNITS.get(metric["MetricName"], "None")
        yield Point(NAMESPACE, metric["MetricName"], {**where, **extra}, at, float(metric["Value"]), unit)


def _remember(call: Call, asked: Asked, points: Sequence[Point], drift: Point | None) -> tuple[Row, Row]:
    """The device's row before and after; no event is kept of each heartbeat.

    One that is older than what the device has told since, by its metrics' times, says nothing of what it is now.
    """
    told: dict[str, Any] = {"AgentVersion": asked["AgentVersion"]}
    if drift is not None:
        told["_drifting"] = drift.value > DRIFT_BAND
    at = max((point.at for point in points), default=None)
    while True:
        row = device_row(call, asked["DeviceFleetName"], asked["DeviceName"])
        latest = row.found.get("_told_at", 0.0)
        if "Models" in asked:
            told["Models"] = _models(row.found.get("Models", []), asked["Models"])
        news = told if at is None or at >= latest else {}
        found = {
            "_drifting": False,
            **row.found,
            **news,
            "_told_at": max(latest, at or 0.0),
            "LatestHeartbeat": call.now,
        }
        try:
            return row, call.context.store.update(row, found=found)
        except Conflict:
            continue


def _models(known: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a device runs now. When a model last inferred and sampled stays known while its device says nothing newer."""
    before = {(one["ModelName"], one["ModelVersion"]): one for one in known}
    models = []
    for one in told:
        if "ModelName" in one and "ModelVersion" in one:
            name, version = one["ModelName"], one["ModelVersion"]
            times = {member: one[member].timestamp() for member in _LATEST if member in one}
            models.append({"ModelName": name, "ModelVersion": version, **before.get((name, version), {}), **times})
    return models


def _tell_drift(call: Call, device: Row, drift: Point) -> None:
    """An event, once each time that the scores leave the band or come back."""
    event = {
        "event": "ScoreDrift left its band" if device.found["_drifting"] else "ScoreDrift is back in its band",
        "DeviceName": device.asked["DeviceName"],
        "ScoreDrift": drift.value,
        "Band": DRIFT_BAND,
    }
    group, stream = f"{GROUP}/{device.asked['DeviceFleetName']}", device.asked["DeviceName"]
    logs = call.context.logs
    for make, names in ((logs.create_group, (group,)), (logs.create_stream, (group, stream))):
        try:
            make(call.space, *names)
        except Fault as fault:
            if fault.code != "ResourceAlreadyExistsException":
                raise
    logs.append(call.space, group, stream, [(int(call.now * 1000), orjson.dumps(event).decode())])

"""Readings: metrics of the namespace `tobo`, which tell what no other one does.

| metric | dimension | it is |
|---|---|---|
| Unreachable | EndpointName | 1 while no replica of an endpoint that should have some is ready, else 0 |
| JobsFailed | | jobs that have failed since the last reading |
| DevicesSilent | DeviceFleetName | devices that have told before and not for five minutes |
| DevicesDrifting | DeviceFleetName | devices whose scores have left their band |
| DiskUsedPercent | | of the disk that the state folder is on |
"""

import os
from collections.abc import Iterable

from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.operations.edge import CONNECTED_SECONDS, DEVICE
from tobo.store.base import Query, Row, every_row
from tobo.telemetry.base import Point

NAMESPACE = "tobo"

JOBS = ("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job", "compilation-job")
_FAILED = ("Failed", "FAILED")
_SERVING = ("InService", "Updating", "RollingBack")
_PAGE = 1000


def endpoints(rows: Iterable[Row], now: float) -> list[Point]:
    return [
        _point("Unreachable", {"EndpointName": row.key.name}, now, float(not any_ready(row)))
        for row in rows
        if row.status in _SERVING and wants(row)
    ]


def wants(row: Row) -> bool:
    """Whether an endpoint should have replicas: not one that is paused, or that sleeps until it is asked."""
    fleet = row.found.get("_fleet") or {"variants": []}
    return any(each["InstanceCount"] and not each.get("Shadow") for each in fleet["variants"])


def any_ready(row: Row) -> bool:
    return any(replica["ready"] for replica in row.found["_fleet"]["replicas"])


def jobs(context: Context, space: Namespace, since: float, now: float) -> list[Point]:
    """Of those that ended since then."""
    failed = sum(
        context.store.count(Query(space, kind, status=status, modified_after=since, modified_before=now))
        for kind in JOBS
        for status in _FAILED
    )
    return [_point("JobsFailed", {}, now, float(failed))] if failed else []


def devices(context: Context, space: Namespace, now: float) -> list[Point]:
    silent: dict[str, int] = {}
    drifting: dict[str, int] = {}
    for row in every_row(context.store, Query(space, DEVICE, limit=_PAGE)):
        fleet, latest = row.asked["DeviceFleetName"], row.found.get("LatestHeartbeat")
        silent[fleet] = silent.get(fleet, 0) + (latest is not None and now - latest > CONNECTED_SECONDS)
        drifting[fleet] = drifting.get(fleet, 0) + bool(row.found.get("_drifting"))
    return [
        _point(name, {"DeviceFleetName": fleet}, now, float(count))
        for name, counts in (("DevicesSilent", silent), ("DevicesDrifting", drifting))
        for fleet, count in counts.items()
    ]


def disk(context: Context, now: float) -> list[Point]:
    told = os.statvfs(context.settings.state)
    used = 100 * (1 - told.f_bavail / told.f_blocks) if told.f_blocks else 0.0
    return [_point("DiskUsedPercent", {}, now, used)]


def _point(name: str, dimensions: dict[str, str], at: float, value: float) -> Point:
    return Point(NAMESPACE, name, dimensions, at, value, "Percent" if name.endswith("Percent") else "Count")

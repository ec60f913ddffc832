"""What the console's edge screens share: the state of a device and its figures, forms with rows."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tobo.console.figures import Figure, points_of
from tobo.console.visit import Visit
from tobo.operations.edge import CONNECTED_SECONDS
from tobo.resources.edge_runtime.heartbeats import DRIFT_BAND, NAMESPACE

SILENT_SECONDS = 3600.0
"""Without a sign of life for so long a device is silent; between CONNECTED_SECONDS and this it is late."""

FIGURES: Mapping[str, tuple[str, str | None, str]] = {
    "decisions": ("Decisions", None, "Sum"),
    "rejects": ("Rejects", None, "Sum"),
    "p50": ("Latency", "p50", "Average"),
    "p99": ("Latency", "p99", "Maximum"),
    "drift": ("ScoreDrift", None, "Maximum"),
    "outbox": ("OutboxBytes", None, "Maximum"),
}
"""Series of a device's page: the metric of its heartbeats, its Dimension, the statistic."""

SPANS: Mapping[str, tuple[str, int, int]] = {
    "hour": ("Last hour", 3600, 60),
    "day": ("Last day", 86_400, 900),
    "week": ("Last week", 604_800, 3600),
}
"""Words, seconds back and seconds of a period."""


def device_state(latest: float | None, now: float) -> str:
    """Online, Late, Silent; or Never seen."""
    if latest is None:
        return "Never seen"
    age = now - latest
    return "Online" if age <= CONNECTED_SECONDS else "Late" if age <= SILENT_SECONDS else "Silent"


def with_states(visit: Visit, devices: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The summaries of devices with their state."""
    now = visit.context.clock.now()
    return [{**device, "State": device_state(device.get("LatestHeartbeat"), now)} for device in devices]


def device_figures(visit: Visit, fleet: str, device: str, span: str) -> dict[str, Any]:
    """{"start", "end", "period", "band", "series": {name: [[epoch seconds], [values]]}} as its heartbeats told."""
    _, seconds, period = SPANS[span]
    end = visit.context.clock.now()
    start = end - seconds
    where = {"DeviceFleetName": fleet, "DeviceName": device}
    figures = [
        Figure(metric, where | ({"Dimension": extra} if extra else {}), statistic)
        for metric, extra, statistic in FIGURES.values()
    ]
    points = points_of(visit, NAMESPACE, figures, start // period * period, end, period)
    series = {
        name: [[at for at, _ in its], [value for _, value in its]] for name, its in zip(FIGURES, points, strict=True)
    }
    return {"start": start, "end": end, "period": period, "band": DRIFT_BAND, "series": series}


def live_view(visit: Visit, fleet: str, device: str) -> dict[str, Any]:
    """{"state", "age": seconds since it told, None before; "told": as in tobo-edge's Told; "picture": base64}."""
    now = visit.context.clock.now()
    described = visit.quietly("sagemaker", "DescribeDevice", DeviceFleetName=fleet, DeviceName=device)
    found = visit.quietly("tobo-edge", "DescribeLiveView", DeviceFleetName=fleet, DeviceName=device)
    return {
        "state": device_state(described.get("LatestHeartbeat"), now),
        "heartbeat": described.get("LatestHeartbeat"),
        "age": now - found["ToldTime"] if "ToldTime" in found else None,
        "told": found.get("Told"),
        "picture": b64encode(found.get("Picture", b"")).decode(),
    }


def numbered(fields: Mapping[str, str], *names: str) -> Iterator[dict[str, str]]:
    """The rows of a form whose fields are called <name>.0, <name>.1 and so on, as far as they are filled in."""
    for number in range(100):
        row = {name: fields[at] for name in names if (at := f"{name}.{number}") in fields}
        if row:
            yield row

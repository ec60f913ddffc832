"""The device's sign of life: its figures since the last one, as SendHeartbeat takes them."""

from dataclasses import dataclass
from typing import Any

from tobo.edge.slots import Slot
from tobo.edge.tally import Tally


@dataclass(frozen=True)
class Told:
    """Totals that the house has heard of."""

    decisions: int = 0
    rejects: int = 0
    kept: int = 0


def heartbeat(
    now: float, tally: Tally, told: Told, drift: float | None, outbox_bytes: int, slot: Slot | None
) -> tuple[dict[str, Any], Told]:
    """The members of the request, and what is told once it is answered. `now` in epoch seconds."""
    heard = Told(tally.decisions, tally.rejects, tally.kept)
    values: list[tuple[str, float, str | None]] = [
        ("Decisions", heard.decisions - told.decisions, None),
        ("Rejects", heard.rejects - told.rejects, None),
        ("OutboxBytes", outbox_bytes, None),
    ]
    if (percentiles := tally.percentiles(50, 99)) is not None:
        values += [("Latency", value, name) for value, name in zip(percentiles, ("p50", "p99"), strict=True)]
    if drift is not None:
        values.append(("ScoreDrift", drift, None))
    metrics = [
        {"MetricName": name, "Value": value, "Timestamp": now} | ({} if dimension is None else {"Dimension": dimension})
        for name, value, dimension in values
    ]
    asked: dict[str, Any] = {"AgentMetrics": metrics}
    if slot is not None:
        model: dict[str, Any] = {"ModelName": slot.manifest.name, "ModelVersion": slot.manifest.version}
        if heard.decisions > told.decisions:
            model["LatestInference"] = now
        if heard.kept > told.kept:
            model["LatestSampleTime"] = now
        asked["Models"] = [model]
    return asked, heard

"""What the page shows, as one JSON object; read from the running agent without making it wait."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tobo.edge.records import Record

if TYPE_CHECKING:
    from tobo.edge.agent import Agent


def view(agent: "Agent") -> dict[str, Any]:
    """Everything but the pictures."""
    latest, rule, model = agent.loop.latest, agent.loop.rule, agent.loop.model
    tally, slot = agent.loop.tally, agent.slot
    percentiles = tally.percentiles(50, 99)
    last = agent.loop.last
    return {
        "device": agent.enrolled.device if agent.enrolled else "",
        "fleet": agent.enrolled.fleet if agent.enrolled else "",
        "model": None
        if model is None
        else {
            "name": slot.manifest.name if slot else Path(agent.settings.model).name,
            "version": slot.manifest.version if slot else "",
            "trial": bool(agent.updater and agent.updater.on_trial),
            "labels": list(model.classifier.labels),
        },
        "accept": list(rule.accept),
        "thresholds": dict(rule.thresholds),
        "override": rule.override,
        "budget_ms": rule.budget * 1000,
        "counts": {
            "decisions": tally.decisions,
            "ok": tally.decisions - tally.rejects,
            "ko": tally.rejects,
            "late": tally.late,
            "faults": tally.faults,
            "arm_faults": tally.arm_faults,
        },
        "latency_ms": None if percentiles is None else {"p50": percentiles[0], "p99": percentiles[1]},
        "drift": agent.keeper.drift.index() if agent.keeper.drift is not None else None,
        "frame": None if latest is None else latest[1].number,
        "last": None if last is None else _part(last, agent),
        "kept": [_part(record, agent) for record, _ in list(agent.keeper.recent)[::-1]],
        "outbox": None
        if agent.outbox is None
        else {
            "bytes": agent.outbox.size,
            "waiting": agent.outbox.waiting,
            "dropped": agent.outbox.dropped_events + agent.outbox.dropped_frames,
        },
        "house": {name: deed.runner.trouble for name, deed in agent.deeds.items()} if agent.home is not None else None,
        "up_seconds": time.monotonic() - agent.began,
    }


def _part(record: Record, agent: "Agent") -> dict[str, Any]:
    decision, model = record.decision, agent.loop.model
    labels = model.classifier.labels if model is not None and model.digest == record.model else ()
    return {
        "number": record.number,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "label": decision.label,
        "score": decision.score,
        "margin": decision.margin,
        "scores": dict(zip(labels, record.scores or (), strict=False)),
        "latency_ms": record.latency * 1000,
        "fault": record.fault or record.arm_fault,
        "kept": record.kept,
    }

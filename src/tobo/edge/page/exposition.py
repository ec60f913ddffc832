"""The device's figures for Prometheus: GET /metrics in the text exposition format 0.0.4 (prometheus.io, "Exposition formats")."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tobo.edge.agent import Agent

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    """A metric with its samples, by labels."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]


def exposition(agent: "Agent") -> str:
    """What the device has decided, how fast, how its scores drift, what waits to go home, and which model sorts."""
    return "".join(map(_text, _families(agent)))


def _families(agent: "Agent") -> list[Family]:
    tally, slot, drift = agent.loop.tally, agent.slot, agent.keeper.drift
    rejects = tally.rejects  # read first: who reads the decisions later finds no fewer of them
    accepted = max(0, tally.decisions - rejects)
    found = [
        Family(
            "tobo_edge_decisions_total",
            "counter",
            "Parts, by the bin they were sent to.",
            [({"verdict": "ok"}, accepted), ({"verdict": "ko"}, rejects)],
        ),
        Family("tobo_edge_late_total", "counter", "Decisions that came too late.", [({}, tally.late)]),
        Family("tobo_edge_faults_total", "counter", "Parts without a frame or scores.", [({}, tally.faults)]),
        Family("tobo_edge_arm_faults_total", "counter", "Commands that the arm refused.", [({}, tally.arm_faults)]),
    ]
    if (percentiles := tally.percentiles(50, 99)) is not None:
        samples = [({"quantile": name}, ms / 1000) for name, ms in zip(("0.5", "0.99"), percentiles, strict=True)]
        found.append(Family("tobo_edge_latency_seconds", "gauge", "From the frame to the command, lately.", samples))
    index = drift.index() if drift is not None else None
    if index is not None:
        help = "Population stability index of the scores against the training's."
        found.append(Family("tobo_edge_score_drift", "gauge", help, [({}, index)]))
    if agent.outbox is not None:
        found.append(Family("tobo_edge_outbox_bytes", "gauge", "Waiting to go home.", [({}, agent.outbox.size)]))
    if slot is not None:
        labels = {"name": slot.manifest.name, "version": slot.manifest.version, "digest": slot.digest}
        found.append(Family("tobo_edge_model_info", "gauge", "The model that sorts.", [(labels, 1)]))
    return found


def _text(family: Family) -> str:
    lines = [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
    lines += [f"{family.name}{_labels(labels)} {value!r}" for labels, value in family.samples]
    return "\n".join((*lines, ""))


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

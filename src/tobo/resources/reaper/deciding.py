"""Deciding: what is to be done about a resource, and by which calls. Pure; the dry run and the deed ask the same function."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tobo.resources.reaper.rules import GRACE_MINUTES, KEEP, Fact, Rule, reason

DAY = 86_400.0
"""For which what shall be deleted stays, stopped, so that it can be brought back."""

Status = Literal["Noticed", "Done", "Doomed", "Undone"]
What = Literal["Notice", "Act", "Delete", "Wait", "Drop"]


@dataclass(frozen=True)
class Deed:
    """One call of the API, in the resource's account and region."""

    operation: str
    asked: tuple[tuple[str, Any], ...]

    @property
    def request(self) -> dict[str, Any]:
        return dict(self.asked)


@dataclass(frozen=True)
class Case:
    """A resource that a rule is about: since when, and what was done. `undo` brings back what was stopped for its deletion."""

    status: Status
    noticed: float
    acted: float | None = None
    undo: tuple[Deed, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What is to be done now, or what is waited for until `at`; `deeds` are the calls that it is done by."""

    what: What
    at: float
    why: str
    deeds: tuple[Deed, ...] = ()


def decide(rule: Rule, fact: Fact, case: Case | None, now: float) -> Decision | None:
    """None: the rule is not about the resource, and there is no case of it."""
    why = reason(rule, fact, now)
    if case is None:
        return None if why is None else Decision("Notice", now, why)
    if case.status == "Doomed":
        return _doomed(fact, case, now)
    if case.status == "Undone":
        return Decision("Drop", now, "") if now >= (case.acted or now) + DAY else None
    if why is None:
        return Decision("Drop", now, "")
    due = case.noticed + 60 * rule.get("GraceMinutes", GRACE_MINUTES)
    if case.status == "Done" and not (fact.runs and rule["Action"] in ("STOP", "PAUSE")):
        return None  # told, stopped or paused: nothing more is to be done
    if case.status == "Done":
        return Decision("Drop", now, "")  # it was started again, which the rule begins anew with
    deeds = deeds_of(rule["Action"], fact)
    return Decision("Act" if now >= due else "Wait", max(due, now), why, deeds)


def carried_out(rule: Rule, fact: Fact, case: Case, now: float) -> Case:
    """The case after its deeds."""
    undo = () if rule["Action"] == "NOTIFY" else undo_of(fact)
    return replace(case, status="Doomed" if rule["Action"] == "DELETE" else "Done", acted=now, undo=undo)


def deeds_of(action: str, fact: Fact) -> tuple[Deed, ...]:
    """Deleting begins with stopping; a day later comes what cannot be undone."""
    if action == "NOTIFY" or not fact.runs:
        return ()
    return _stop(fact)


def last_deeds(fact: Fact) -> tuple[Deed, ...]:
    member = _MEMBERS[fact.kind]
    return (Deed(f"Delete{member}", ((f"{member}Name", fact.name),)),)


def undo_of(fact: Fact) -> tuple[Deed, ...]:
    """What brings back the resource as it ran; nothing brings back a job."""
    if not fact.runs:
        return ()
    if fact.kind == "endpoint":
        return (_resize(fact, dict(fact.counts)),) if fact.counts else ()
    if fact.kind == "notebook-instance":
        return (Deed("StartNotebookInstance", (("NotebookInstanceName", fact.name),)),)
    return ()


def _doomed(fact: Fact, case: Case, now: float) -> Decision:
    if KEEP in fact.tags or fact.runs:
        return Decision("Drop", now, "")  # somebody wants it
    due = (case.acted or now) + DAY
    return Decision("Delete" if now >= due else "Wait", max(due, now), "it was stopped a day ago", last_deeds(fact))


def _stop(fact: Fact) -> tuple[Deed, ...]:
    if fact.kind == "endpoint":
        return (_resize(fact, dict.fromkeys(fact.counts, 0)),) if fact.counts else ()
    member = _MEMBERS[fact.kind]
    return (Deed(f"Stop{member}", ((f"{member}Name", fact.name),)),)


def _resize(fact: Fact, counts: dict[str, int]) -> Deed:
    wishes = [{"VariantName": name, "DesiredInstanceCount": count} for name, count in sorted(counts.items())]
    return Deed(
        "UpdateEndpointWeightsAndCapacities",
        (("EndpointName", fact.name), ("DesiredWeightsAndCapacities", wishes)),
    )


_MEMBERS = {
    "training-job": "TrainingJob",
    "processing-job": "ProcessingJob",
    "transform-job": "TransformJob",
    "hyper-parameter-tuning-job": "HyperParameterTuningJob",
    "endpoint": "Endpoint",
    "notebook-instance": "NotebookInstance",
}


def told(deeds: Sequence[Deed]) -> list[dict[str, Any]]:
    """As they are kept and shown."""
    return [{"Operation": deed.operation, "Request": deed.request} for deed in deeds]


def read(deeds: Sequence[Any]) -> tuple[Deed, ...]:
    return tuple(Deed(each["Operation"], tuple(each["Request"].items())) for each in deeds)

"""What each kind of resource tells when its state changes: EventBridge's detail-type, and the names of the status. Pure.

Source: SageMaker Developer Guide, "Events that SageMaker sends to EventBridge".
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tobo.operations.machine import MACHINES
from tobo.store.base import Event, Row


class Told(NamedTuple):
    """`name` is the noun in the members' names: TrainingJob -> TrainingJobName, TrainingJobArn, TrainingJobStatus."""

    detail_type: str
    name: str


KINDS: Mapping[str, Told] = {
    "training-job": Told("SageMaker Training Job State Change", "TrainingJob"),
    "hyper-parameter-tuning-job": Told("SageMaker HyperParameter Tuning Job State Change", "HyperParameterTuningJob"),
    "transform-job": Told("SageMaker Transform Job State Change", "TransformJob"),
    "processing-job": Told("SageMaker Processing Job State Change", "ProcessingJob"),
    "endpoint": Told("SageMaker Endpoint State Change", "Endpoint"),
    "notebook-instance": Told("SageMaker Notebook Instance State Change", "NotebookInstance"),
    "labeling-job": Told("SageMaker Ground Truth Labeling Job State Change", "LabelingJob"),
}


def status_in(row: Row, event: Event) -> str:
    """The AWS status that a row had after an event."""
    machine = MACHINES.get(row.key.kind)
    return event.state if machine is None else machine.statuses.get(event.state, event.state)


def detail_of(row: Row, status: str) -> dict[str, Any]:
    """As Describe answers, times in milliseconds since the epoch, of the status that the event is about."""
    name = KINDS[row.key.kind].name
    found = {member: _plain(member, value) for member, value in row.found.items() if not member.startswith("_")}
    return {
        **{member: _plain(member, value) for member, value in row.asked.items()},
        **found,
        f"{name}Name": row.key.name,
        f"{name}Arn": row.arn,
        f"{name}Status": status,
        "CreationTime": int(row.created * 1000),
        "LastModifiedTime": int(row.modified * 1000),
        "Tags": dict(row.tags),
    }


def _plain(member: str, value: Any) -> Any:
    return int(value * 1000) if member.endswith("Time") and isinstance(value, float) else value

"""Validation of algorithms and model packages: the jobs of a ValidationSpecification, which really run.

A profile's jobs come one after the other: a training job (an algorithm's only), then a transform job, for which a model
is made and deleted afterwards. Their names are written down before any is created, so that a server that is killed in
between neither loses nor doubles one. The tables of both nouns call their states alike: Pending, Training, Transforming,
Completed, Failed.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call, Context
from tobo.operations.machine import Again, Done, Happened, Outcome
from tobo.operations.metering import PARENT
from tobo.store.base import Conflict, Row

POLL_SECONDS = 0.2

ITEMS = "_validation"
"""Member of `found`: the validation's jobs in their order."""


class Stage(NamedTuple):
    """A kind of validation job: the state in which it runs, its noun in AWS's words and in a sentence's."""

    state: str
    noun: str
    words: str


TRAINING = Stage("Training", "TrainingJob", "training job")
TRANSFORM = Stage("Transforming", "TransformJob", "transform job")


def planned(name: str, stages: Sequence[Stage]) -> dict[str, Any]:
    """What a new row finds: a job for each stage, none of them started.

    Names are like marbles-validation-training-1f2e3d4c; the end is the row's own, as a thing that was deleted and made
    anew is another one.
    """
    seal = secrets.token_hex(4)
    items = []
    for stage in stages:
        suffix = f"-validation-{stage.noun.removesuffix('Job').lower()}-{seal}"
        stem = name.replace("/", "-")[: 63 - len(suffix)].rstrip("-")
        items.append({"State": stage.state, "Name": f"{stem}{suffix}", "Status": "NotStarted"})
    return {ITEMS: items}


def told(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """ValidationStatuses: of each job its name, its DetailedStatus and, where it failed, why."""
    return [{name: value for name, value in item.items() if name != "State"} for item in found.get(ITEMS, [])]


def moved(found: Mapping[str, Any], state: str, message: str) -> dict[str, Any]:
    """What a step into `state` says of the jobs. Pure."""
    items = [dict(item) for item in found.get(ITEMS, [])]
    if state == "Failed":
        for item in items:
            if item["Status"] != "Completed":
                item.update({"Status": "Failed", "FailureReason": message[:1024]})
                break
        return {ITEMS: items}
    for item in items:
        if item["State"] == state:
            item["Status"] = "InProgress"
            break
        item["Status"] = "Completed"
    return {ITEMS: items}


def job_name(row: Row, stage: Stage) -> str:
    """Of the stage's job."""
    return next(str(item["Name"]) for item in row.found[ITEMS] if item["State"] == stage.state)


def profile_of(row: Row) -> Mapping[str, Any]:
    """The one ValidationProfile that there is."""
    profile: Mapping[str, Any] = row.asked["ValidationSpecification"]["ValidationProfiles"][0]
    return profile


def create_training_job(context: Context, row: Row, **asked: Any) -> None:
    """Creates the training job; safe to repeat. `asked` are its members beside name, role and tags. Raises its Faults."""
    _create(context, row, TRAINING, {"RoleArn": _role(row), **asked})


def create_transform_job(context: Context, row: Row, container: Mapping[str, Any]) -> None:
    """Creates a model of the container (of an InferenceSpecification) and the profile's transform job; safe to repeat.

    Raises their Faults.
    """
    name = job_name(row, TRANSFORM)
    kept = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")
    model = {"ModelName": name, "ExecutionRoleArn": _role(row), **_tags(row)}
    try:
        _ask(
            context, row, "CreateModel", PrimaryContainer={of: container[of] for of in kept if of in container}, **model
        )
    except Fault as fault:
        if "already existing" not in fault.message:
            raise
    _create(context, row, TRANSFORM, {"ModelName": name, **profile_of(row)["TransformJobDefinition"]})


def follow(context: Context, row: Row, stage: Stage, event: str) -> Outcome:
    """`event` when the stage's job is Completed, "failed" when it is over otherwise or gone."""
    name = job_name(row, stage)
    try:
        job = _ask(context, row, f"Describe{stage.noun}", **{f"{stage.noun}Name": name})
    except Fault:
        return Happened("failed", message=f"The {stage.words} '{name}' was deleted before it was over.")
    status = job[f"{stage.noun}Status"]
    if status == "Completed":
        return Happened(event)
    if status in ("Failed", "Stopped"):
        why = job.get("FailureReason") or job.get("SecondaryStatus", "it was stopped")
        return Happened("failed", message=f"The {stage.words} '{name}' is {status}: {why}")
    return Again(POLL_SECONDS)


def clean(context: Context, row: Row) -> Outcome:
    """Deletes the model that was made for the transform job, and ends what still runs of a validation that has failed.

    The jobs stay, with their logs and what they have written: they say why.
    """
    for item in row.found[ITEMS]:
        stage = TRAINING if item["State"] == TRAINING.state else TRANSFORM
        if row.state == "Failed":
            _quietly(context, row, f"Stop{stage.noun}", **{f"{stage.noun}Name": item["Name"]})
        if stage is TRANSFORM:
            _quietly(context, row, "DeleteModel", ModelName=item["Name"])
    return Done()


def remove_validated(call: Call, read: Callable[[], Row], noun: str) -> None:
    """Deletes what `read` gives or refuses; raises Fault ValidationException while its validation is not over."""
    while True:
        row = read()
        if row.todo:
            running = [item["Name"] for item in row.found[ITEMS] if item["Status"] == "InProgress"]
            stop = f" or stop its job '{running[0]}'" if running else ""
            raise validation(
                f"Cannot delete {noun} in {row.status} status: the validation of '{row.key.name}' is not over; "
                f"wait for it{stop}."
            )
        try:
            return call.context.store.delete(row)
        except Conflict:
            continue


def _create(context: Context, row: Row, stage: Stage, asked: Mapping[str, Any]) -> None:
    own = {f"{stage.noun}Name": job_name(row, stage), PARENT: row.arn, **_tags(row)}
    try:
        _ask(context, row, f"Create{stage.noun}", **asked, **own)
    except Fault as fault:
        if fault.code != "ResourceInUse":  # it was created before the server was killed
            raise


def _tags(row: Row) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()]} if row.tags else {}


def _role(row: Row) -> str:
    role: str = row.asked["ValidationSpecification"]["ValidationRole"]
    return role


def _ask(context: Context, row: Row, operation: str, **asked: Any) -> Any:
    return context.as_house(row.key.space, "sagemaker", operation, **asked)


def _quietly(context: Context, row: Row, operation: str, **asked: Any) -> None:
    """Of what may be over, or gone, already."""
    try:
        _ask(context, row, operation, **asked)
    except Fault:
        return

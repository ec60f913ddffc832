"""The operations on notebook instances. Source: API reference, CreateNotebookInstance and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_among, matching
from tobo.operations.machine import advance, advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.notebook_instances import states
from tobo.resources.notebook_instances.requests import DEFAULTS, check_installed, check_request, described
from tobo.resources.notebook_instances.sessions import LONGEST_SESSION, address_of, issue_link
from tobo.store.base import Conflict, Row

KIND = "notebook-instance"
NAME = "NotebookInstanceName"
_AT_REST = ("Stopped", "Failed")


@operation("sagemaker", "CreateNotebookInstance")
def create_notebook_instance(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException, or ResourceLimitExceeded where the server has no JupyterLab."""
    check_installed()
    check_request(call, asked)
    row = add_row(
        call,
        KIND,
        asked[NAME],
        {**DEFAULTS, **described(asked)},
        lambda arn: validation(f"Cannot create a duplicate Notebook Instance ({arn})."),
        state=states.FIRST_STEP.state,
        found=states.FRESH,
        todo=states.FIRST_STEP.commands,
    )
    return {"NotebookInstanceArn": row.arn}


@operation("sagemaker", "DescribeNotebookInstance")
def describe_notebook_instance(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read. Beyond AWS's members, for the house alone: `_seconds` in service so far, and `_told`, why it was stopped."""
    row = _known(call, asked)
    since = row.found["_since"]
    running = 0.0 if since is None else max(0.0, call.now - since)
    return {**row.asked, **row.found, **_summary(call, row), "_seconds": row.found["_seconds"] + running}


@operation("sagemaker", "ListNotebookInstances")
def list_notebook_instances(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name unless asked otherwise."""
    script = asked.get("NotebookInstanceLifecycleConfigNameContains", "").lower()
    default = asked.get("DefaultCodeRepositoryContains", "").lower()
    further = asked.get("AdditionalCodeRepositoryEquals")

    def wanted(row: Row) -> bool:
        its = {**row.asked, **row.found}
        return (
            script in (its.get("NotebookInstanceLifecycleConfigName") or "").lower()
            and default in (its.get("DefaultCodeRepository") or "").lower()
            and (further is None or further in (its.get("AdditionalCodeRepositories") or ()))
        )

    return list_among(
        KIND,
        {"SortBy": "Name", **asked},
        "NotebookInstances",
        lambda row: _summary(call, row),
        filter(wanted, matching(call, KIND, asked)),
        default_descending=False,
    )


@operation("sagemaker", "StartNotebookInstance")
def start_notebook_instance(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException unless it is Stopped or Failed."""
    check_installed()
    advance_fresh(call.context, lambda: _movable(call, asked, _AT_REST, "Pending"), "start")
    return {}


@operation("sagemaker", "StopNotebookInstance")
def stop_notebook_instance(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The volume stays. Raises Fault ValidationException unless it is InService."""
    advance_fresh(call.context, lambda: _movable(call, asked, ("InService",), "Stopping"), "stop")
    return {}


@operation("sagemaker", "UpdateNotebookInstance")
def update_notebook_instance(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Counts from the next start on. Raises Fault ValidationException unless it is Stopped or Failed, as Create does, and
    for a smaller volume."""
    check_request(call, asked)
    changed = {name: value for name, value in described(asked).items() if name != NAME}
    while True:
        row = _movable(call, asked, _AT_REST, "Updating")
        size = {**row.asked, **row.found}["VolumeSizeInGB"]
        if changed.get("VolumeSizeInGB", size) < size:
            raise validation(
                f"VolumeSizeInGB {changed['VolumeSizeInGB']} is less than the {size} GB that the volume of "
                f"Notebook Instance ({row.arn}) has; a volume can only grow."
            )
        try:
            advance(call.context, row, "update", changed)
            return {}
        except Conflict:
            continue


@operation("sagemaker", "DeleteNotebookInstance")
def delete_notebook_instance(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With its volume. Raises Fault ValidationException unless it is Stopped or Failed."""
    advance_fresh(call.context, lambda: _movable(call, asked, _AT_REST, "Deleting"), "delete")
    return {}


@operation(
    "sagemaker",
    "CreatePresignedNotebookInstanceUrl",
    resource=lambda call, asked: sagemaker_arn(call.space, KIND, asked[NAME]),
)
def create_presigned_notebook_instance_url(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A link that opens it once, within five minutes. Raises Fault ValidationException unless it is InService."""
    row = _known(call, asked)
    if row.status != "InService":
        raise validation(
            f"Status ({row.status}) not in ([InService]). Unable to create a presigned URL for Notebook Instance "
            f"({row.arn}); start it first."
        )
    seconds = asked.get("SessionExpirationDurationInSeconds", LONGEST_SESSION)
    return {"AuthorizedUrl": issue_link(call.context, row, seconds)}


def _known(call: Call, asked: Mapping[str, Any]) -> Row:
    return known_row(call, KIND, asked[NAME], _missing)


def _missing(arn: str) -> Fault:
    return validation(f"RecordNotFound: There is no Notebook Instance ({arn}).")


def _movable(call: Call, asked: Mapping[str, Any], states_before: tuple[str, ...], status: str) -> Row:
    """Its row; raises Fault ValidationException in AWS's words where it is in none of these states."""
    row = _known(call, asked)
    if row.state not in states_before:
        raise validation(
            f"Status ({row.status}) not in ([{', '.join(states_before)}]). "
            f"Unable to transition to ({status}) for Notebook Instance ({row.arn})."
        )
    return row


def _summary(call: Call, row: Row) -> dict[str, Any]:
    its = {**row.asked, **row.found}
    return {
        NAME: row.key.name,
        "NotebookInstanceArn": row.arn,
        "NotebookInstanceStatus": row.status,
        "Url": address_of(call.context.settings, row.key).host,
        "InstanceType": its["InstanceType"],
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
        **{
            member: its[member]
            for member in (
                "NotebookInstanceLifecycleConfigName",
                "DefaultCodeRepository",
                "AdditionalCodeRepositories",
            )
            if its.get(member)
        },
    }

"""The operations on lifecycle configurations of notebook instances.

Source: API reference, CreateNotebookInstanceLifecycleConfig and its siblings.
"""

import base64
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, remove_row
from tobo.store.base import Row

KIND = "notebook-instance-lifecycle-config"
NAME = "NotebookInstanceLifecycleConfigName"


@operation("sagemaker", "CreateNotebookInstanceLifecycleConfig")
def create_lifecycle_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the name is taken or a script is not base64."""
    _check_scripts(asked)
    row = add_row(call, KIND, asked[NAME], asked, lambda arn: _refused("create", arn, "already exists"))
    return {"NotebookInstanceLifecycleConfigArn": row.arn}


@operation("sagemaker", "DescribeNotebookInstanceLifecycleConfig")
def describe_lifecycle_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = _known(call, asked, "describe")
    return {**row.asked, **_summary(row)}


@operation("sagemaker", "ListNotebookInstanceLifecycleConfigs")
def list_lifecycle_configs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "NotebookInstanceLifecycleConfigs", _summary)


@operation("sagemaker", "UpdateNotebookInstanceLifecycleConfig")
def update_lifecycle_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Instances run the new scripts when they start next."""
    _check_scripts(asked)
    scripts = {member: asked[member] for member in ("OnCreate", "OnStart") if member in asked}
    change_row(call, lambda: _known(call, asked, "update"), "updated", lambda row: {"asked": {**row.asked, **scripts}})
    return {}


@operation("sagemaker", "DeleteNotebookInstanceLifecycleConfig")
def delete_lifecycle_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where an instance uses it."""
    row = _known(call, asked, "delete")
    space = call.space
    users = call.context.as_house(
        space, "sagemaker", "ListNotebookInstances", NotebookInstanceLifecycleConfigNameContains=row.key.name
    )["NotebookInstances"]
    if used := [one["NotebookInstanceName"] for one in users if one[NAME] == row.key.name]:
        raise _refused("delete", row.arn, f"is in use by Notebook Instance '{used[0]}'; update that one first")
    remove_row(call, KIND, row.key.name, lambda arn: _refused("delete", arn, "does not exist"))
    return {}


def _known(call: Call, asked: Mapping[str, Any], deed: str) -> Row:
    return known_row(call, KIND, asked[NAME], lambda arn: _refused(deed, arn, "does not exist"))


def _refused(deed: str, arn: str, why: str) -> Fault:
    return validation(
        f"Unable to {deed} Notebook Instance Lifecycle Config '{arn}'. "
        f"(Details: Notebook Instance Lifecycle Config {why}.)"
    )


def _check_scripts(asked: Mapping[str, Any]) -> None:
    for hook in ("OnCreate", "OnStart"):
        for script in asked.get(hook, []):
            try:
                base64.b64decode(script.get("Content", ""), validate=True)
            except ValueError:
                raise validation(f"{hook}[0].Content is not base64; encode the shell script as base64.") from None


def _summary(row: Row) -> dict[str, Any]:
    return {
        NAME: row.key.name,
        "NotebookInstanceLifecycleConfigArn": row.arn,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }

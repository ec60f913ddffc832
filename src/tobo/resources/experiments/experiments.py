"""The operations on experiments. Source: API reference, CreateExperiment and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import change_row, made_by, remove_row
from tobo.resources.experiments.names import add, gone, known
from tobo.store.base import Query, Row

KIND = "experiment"


@operation("sagemaker", "CreateExperiment")
def create_experiment(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the name is taken."""
    row = add(call, KIND, asked["ExperimentName"], asked, {})
    return {"ExperimentArn": row.arn}


@operation("sagemaker", "DescribeExperiment")
def describe_experiment(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = known(call, KIND, asked["ExperimentName"])
    return {**row.asked, **row.found, **_head(row)}


@operation("sagemaker", "UpdateExperiment")
def update_experiment(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Display name and description; what is not given stays."""
    row = change_row(
        call,
        lambda: known(call, KIND, asked["ExperimentName"]),
        "updated",
        lambda row: {
            "asked": {**row.asked, **asked, "ExperimentName": row.key.name},
            "found": {**row.found, "LastModifiedBy": made_by(call)},
        },
    )
    return {"ExperimentArn": row.arn}


@operation("sagemaker", "ListExperiments")
def list_experiments(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "ExperimentSummaries", _summary)


@operation("sagemaker", "DeleteExperiment")
def delete_experiment(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException while it has trials."""
    row = known(call, KIND, asked["ExperimentName"])
    name = row.key.name
    trials = call.context.store.page(
        Query(call.space, "experiment-trial", where={"ExperimentName": name}, limit=1)
    ).rows
    if trials:
        raise validation(f"Experiment '{name}' still has the trial '{trials[0].key.name}'; delete its trials first.")
    remove_row(call, KIND, name, gone)
    return {"ExperimentArn": row.arn}


def _head(row: Row) -> dict[str, Any]:
    return {
        "ExperimentName": row.key.name,
        "ExperimentArn": row.arn,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


def _summary(row: Row) -> dict[str, Any]:
    return {"DisplayName": row.asked["DisplayName"], **_head(row)}

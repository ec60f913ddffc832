"""The operations on trials. Source: API reference, CreateTrial and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import list_among, list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import change_row, made_by, remove_row
from tobo.resources.experiments.members import COMPONENT, members_of
from tobo.resources.experiments.names import add, gone, known
from tobo.store.base import Key, Row

KIND = "experiment-trial"


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    return sagemaker_arn(call.space, KIND, asked["TrialName"])


@operation("sagemaker", "CreateTrial", resource=_resource)
def create_trial(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFound without the experiment, ValidationException where the name is taken."""
    experiment = known(call, "experiment", asked["ExperimentName"]).key.name
    row = add(call, KIND, asked["TrialName"], {**asked, "ExperimentName": experiment}, {})
    return {"TrialArn": row.arn}


@operation("sagemaker", "DescribeTrial", resource=_resource)
def describe_trial(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = known(call, KIND, asked["TrialName"])
    return {**row.asked, **row.found, **_head(row)}


@operation("sagemaker", "UpdateTrial", resource=_resource)
def update_trial(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The display name."""
    row = change_row(
        call,
        lambda: known(call, KIND, asked["TrialName"]),
        "updated",
        lambda row: {
            "asked": {**row.asked, **asked, "TrialName": row.key.name},
            "found": {**row.found, "LastModifiedBy": made_by(call)},
        },
    )
    return {"TrialArn": row.arn}


@operation("sagemaker", "ListTrials")
def list_trials(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise; of an experiment, of a trial component, or all."""
    experiment, component = asked.get("ExperimentName"), asked.get("TrialComponentName")
    if experiment:
        experiment = known(call, "experiment", experiment).key.name
    if not component:
        return list_rows(call, KIND, asked, "TrialSummaries", _summary, where={"ExperimentName": experiment})
    parents = known(call, COMPONENT, component).found["_parents"]
    names = [parent["TrialName"] for parent in parents if experiment in (None, parent["ExperimentName"])]
    found = [call.context.store.get(Key(call.space, KIND, name)) for name in names]
    return list_among(KIND, asked, "TrialSummaries", _summary, (row for row in found if row is not None))


@operation("sagemaker", "DeleteTrial", resource=_resource)
def delete_trial(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException while it has components."""
    row = known(call, KIND, asked["TrialName"])
    if component := next(members_of(call, row.asked["ExperimentName"], row.key.name), None):
        raise validation(
            f"Trial '{row.key.name}' still has the component '{component}'; disassociate its components first."
        )
    remove_row(call, KIND, row.key.name, gone)
    return {"TrialArn": row.arn}


def _head(row: Row) -> dict[str, Any]:
    return {
        "TrialName": row.key.name,
        "TrialArn": row.arn,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


def _summary(row: Row) -> dict[str, Any]:
    return {"DisplayName": row.asked["DisplayName"], **_head(row)}

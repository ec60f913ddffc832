"""The operations on trial components. Source: API reference, CreateTrialComponent and its siblings.

The house writes the components of jobs through the same operations, with two members that no client can send: `Source`
(a TrialComponentSource) and `Metrics` (TrialComponentMetricSummaries).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_among, list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import change_row, made_by, remove_row
from tobo.resources.experiments.members import component_arn, members_of
from tobo.resources.experiments.names import add, gone, known
from tobo.store.base import Key, Row

KIND = "experiment-trial-component"

_MOST = {"Parameters": 300, "InputArtifacts": 60, "OutputArtifacts": 60}
"""Entries of each map (API reference, CreateTrialComponent)."""


@operation("sagemaker", "CreateTrialComponent", resource=component_arn)
def create_trial_component(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the name is taken."""
    given, found = _split(asked)
    row = add(call, KIND, asked["TrialComponentName"], given, {"_parents": [], **found})
    return {"TrialComponentArn": row.arn}


@operation("sagemaker", "DescribeTrialComponent", resource=component_arn)
def describe_trial_component(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read, by name or ARN."""
    row = known(call, KIND, asked["TrialComponentName"].rsplit("/", 1)[-1])
    sources = {"Sources": [row.found["Source"]]} if "Source" in row.found else {}
    return {**row.asked, **row.found, **sources, **_head(row)}


@operation("sagemaker", "UpdateTrialComponent", resource=component_arn)
def update_trial_component(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the maps are added or replaced, then those to remove are removed; other members are replaced."""

    def change(row: Row) -> dict[str, Any]:
        given, found = _split(asked)
        for name, most in _MOST.items():
            gone = set(given.pop(f"{name}ToRemove", ()))
            merged = {**row.asked.get(name, {}), **given.get(name, {})}
            given[name] = {key: value for key, value in merged.items() if key not in gone}
            if len(given[name]) > most:
                raise validation(
                    f"Trial component '{row.key.name}' would have {len(given[name])} {name}; at most {most} are kept."
                )
        return {
            "asked": {**row.asked, **given},
            "found": {**row.found, **found, "LastModifiedBy": made_by(call)},
        }

    row = change_row(call, lambda: known(call, KIND, asked["TrialComponentName"]), "updated", change)
    return {"TrialComponentArn": row.arn}


@operation("sagemaker", "ListTrialComponents")
def list_trial_components(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise; of a trial, an experiment or a source, or all."""
    trial, experiment, source = asked.get("TrialName"), asked.get("ExperimentName"), asked.get("SourceArn")
    if not trial and not experiment:
        return list_rows(call, KIND, asked, "TrialComponentSummaries", _summary, where={"_source": source})
    rows = _of_trials(call, experiment, trial)
    if source:
        rows = (row for row in rows if row.found.get("_source") == source)
    return list_among(KIND, asked, "TrialComponentSummaries", _summary, rows)


@operation("sagemaker", "DeleteTrialComponent", resource=component_arn)
def delete_trial_component(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its lineage goes with it. Raises Fault ValidationException while it belongs to a trial."""
    row = known(call, KIND, asked["TrialComponentName"])
    if parents := row.found["_parents"]:
        raise validation(
            f"Trial component '{row.key.name}' belongs to the trial '{parents[0]['TrialName']}'; disassociate it first."
        )
    for end in ("SourceArn", "DestinationArn"):
        while found := call.context.as_house(
            call.space, "sagemaker", "ListAssociations", **{end: row.arn, "MaxResults": 100}
        )["AssociationSummaries"]:
            for one in found:
                ends = {"SourceArn": one["SourceArn"], "DestinationArn": one["DestinationArn"]}
                call.context.as_house(call.space, "sagemaker", "DeleteAssociation", **ends)
    remove_row(call, KIND, row.key.name, gone)
    return {"TrialComponentArn": row.arn}


def _of_trials(call: Call, experiment: str | None, trial: str | None) -> Iterator[Row]:
    """The components of a trial, else of all trials of an experiment. Raises Fault ResourceNotFound."""
    if experiment:
        experiment = known(call, "experiment", experiment).key.name
    if trial:
        row = known(call, "experiment-trial", trial)
        trial, whole = row.key.name, row.asked["ExperimentName"]
        if experiment not in (None, whole):
            raise Fault("ResourceNotFound", f"Trial '{trial}' does not belong to the experiment '{experiment}'.")
        experiment = whole
    assert experiment is not None
    for name in dict.fromkeys(members_of(call, experiment, trial)):
        if (component := call.context.store.get(Key(call.space, KIND, name))) is not None:
            yield component


def _split(asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what the request says, with times as epoch seconds; what the house adds)."""
    given = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in asked.items()
        if name not in ("TrialComponentName", "Source", "Metrics")
    }
    found = {name: asked[name] for name in ("Source", "Metrics") if name in asked}
    if "Source" in found:
        found["_source"] = found["Source"]["SourceArn"]
    return given, found


def _head(row: Row) -> dict[str, Any]:
    return {
        "TrialComponentName": row.key.name,
        "TrialComponentArn": row.arn,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


def _summary(row: Row) -> dict[str, Any]:
    names = ("DisplayName", "Status", "StartTime", "EndTime")
    told = {name: row.asked[name] for name in names if name in row.asked}
    source = {"TrialComponentSource": row.found["Source"]} if "Source" in row.found else {}
    return {**told, **source, **_head(row), "CreatedBy": row.found["CreatedBy"]}

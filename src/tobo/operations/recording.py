"""What a job leaves behind in experiments and lineage: its trial component, the artefacts it read and made, its trial.

Written by the jobs' own steps through the operations that a client has, too: once when the job is at work and once when
it is over. Names of parameters and artefacts are those that SageMaker gives the components of its jobs.
"""

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, service_principal
from tobo.store.base import Row
from tobo.telemetry.base import MetricName, Observation

log = logging.getLogger("tobo.recording")

MOST_STATUS_TEXT = 1024
MOST_PARAMETER_TEXT = 2500


@dataclass(frozen=True)
class Artifact:
    """Something at an address that a job reads or makes; `kind` is the lineage's word: DataSet, Image, Model."""

    uri: str
    kind: str
    media_type: str = ""


@dataclass(frozen=True)
class JobRecord:
    """What a job's noun knows of it, in the words of trial components.

    `kind` is "training-job", "processing-job", "labeling-job" and the like; `status` a TrialComponentPrimaryStatus; times are
    epoch seconds; `metrics` names series in the namespace `metrics_namespace` with the dimension `metrics_dimension`.
    """

    row: Row
    kind: str
    status: str
    over: bool
    message: str = ""
    start: float | None = None
    end: float | None = None
    parameters: Mapping[str, str | float] = field(default_factory=dict)
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    metrics: Sequence[str] = ()
    metrics_namespace: str = ""
    metrics_dimension: str = ""

    @property
    def component(self) -> str:
        return f"{self.row.key.name}-aws-{self.kind}"

    @property
    def source(self) -> dict[str, str]:
        words = "".join(word.capitalize() for word in self.kind.split("-"))
        return {"SourceArn": self.row.arn, "SourceType": f"SageMaker{words}"}


def media_type(source: Mapping[str, Any]) -> str:
    """The ContentType of a channel or a transform's input as an artefact may have it: without parameters."""
    found = str(source.get("ContentType", "")).split(";")[0].strip()
    return found if len(found) <= 64 and re.fullmatch(r"[-\w]+/[-\w+]+", found) else ""


def check_experiment(call: Call, asked: Mapping[str, Any]) -> None:
    """The ExperimentConfig of a Create...Job request: what it names must be there. Raises Fault ResourceNotFound."""
    config = asked.get("ExperimentConfig", {})
    if experiment := config.get("ExperimentName"):
        call.call("sagemaker", "DescribeExperiment", ExperimentName=experiment)
    if trial := config.get("TrialName"):
        found = call.call("sagemaker", "DescribeTrial", TrialName=trial)
        if experiment and found["ExperimentName"] != experiment:
            raise Fault("ResourceNotFound", f"Trial '{trial}' does not belong to the experiment '{experiment}'.")


def record_job(context: Context, record: JobRecord) -> None:
    """Writes the component, and when the job is over its artefacts; safe to repeat.

    A job never fails for its record: what is refused (the trial was deleted, say) is logged.
    """
    space = record.row.key.space
    call = Call(context, service_principal(space.account), space)
    try:
        component = _write_component(call, record)
        _join_trial(call, record)
        if record.over:
            _write_lineage(call, component, record)
    except Fault as fault:
        log.warning("the record of %s is not complete: %s", record.row.arn, fault)
    except Exception:
        log.exception("the record of %s is not complete", record.row.arn)


def _write_component(call: Call, record: JobRecord) -> str:
    """Creates or updates it; gives its ARN."""
    status = {"PrimaryStatus": record.status}
    if record.message:
        status["Message"] = record.message[:MOST_STATUS_TEXT]
    asked: dict[str, Any] = {
        "TrialComponentName": record.component,
        "Status": status,
        "Source": record.source,
        "Parameters": {name: _parameter(value) for name, value in list(record.parameters.items())[:300]},
        "InputArtifacts": _listed(record.inputs),
        "OutputArtifacts": _listed(record.outputs),
    }
    if display := record.row.asked.get("ExperimentConfig", {}).get("TrialComponentDisplayName"):
        asked["DisplayName"] = display
    times = {"StartTime": record.start, "EndTime": record.end}
    asked |= {name: at for name, at in times.items() if at is not None}
    if metrics := _summaries(call, record):
        asked["Metrics"] = metrics
    try:
        answer = call.call("sagemaker", "CreateTrialComponent", **asked)
    except Fault as fault:
        if "already exists" not in fault.message:
            raise
        answer = call.call("sagemaker", "UpdateTrialComponent", **asked)
    arn: str = answer["TrialComponentArn"]
    return arn


def _join_trial(call: Call, record: JobRecord) -> None:
    """Into the trial that ExperimentConfig names. Without a name: that of the experiment's runs, or one of the job's own."""
    config = record.row.asked.get("ExperimentConfig", {})
    experiment, trial = config.get("ExperimentName"), config.get("TrialName")
    if not experiment and not trial:
        return
    if not trial:
        # The SageMaker SDK keeps an experiment's runs in a trial of this name.
        runs = f"Default-Run-Group-{experiment}"[:120].rstrip("-")
        trial = runs if config.get("RunName") else f"{record.row.key.name}-aws-trial"
        try:
            call.call("sagemaker", "CreateTrial", TrialName=trial, ExperimentName=experiment)
        except Fault as fault:
            if "already exists" not in fault.message:
                raise
    call.call("sagemaker", "AssociateTrialComponent", TrialName=trial, TrialComponentName=record.component)


def _write_lineage(call: Call, component: str, record: JobRecord) -> None:
    for artifact in dict.fromkeys(record.inputs.values()):
        associate(call, artifact_at(call, artifact), component, "ContributedTo")
    for artifact in dict.fromkeys(record.outputs.values()):
        associate(call, component, artifact_at(call, artifact), "Produced")


def artifact_at(call: Call, artifact: Artifact) -> str:
    """The ARN of the artefact at an address, which is made where there is none."""
    while True:
        known = call.call("sagemaker", "ListArtifacts", SourceUri=artifact.uri, MaxResults=1)["ArtifactSummaries"]
        if known:
            arn: str = known[0]["ArtifactArn"]
            return arn
        try:
            call.call("sagemaker", "CreateArtifact", Source={"SourceUri": artifact.uri}, ArtifactType=artifact.kind)
        except Fault as fault:
            if "already exists" not in fault.message:
                raise


def associate(call: Call, source: str, destination: str, kind: str) -> None:
    """One that is there already is no error, and not tried: what is refused would be in the audit log."""
    ends = {"SourceArn": source, "DestinationArn": destination}
    if call.call("sagemaker", "ListAssociations", **ends, MaxResults=1)["AssociationSummaries"]:
        return
    try:
        call.call("sagemaker", "AddAssociation", **ends, AssociationType=kind)
    except Fault as fault:
        if "already exists" not in fault.message:
            raise


def _listed(artifacts: Mapping[str, Artifact]) -> dict[str, dict[str, str]]:
    return {
        name: {"Value": artifact.uri} | ({"MediaType": artifact.media_type} if artifact.media_type else {})
        for name, artifact in list(artifacts.items())[:60]
    }


def _parameter(value: str | float) -> dict[str, Any]:
    """Hyperparameters are texts; those that are numbers shall be compared as numbers."""
    try:
        number = float(value)
    except ValueError:
        return {"StringValue": str(value)[:MOST_PARAMETER_TEXT]}
    return {"NumberValue": number} if math.isfinite(number) else {"StringValue": str(value)}


def _summaries(call: Call, record: JobRecord) -> list[dict[str, Any]]:
    found = []
    for name in record.metrics:
        series = MetricName(record.metrics_namespace, name, {record.metrics_dimension: record.row.key.name})
        # What was put before the job was created is an older job's of the same name.
        values = call.context.metrics.values(call.space, series, record.row.created - 1, call.now + 1)
        if values:
            found.append({**summarize(name, values), "SourceArn": record.row.arn})
    return found


def summarize(name: str, values: Iterable[Observation], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A TrialComponentMetricSummary of observations, added to the summary of those `before` them.

    StdDev is the population's; counts, means and squares are carried on as Welford does (Technometrics 4, 1962).
    """
    told = dict(before or {"MetricName": name, "Count": 0, "Avg": 0.0, "StdDev": 0.0})
    squares = told["StdDev"] ** 2 * told["Count"]
    for observed in values:
        told["Count"] += 1
        away = observed.value - told["Avg"]
        told["Avg"] += away / told["Count"]
        squares += away * (observed.value - told["Avg"])
        told["Min"] = min(told.get("Min", observed.value), observed.value)
        told["Max"] = max(told.get("Max", observed.value), observed.value)
        if observed.at >= told.get("TimeStamp", observed.at):
            told |= {"Last": observed.value, "TimeStamp": observed.at}
    told["StdDev"] = math.sqrt(max(squares, 0.0) / told["Count"]) if told["Count"] else 0.0
    return told

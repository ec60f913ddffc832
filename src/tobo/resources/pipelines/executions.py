"""The operations on executions of pipelines. Source: API reference, StartPipelineExecution and its siblings."""

import hashlib
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows, page_of
from tobo.operations.machine import advance, advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, made_by
from tobo.resources.pipelines import states
from tobo.resources.pipelines.api import EXECUTION as KIND
from tobo.resources.pipelines.api import KIND as PIPELINE
from tobo.resources.pipelines.api import VERSION, missing, pipeline_arn, pipeline_row, version_row
from tobo.resources.pipelines.definition import Definition, read_definition
from tobo.resources.pipelines.run import Run
from tobo.store.base import Conflict, Key, Row


def _arn(call: Call, asked: Mapping[str, Any]) -> str:
    arn: str = asked.get("PipelineExecutionArn", "*")
    return arn


@operation("sagemaker", "StartPipelineExecution", resource=pipeline_arn)
def start_pipeline_execution(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the same ClientRequestToken answers the same execution. Raises Fault ResourceNotFound,
    ValidationException."""
    for member in ("SelectiveExecutionConfig", "MlflowExperimentName"):
        if member in asked:
            raise validation(f"{member} is not built; leave it out.")
    pipeline = pipeline_row(call, asked["PipelineName"])
    version = version_row(call, pipeline, asked)
    definition = read_definition(version.asked["_definition"])
    kept = {member: value for member, value in asked.items() if member.startswith("PipelineExecution")}
    kept |= {"PipelineVersionId": version.asked["_number"], "RoleArn": asked.get("RoleArn", pipeline.asked["RoleArn"])}
    width = asked.get("ParallelismConfiguration") or pipeline.asked.get("ParallelismConfiguration")
    kept |= {"ParallelismConfiguration": width} if width else {}
    kept |= {
        "_version": version.key.name,
        "_definition": version.asked["_definition"],
        "_parameters": _parameters(definition, asked),
    }
    token = f"{pipeline.arn} {pipeline.created} {asked['ClientRequestToken']}"
    execution = hashlib.sha256(token.encode()).hexdigest()[:12]
    name, arn = f"{pipeline.key.name}/{execution}", f"{pipeline.arn}/execution/{execution}"
    if config := _experiment(call, definition, name, arn, kept):
        kept |= {"PipelineExperimentConfig": config, "_experiment": config}
    try:
        add_row(
            call,
            KIND,
            name,
            kept,
            lambda arn: Fault("taken", arn),
            arn=arn,
            state="Executing",
            found={"CreatedBy": made_by(call), "LastModifiedBy": made_by(call)},
            todo=("join_trial", "run_steps"),
        )
    except Fault as fault:
        if fault.code != "taken":
            raise
        return {"PipelineExecutionArn": arn}
    _remember(call, PIPELINE, pipeline.key.name, {"LastRunTime": call.now})
    _remember(call, VERSION, version.key.name, {"_last": arn})
    return {"PipelineExecutionArn": arn}


@operation("sagemaker", "DescribePipelineExecution", resource=_arn)
def describe_pipeline_execution(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = execution_row(call, asked["PipelineExecutionArn"])
    told = {name: value for name, value in {**row.asked, **row.found}.items() if name != "FailureReason" or value}
    return {
        **told,
        "PipelineArn": row.arn.rsplit("/execution/", 1)[0],
        "PipelineExecutionArn": row.arn,
        "PipelineExecutionStatus": row.status,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


@operation("sagemaker", "UpdatePipelineExecution", resource=_arn)
def update_pipeline_execution(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its name, its description and how many steps may run at a time."""
    members = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
    given = {member: asked[member] for member in members if member in asked}

    def changed(row: Row) -> dict[str, Any]:
        return {"asked": {**row.asked, **given}, "found": {**row.found, "LastModifiedBy": made_by(call)}}

    row = change_row(call, lambda: execution_row(call, asked["PipelineExecutionArn"]), "updated", changed)
    return {"PipelineExecutionArn": row.arn}


@operation("sagemaker", "StopPipelineExecution", resource=_arn)
def stop_pipeline_execution(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Stops the jobs that run; stopping one that is stopping changes nothing. Raises Fault ConflictException where it
    is over."""
    arn = asked["PipelineExecutionArn"]

    def running() -> Row | None:
        row = execution_row(call, arn)
        if row.state in states.TERMINAL:
            raise Fault("ConflictException", f"The execution '{arn}' is {row.status} and cannot be stopped.")
        return None if row.state == "Stopping" else row

    advance_fresh(call.context, running, "stop")
    return {"PipelineExecutionArn": arn}


@operation("sagemaker", "RetryPipelineExecution", resource=_arn)
def retry_pipeline_execution(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Steps that failed or were stopped begin anew, those that succeeded stay. Raises Fault ConflictException."""
    arn = asked["PipelineExecutionArn"]
    while True:
        row = execution_row(call, arn)
        if row.state not in ("Failed", "Stopped"):
            raise Fault(
                "ConflictException",
                f"The execution '{arn}' is {row.status}; only one that has failed or was stopped is retried.",
            )
        steps = row.found.get("_steps", [])
        attempts = {**row.found.get("_attempts", {}), **{one["StepName"]: one["AttemptCount"] for one in steps}}
        kept = [one for one in steps if one["StepStatus"] == "Succeeded"]
        try:
            advance(
                call.context, row, "retry", {"_steps": kept, "_attempts": attempts, "LastModifiedBy": made_by(call)}
            )
        except Conflict:
            continue
        if width := asked.get("ParallelismConfiguration"):
            update_pipeline_execution(call, {"PipelineExecutionArn": arn, "ParallelismConfiguration": width})
        return {"PipelineExecutionArn": arn}


@operation("sagemaker", "ListPipelineExecutions", resource=pipeline_arn)
def list_pipeline_executions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise. Raises Fault ResourceNotFound."""
    pipeline = pipeline_row(call, asked["PipelineName"])
    where = {}
    if "PipelineVersionAlias" in asked:
        where["_version"] = version_row(call, pipeline, asked).key.name
    order = {"SortBy": "Arn"} if asked.get("SortBy") == "PipelineExecutionArn" else {}
    return list_rows(
        call,
        KIND,
        {**asked, **order},
        "PipelineExecutionSummaries",
        _summary,
        where=where,
        name_prefix=f"{pipeline.key.name}/",
    )


@operation("sagemaker", "ListPipelineExecutionSteps", resource=_arn)
def list_pipeline_execution_steps(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have begun, the last one first unless asked otherwise."""
    if "PipelineExecutionArn" not in asked:
        raise validation("PipelineExecutionArn is missing; ListPipelineExecutions tells them.")
    steps = list(execution_row(call, asked["PipelineExecutionArn"]).found.get("_steps", []))
    ordered = steps if asked.get("SortOrder") == "Ascending" else steps[::-1]
    page, more = page_of(ordered, "pipeline-steps", asked, 20)
    return {"PipelineExecutionSteps": page, **more}


@operation("sagemaker", "ListPipelineParametersForExecution", resource=_arn)
def list_pipeline_parameters(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter's value, the defaults among them."""
    given = execution_row(call, asked["PipelineExecutionArn"]).asked["_parameters"]
    parameters = [{"Name": name, "Value": str(value)} for name, value in given.items()]
    page, more = page_of(parameters, "pipeline-parameters", asked, 20)
    return {"PipelineParameters": page, **more}


@operation("sagemaker", "DescribePipelineDefinitionForExecution", resource=_arn)
def describe_definition_for_execution(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What it runs, also where the pipeline has another definition by now."""
    row = execution_row(call, asked["PipelineExecutionArn"])
    return {"PipelineDefinition": row.asked["_definition"], "CreationTime": row.created}


def execution_row(call: Call, arn: str) -> Row:
    """Raises Fault ResourceNotFound."""
    row = call.context.store.find_arn(arn)
    if row is None or row.key.kind != KIND or row.key.space != call.space:
        raise Fault("ResourceNotFound", f"There is no pipeline execution '{arn}'; ListPipelineExecutions tells them.")
    return row


def _parameters(definition: Definition, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, of the types that the definition says. Raises Fault for what is unknown, missing or wrong."""
    given = {one["Name"]: one["Value"] for one in asked.get("PipelineParameters", [])}
    if odd := given.keys() - definition.parameters.keys():
        known = ", ".join(definition.parameters) or "none"
        raise validation(f"The pipeline has no parameter '{min(odd)}'; its parameters are: {known}.")
    found: dict[str, Any] = {}
    for name, parameter in definition.parameters.items():
        if name not in given and "DefaultValue" not in parameter:
            raise validation(f"The parameter '{name}' has no default; give it among PipelineParameters.")
        found[name] = _value(name, parameter, given[name]) if name in given else parameter["DefaultValue"]
        if (choices := parameter.get("EnumValues")) and found[name] not in choices:
            raise validation(f"The parameter '{name}' is '{found[name]}'; it has to be one of {choices}.")
    return found


def _value(name: str, parameter: Mapping[str, Any], text: str) -> Any:
    kind = parameter["Type"]
    try:
        match kind:
            case "Integer":
                return int(text)
            case "Float":
                return float(text)
            case "Boolean":
                return {"true": True, "false": False}[text.lower()]
        return text
    except (ValueError, KeyError):
        raise validation(f"The parameter '{name}' is '{text}', which is no {kind}.") from None


def _experiment(call: Call, definition: Definition, name: str, arn: str, kept: Mapping[str, Any]) -> dict[str, str]:
    """PipelineExperimentConfig with its functions done; {} where the definition has none."""
    seen = Row(Key(call.space, KIND, name), arn, kept, {}, "", "", call.now, call.now)
    config = Run.of(call.context, seen).resolved(definition.experiment)
    return {member: str(config[member])[:120] for member in ("ExperimentName", "TrialName") if config.get(member)}


def _remember(call: Call, kind: str, name: str, found: Mapping[str, Any]) -> None:
    change_row(
        call,
        lambda: known_row(call, kind, name, missing),
        "executed",
        lambda row: {"found": {**row.found, **found}},
    )


def _summary(row: Row) -> dict[str, Any]:
    told = {
        "PipelineExecutionArn": row.arn,
        "StartTime": row.created,
        "PipelineExecutionStatus": row.status,
    }
    members = ("PipelineExecutionDisplayName", "PipelineExecutionDescription")
    told |= {member: row.asked[member] for member in members if member in row.asked}
    reason = row.found.get("FailureReason")
    return {**told, **({"PipelineExecutionFailureReason": reason} if reason else {})}

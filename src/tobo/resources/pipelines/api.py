"""The operations on pipelines. Source of members and errors: API reference, CreatePipeline and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri
from tobo.operations.context import Call, resource_of
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, made_by, rows_of
from tobo.operations.sources import read_object
from tobo.resources.pipelines import states
from tobo.resources.pipelines.definition import Definition, read_definition
from tobo.resources.pipelines.step_types import RESOURCES
from tobo.store.base import Conflict, Key, Row

KIND, EXECUTION, VERSION = "pipeline", "pipeline-execution", "pipeline-version"

_UPDATED = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


def pipeline_arn(call: Call, asked: Mapping[str, Any]) -> str:
    """What a policy names."""
    name: str = asked.get("PipelineName", "*")
    return name if name.startswith("arn:") else sagemaker_arn(call.space, KIND, name)


@operation("sagemaker", "CreatePipeline", resource=pipeline_arn)
def create_pipeline(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same ClientRequestToken answers what it answered. Raises Fault ValidationException, with all that is wrong."""
    name, token = asked["PipelineName"], asked["ClientRequestToken"]
    known = call.context.store.get(Key(call.space, KIND, name))
    if known is not None and known.found["_token"] == token:
        return {"PipelineArn": known.arn}
    text = definition_asked(call, asked)
    if text is None:
        raise validation("The pipeline has no PipelineDefinition; give it, or a PipelineDefinitionS3Location.")
    kept = {member: asked[member] for member in ("PipelineName", *_UPDATED) if member in asked}
    kept = {"PipelineDisplayName": name, **kept, "PipelineDefinition": text}
    found = {"CreatedBy": made_by(call), "LastModifiedBy": made_by(call), "_token": token, "_version": 0}
    row = add_row(call, KIND, name, {**kept, "Tags": asked.get("Tags", [])}, _taken, state="Active", found=found)
    add_version(call, row, text, asked.get("PipelineVersionAliases", []))
    return {"PipelineArn": row.arn}


@operation("sagemaker", "DescribePipeline", resource=pipeline_arn)
def describe_pipeline(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name or ARN; the newest version, unless one is named by its number or an alias."""
    row = pipeline_row(call, asked["PipelineName"])
    told = {**row.asked, **row.found, **head(row), "PipelineStatus": row.status}
    version = version_row(call, row, asked)
    told |= {member: version.asked[member] for member in version.asked if member.startswith("PipelineVersion")}
    return {**told, "PipelineDefinition": version.asked["_definition"]}


@operation("sagemaker", "UpdatePipeline", resource=pipeline_arn)
def update_pipeline(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A new definition is a new version; executions that run keep theirs. Raises Fault ValidationException."""
    text = definition_asked(call, asked)

    def changed(row: Row) -> dict[str, Any]:
        kept = {**row.asked, **{member: asked[member] for member in _UPDATED if member in asked}}
        if text is not None:
            kept["PipelineDefinition"] = text
        return {"asked": kept, "found": {**row.found, "LastModifiedBy": made_by(call)}}

    row = change_row(call, lambda: pipeline_row(call, asked["PipelineName"]), "updated", changed)
    aliases = asked.get("PipelineVersionAliases", [])
    version = add_version(call, row, text, aliases) if text is not None else row.found["_version"]
    return {"PipelineArn": row.arn, "PipelineVersionId": version}


@operation("sagemaker", "DeletePipeline", resource=pipeline_arn)
def delete_pipeline(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its executions and versions go with it; what they made stays. Raises Fault ConflictException while one runs."""
    row = pipeline_row(call, asked["PipelineName"])
    store, below = call.context.store, f"{row.key.name}/"
    executions = [*rows_of(store, call.space, EXECUTION, below)]
    for one in executions:
        if one.state not in states.TERMINAL:
            raise Fault(
                "ConflictException",
                f"The pipeline '{row.key.name}' has an execution that is {one.status} ({one.arn}); stop it first.",
            )
    for one in (*executions, *rows_of(store, call.space, VERSION, below), row):
        try:
            store.delete(one)
        except Conflict:
            raise Fault("ConflictException", f"'{one.arn}' is being changed; try again.") from None
    return {"PipelineArn": row.arn}


@operation("sagemaker", "ListPipelines")
def list_pipelines(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    if asked.get("ManagedBy") == "AWS":
        return {"PipelineSummaries": []}
    prefix = asked.get("PipelineNamePrefix")
    return list_rows(call, KIND, asked, "PipelineSummaries", _summary, name_prefix=prefix)


def definition_asked(call: Call, asked: Mapping[str, Any]) -> str | None:
    """The text of a request's definition, once it is known that it can be run; None where it has none."""
    text: str | None = asked.get("PipelineDefinition")
    if location := asked.get("PipelineDefinitionS3Location"):
        if text is not None:
            raise validation("Give PipelineDefinition or PipelineDefinitionS3Location, not both.")
        uri = S3Uri(location["Bucket"], location["ObjectKey"])
        try:
            # asked as the caller: who makes a pipeline reads no more by it than he may
            call.call("s3", "HeadObject", Bucket=uri.bucket, Key=uri.key)
            text = read_object(call.context.objects, call.space, uri).decode()
        except Fault as fault:
            raise validation(f"PipelineDefinitionS3Location: {fault.message.rstrip('.')} (reading {uri}).") from None
        except ValueError:
            raise validation(f"PipelineDefinitionS3Location: {uri} is no UTF-8 text.") from None
    if text is not None:
        _check_rights(call, read_definition(text))
    return text


def _check_rights(call: Call, definition: Definition) -> None:
    """The house makes the steps: who writes a definition must be allowed to ask for each of them himself.

    Raises Fault AccessDeniedException.
    """
    for step in definition.steps:
        for name in RESOURCES[step.type].operations if step.type in RESOURCES else ():
            resource = resource_of(call, "sagemaker", name, {})
            if not call.principal.allows(f"sagemaker:{name}", resource):
                raise Fault(
                    "AccessDeniedException",
                    f"User: {call.principal.arn} is not authorized to perform: sagemaker:{name} on resource: "
                    f"{resource}, which the step '{step.name}' does",
                    403,
                )


def pipeline_row(call: Call, name: str) -> Row:
    """The pipeline of this name or ARN; raises Fault ResourceNotFound."""
    if not name.startswith("arn:"):
        return known_row(call, KIND, name, missing)
    row = call.context.store.find_arn(name)
    if row is None or row.key.kind != KIND or row.key.space != call.space:
        raise missing(name)
    return row


def add_version(call: Call, row: Row, text: str, aliases: list[str]) -> int:
    """The next version's number. An alias belongs to one version: an older one loses it."""
    numbered = change_row(
        call,
        lambda: known_row(call, KIND, row.key.name, missing),
        "versioned",
        lambda row: {"found": {**row.found, "_version": row.found["_version"] + 1}},
    )
    number: int = numbered.found["_version"]
    take_aliases(call, row, aliases)
    asked = {"_definition": text, "_number": number, **({"PipelineVersionAliases": aliases} if aliases else {})}
    name = f"{row.key.name}/{number}"
    add_row(call, VERSION, name, asked, _taken, arn=f"{row.arn}/version/{number}", state="Active")
    return number


def take_aliases(call: Call, pipeline: Row, aliases: list[str]) -> None:
    """Away from the versions that have them."""
    for one in rows_of(call.context.store, call.space, VERSION, f"{pipeline.key.name}/"):
        if set(one.asked.get("PipelineVersionAliases", [])) & set(aliases):
            left = [alias for alias in one.asked["PipelineVersionAliases"] if alias not in aliases]
            change_row(
                call,
                lambda name=one.key.name: known_row(call, VERSION, name, missing),  # type: ignore[misc]
                "aliased",
                lambda row, left=left: {"asked": {**row.asked, "PipelineVersionAliases": left}},  # type: ignore[misc]
            )


def version_row(call: Call, pipeline: Row, asked: Mapping[str, Any]) -> Row:
    """The version that PipelineVersionId or PipelineVersionAlias names, else the newest. Raises Fault ResourceNotFound."""
    number, alias = asked.get("PipelineVersionId"), asked.get("PipelineVersionAlias")
    if alias is not None:
        for one in rows_of(call.context.store, call.space, VERSION, f"{pipeline.key.name}/"):
            if alias in one.asked.get("PipelineVersionAliases", []):
                return one
        raise Fault("ResourceNotFound", f"The pipeline '{pipeline.key.name}' has no version with the alias '{alias}'.")
    name = f"{pipeline.key.name}/{number or pipeline.found['_version']}"
    row = call.context.store.get(Key(call.space, VERSION, name))
    if row is None:
        raise Fault("ResourceNotFound", f"The pipeline '{pipeline.key.name}' has no version {number}.")
    return row


def head(row: Row) -> dict[str, Any]:
    """What a summary and a description share."""
    return {
        "PipelineName": row.key.name,
        "PipelineArn": row.arn,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


def _summary(row: Row) -> dict[str, Any]:
    members = ("PipelineDisplayName", "PipelineDescription", "RoleArn")
    last = {"LastExecutionTime": row.found["LastRunTime"]} if "LastRunTime" in row.found else {}
    return {**head(row), **{name: row.asked[name] for name in members if name in row.asked}, **last}


def _taken(arn: str) -> Fault:
    name = arn.rsplit("/", 1)[-1]
    return validation(
        "Pipeline names must be unique within an AWS account and region. "
        f"Pipeline with name ({name}) already exists; update it, or choose another name."
    )


def missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"Pipeline '{arn}' does not exist; ListPipelines tells those that are there.")

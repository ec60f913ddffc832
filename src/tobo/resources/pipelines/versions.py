"""The operations on versions of a pipeline: each definition that it had. Source: API reference, ListPipelineVersions."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.pipelines.api import VERSION, pipeline_arn, pipeline_row, take_aliases, version_row
from tobo.store.base import Row

MOST_ALIASES = 10


@operation("sagemaker", "ListPipelineVersions", resource=pipeline_arn)
def list_pipeline_versions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise. Raises Fault ResourceNotFound."""
    pipeline = pipeline_row(call, asked["PipelineName"])

    def summary(row: Row) -> dict[str, Any]:
        told = {member: value for member, value in row.asked.items() if member.startswith("PipelineVersion")}
        last = {"LastExecutionPipelineExecutionArn": row.found["_last"]} if "_last" in row.found else {}
        number = row.asked["_number"]
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": number, "CreationTime": row.created, **told, **last}

    prefix = f"{pipeline.key.name}/"
    return list_rows(call, VERSION, asked, "PipelineVersionSummaries", summary, name_prefix=prefix)


@operation("sagemaker", "UpdatePipelineVersion", resource=lambda call, asked: str(asked["PipelineArn"]))
def update_pipeline_version(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Names, describes and aliases a version. Raises Fault ResourceNotFound, ValidationException."""
    pipeline = pipeline_row(call, asked["PipelineArn"])
    operations = asked.get("PipelineVersionAliasOperations", {})
    added, removed = operations.get("Add", []), set(operations.get("Remove", []))

    def changed(row: Row) -> dict[str, Any]:
        there = [alias for alias in row.asked.get("PipelineVersionAliases", []) if alias not in removed]
        aliases = [*there, *(alias for alias in added if alias not in there)]
        if len(aliases) > MOST_ALIASES:
            raise validation(f"The version would have {len(aliases)} aliases; it has at most {MOST_ALIASES}.")
        words = ("PipelineVersionDisplayName", "PipelineVersionDescription")
        given = {member: asked[member] for member in words if member in asked}
        return {"asked": {**row.asked, **given, "PipelineVersionAliases": aliases}}

    version_row(call, pipeline, asked)
    take_aliases(call, pipeline, added)
    change_row(call, lambda: version_row(call, pipeline, asked), "updated", changed)
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": asked["PipelineVersionId"]}

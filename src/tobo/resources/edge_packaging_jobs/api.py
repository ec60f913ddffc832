"""The operations on edge packaging jobs. Source: API reference, Create/Describe/List/StopEdgePackagingJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.edge import check_output
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_among, list_rows, matching
from tobo.operations.registry import operation
from tobo.operations.rows import add_row
from tobo.resources.edge_packaging_jobs import states
from tobo.store.base import Row

KIND = "edge-packaging-job"

SHORTEST_MODEL = 4
"""Characters of a ModelName in the model of sagemaker-edge."""

_SORTS = {
    "NAME": "Name",
    "MODEL_NAME": "ModelName",
    "CREATION_TIME": "CreationTime",
    "LAST_MODIFIED_TIME": "LastModifiedTime",
    "STATUS": "Status",
}


@operation("sagemaker", "CreateEdgePackagingJob")
def create_edge_packaging_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the controller does the rest. What the compilation made is fixed here.

    Raises Fault ResourceInUse, ResourceNotFound (no such compilation job), ValidationException (not completed, an
    address that is none, a Greengrass component, a name too short for heartbeats).
    """
    check_output(asked["OutputConfig"])
    if len(asked["ModelName"]) < SHORTEST_MODEL:
        raise validation(
            f"ModelName '{asked['ModelName']}' is shorter than {SHORTEST_MODEL} characters, which a device that runs it "
            "could not tell in SendHeartbeat; choose a longer one."
        )
    name = asked["CompilationJobName"]
    compiled = call.context.as_house(call.space, "sagemaker", "DescribeCompilationJob", CompilationJobName=name)
    if compiled["CompilationJobStatus"] != "COMPLETED":
        raise validation(
            f"The compilation job '{name}' at CompilationJobName is {compiled['CompilationJobStatus']}; only what is "
            "COMPLETED can be packaged."
        )
    archive = compiled["ModelArtifacts"]["S3ModelArtifacts"]
    row = add_row(
        call,
        KIND,
        asked["EdgePackagingJobName"],
        asked,
        _taken,
        state="Starting",
        status="STARTING",
        found={"_archive": archive},
        todo=("begin",),
    )
    return {"EdgePackagingJobArn": row.arn}


@operation("sagemaker", "DescribeEdgePackagingJob")
def describe_edge_packaging_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return JOBS.describe(call, asked)


@operation("sagemaker", "ListEdgePackagingJobs")
def list_edge_packaging_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    asked = {**asked, "SortBy": _SORTS[asked.get("SortBy", "CREATION_TIME")]}
    part = asked.get("ModelNameContains")
    if part is None and asked["SortBy"] != "ModelName":
        return list_rows(call, KIND, asked, "EdgePackagingJobSummaries", _summary)
    rows = (row for row in matching(call, KIND, asked) if (part or "").lower() in row.asked["ModelName"].lower())
    return list_among(KIND, asked, "EdgePackagingJobSummaries", _summary, rows)


@operation("sagemaker", "StopEdgePackagingJob")
def stop_edge_packaging_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Stopping a stopping job changes nothing. Raises Fault ValidationException where it is over."""
    return JOBS.stop(call, asked)


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"An edge packaging job of this name exists ({arn}); choose another name.")


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"There is no edge packaging job '{arn.rsplit('/', 1)[-1]}'.")


def _summary(row: Row) -> dict[str, Any]:
    told = ("CompilationJobName", "ModelName", "ModelVersion")
    return {**JOBS.head(row), **{name: row.asked[name] for name in told}}


JOBS = Jobs("EdgePackagingJob", KIND, "edge packaging job", states.TERMINAL, _missing)

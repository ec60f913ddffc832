"""The operations on processing jobs. Source of members and errors: API reference, Create/Describe/...ProcessingJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_rows
from tobo.operations.recording import check_experiment
from tobo.operations.registry import operation
from tobo.operations.rows import add_row
from tobo.resources.processing_jobs import states
from tobo.resources.processing_jobs.requests import DEFAULT_MAX_RUNTIME, check_request
from tobo.store.base import Row

KIND = "processing-job"


@operation("sagemaker", "CreateProcessingJob")
def create_processing_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the controller does the rest. Raises Fault ResourceInUse, ResourceNotFound, ValidationException."""
    check_request(call.context, asked)
    check_experiment(call, asked)
    kept = dict(asked)
    kept["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME, **asked.get("StoppingCondition", {})}
    row = add_row(
        call,
        KIND,
        asked["ProcessingJobName"],
        kept,
        _taken,
        state="Starting",
        status="InProgress",
        todo=("reserve",),
    )
    return {"ProcessingJobArn": row.arn}


@operation("sagemaker", "DescribeProcessingJob")
def describe_processing_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return JOBS.describe(call, asked)


@operation("sagemaker", "ListProcessingJobs")
def list_processing_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "ProcessingJobSummaries", _summary)


@operation("sagemaker", "StopProcessingJob")
def stop_processing_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """SIGTERM, 120 s, SIGKILL; what is there is uploaded. Stopping a stopping job changes nothing."""
    return JOBS.stop(call, asked)


@operation("sagemaker", "DeleteProcessingJob")
def delete_processing_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Forgets a job that is over; its outputs and logs stay. Raises Fault ResourceInUse while it runs."""
    return JOBS.delete(call, asked)


def _taken(arn: str) -> Fault:
    return Fault(
        "ResourceInUse",
        f"Processing job names are unique within an account and region, and there is one of this name ({arn}).",
    )


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"Could not find requested job with name: {arn.rsplit('/', 1)[-1]}")


def _summary(row: Row) -> dict[str, Any]:
    told = ("ProcessingEndTime", "FailureReason", "ExitMessage")
    return {**JOBS.head(row), **{name: row.found[name] for name in told if name in row.found}}


JOBS = Jobs("ProcessingJob", KIND, "processing job", states.TERMINAL, _missing)

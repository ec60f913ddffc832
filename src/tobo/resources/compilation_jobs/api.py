"""The operations on compilation jobs. Source of members and errors: API reference, Create/Describe/...CompilationJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row
from tobo.resources.compilation_jobs import states
from tobo.resources.compilation_jobs.requests import DEFAULT_MAX_RUNTIME, artifact, check_request
from tobo.store.base import Row

KIND = "compilation-job"


@operation("sagemaker", "CreateCompilationJob")
def create_compilation_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the controller does the rest. Raises Fault ResourceInUse, ValidationException."""
    target, _ = check_request(asked)
    kept = dict(asked)
    kept["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME, **asked["StoppingCondition"]}
    row = add_row(
        call,
        KIND,
        asked["CompilationJobName"],
        kept,
        _taken,
        state="Starting",
        status="STARTING",
        # Members that every answer has, a job in progress's too.
        found={"FailureReason": "", "ModelArtifacts": {"S3ModelArtifacts": str(artifact(asked, target))}},
        todo=("reserve",),
    )
    return {"CompilationJobArn": row.arn}


@operation("sagemaker", "DescribeCompilationJob")
def describe_compilation_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return JOBS.describe(call, asked)


@operation("sagemaker", "ListCompilationJobs")
def list_compilation_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "CompilationJobSummaries", _summary)


@operation("sagemaker", "StopCompilationJob")
def stop_compilation_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """SIGTERM, then SIGKILL; nothing is uploaded. Stopping a stopping job changes nothing."""
    return JOBS.stop(call, asked)


@operation("sagemaker", "DeleteCompilationJob")
def delete_compilation_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Forgets a job that is over; its archive and logs stay. Raises Fault ResourceInUse while it runs."""
    return JOBS.delete(call, asked)


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"A compilation job with this name already exists ({arn}); choose another name.")


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"Could not find compilation job '{arn.rsplit('/', 1)[-1]}' ({arn}).")


def _summary(row: Row) -> dict[str, Any]:
    output = row.asked["OutputConfig"]
    platform = output.get("TargetPlatform", {})
    told = {f"CompilationTargetPlatform{part}": value for part, value in platform.items()}
    if "TargetDevice" in output:
        told["CompilationTargetDevice"] = output["TargetDevice"]
    times = {name: row.found[name] for name in ("CompilationStartTime", "CompilationEndTime") if name in row.found}
    return {**JOBS.head(row), **told, **times}


JOBS = Jobs("CompilationJob", KIND, "compilation job", states.TERMINAL, _missing)

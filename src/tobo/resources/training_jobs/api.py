"""The operations on training jobs. The source of members and errors is the API reference, Create/Describe/...TrainingJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_rows
from tobo.operations.recording import check_experiment
from tobo.operations.registry import operation
from tobo.operations.rows import add_row
from tobo.resources.training_jobs import states
from tobo.resources.training_jobs.requests import DEFAULT_MAX_RUNTIME, by_algorithm, check_request
from tobo.store.base import Conflict, Event, Row

KIND = "training-job"


@operation("sagemaker", "CreateTrainingJob")
def create_training_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the controller does the rest. Raises Fault ResourceInUse, ValidationException."""
    name = asked["TrainingJobName"]
    asked, uri, resolved = by_algorithm(call.context, call.space, asked)
    image = check_request(call.context, asked, uri)
    check_experiment(call, asked)
    output = parse_s3_uri(asked["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
    kept = dict(asked)
    # Clients index these without asking (wire.md), so they are there even where the request left them out.
    kept["OutputDataConfig"] = {"KmsKeyId": "", "CompressionType": "GZIP", **asked["OutputDataConfig"]}
    kept["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME, **asked.get("StoppingCondition", {})}
    if image.algorithm is not None and not resolved:
        kept["AlgorithmSpecification"] = {
            **asked["AlgorithmSpecification"],
            "MetricDefinitions": [{"Name": metric.name, "Regex": metric.regex} for metric in image.algorithm.metrics],
        }
    artifact = output.below(
        name, "output", "model.tar.gz" if kept["OutputDataConfig"]["CompressionType"] == "GZIP" else "model/"
    )
    row = add_row(
        call,
        KIND,
        name,
        kept,
        _taken,
        state="Starting",
        status="InProgress",
        found={**states.begin(call.now), **resolved, "ModelArtifacts": {"S3ModelArtifacts": str(artifact)}},
        todo=("reserve",),
    )
    return {"TrainingJobArn": row.arn}


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return JOBS.describe(call, asked)


@operation("sagemaker", "ListTrainingJobs")
def list_training_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise. Nothing here keeps a warm pool or a training plan, so filters on them find nothing."""
    if asked.get("WarmPoolStatusEquals") or asked.get("TrainingPlanArnEquals"):
        return {"TrainingJobSummaries": []}
    return list_rows(call, KIND, asked, "TrainingJobSummaries", _summary)


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """SIGTERM, 120 s, SIGKILL; model and output are still uploaded. Stopping a stopping job changes nothing."""
    return JOBS.stop(call, asked)


@operation("sagemaker", "UpdateTrainingJob")
def update_training_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Profiler and remote-debug settings are kept and described; a warm pool's keep-alive is, too, but keeps nothing alive."""
    while True:
        row = JOBS.row(call, asked)
        if row.state in states.TERMINAL and "ResourceConfig" not in asked:
            raise validation(
                f"Training job '{row.key.name}' is {row.status}; only one that is in progress can be updated."
            )
        changed = {member: value for member, value in asked.items() if member != "TrainingJobName"}
        if "ResourceConfig" in changed:
            changed["ResourceConfig"] = {**row.asked["ResourceConfig"], **changed["ResourceConfig"]}
        try:
            call.context.store.update(
                row, Event(call.now, "updated", row.state), asked={**row.asked, **changed}, modified=call.now
            )
        except Conflict:
            continue
        return {"TrainingJobArn": row.arn}


@operation("sagemaker", "DeleteTrainingJob")
def delete_training_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Forgets a job that is over; its model and logs stay. Raises Fault ResourceInUse while it runs."""
    return JOBS.delete(call, asked)


def _taken(arn: str) -> Fault:
    return Fault(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, "
        f"and a training job with this name already exists ({arn})",
    )


def _missing(arn: str) -> Fault:
    return validation("Requested resource not found.")


def _summary(row: Row) -> dict[str, Any]:
    end = {"TrainingEndTime": row.found["TrainingEndTime"]} if "TrainingEndTime" in row.found else {}
    return {**JOBS.head(row), "SecondaryStatus": row.found["SecondaryStatus"], **end}


JOBS = Jobs("TrainingJob", KIND, "training job", states.TERMINAL, _missing)

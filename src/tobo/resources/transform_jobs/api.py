"""The operations on transform jobs. Source: API reference, Create/Describe/List/StopTransformJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.artifacts import container_of
from tobo.operations.context import Call
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_rows
from tobo.operations.recording import check_experiment
from tobo.operations.registry import operation
from tobo.operations.rows import add_row
from tobo.resources.transform_jobs import states
from tobo.resources.transform_jobs.requests import check_request
from tobo.store.base import Row

KIND = "transform-job"


@operation("sagemaker", "CreateTransformJob")
def create_transform_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is, is fixed here: it may be deleted afterwards. Raises Fault ResourceInUse, ResourceLimitExceeded,
    ValidationException."""
    check_request(call, asked)
    check_experiment(call, asked)
    model = call.context.as_house(call.space, "sagemaker", "DescribeModel", ModelName=asked["ModelName"])
    container = container_of(model)
    if container["MultiModel"]:
        raise validation(
            f"The model '{asked['ModelName']}' holds several models; a transform job takes a model of one."
        )
    kept = dict(asked)
    kept["TransformInput"] = {"CompressionType": "None", "SplitType": "None", **asked["TransformInput"]}
    kept["TransformOutput"] = {"AssembleWith": "None", "KmsKeyId": "", **asked["TransformOutput"]}
    kept["DataProcessing"] = {
        "InputFilter": "$",
        "OutputFilter": "$",
        "JoinSource": "None",
        **asked.get("DataProcessing", {}),
    }
    row = add_row(
        call,
        KIND,
        asked["TransformJobName"],
        kept,
        _taken,
        state="Starting",
        status="InProgress",
        found={"_container": container, "_replicas": []},
        todo=("reserve",),
    )
    return {"TransformJobArn": row.arn}


@operation("sagemaker", "DescribeTransformJob")
def describe_transform_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return JOBS.describe(call, asked)


@operation("sagemaker", "ListTransformJobs")
def list_transform_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "TransformJobSummaries", _summary)


@operation("sagemaker", "StopTransformJob")
def stop_transform_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is being scored is given up; outputs that are there stay. Stopping a stopping job changes nothing."""
    return JOBS.stop(call, asked)


def _taken(arn: str) -> Fault:
    return Fault(
        "ResourceInUse",
        f"Job name must be unique within an AWS account and region, and a job with this name exists ({arn})",
    )


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"Could not find requested job with name: {arn.rsplit('/', 1)[-1]}")


def _summary(row: Row) -> dict[str, Any]:
    found = {name: row.found[name] for name in ("TransformEndTime", "FailureReason") if name in row.found}
    return {**JOBS.head(row), **found}


JOBS = Jobs("TransformJob", KIND, "transform job", states.TERMINAL, _missing)

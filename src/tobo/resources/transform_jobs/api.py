"""The operations on transform jobs. Source: API reference, Create/Describe/List/StopTransformJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.artifacts import container_of
from tobo.operations.context import Call, service_principal
from tobo.operations.listing import list_rows
from tobo.operations.machine import advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.transform_jobs import states
from tobo.resources.transform_jobs.requests import check_request
from tobo.store.base import Row

KIND = "transform-job"


@operation("sagemaker", "CreateTransformJob")
def create_transform_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is, is fixed here: it may be deleted afterwards. Raises Fault ResourceInUse, ValidationException."""
    check_request(asked)
    house = service_principal(call.space.account)
    model = call.context.call(house, call.space.region, "sagemaker", "DescribeModel", ModelName=asked["ModelName"])
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
        found={"_container": container_of(model), "_replicas": []},
        todo=("reserve",),
    )
    return {"TransformJobArn": row.arn}


@operation("sagemaker", "DescribeTransformJob")
def describe_transform_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = known_row(call, KIND, asked["TransformJobName"], _missing)
    return {**row.asked, **row.found, **_head(row)}


@operation("sagemaker", "ListTransformJobs")
def list_transform_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "TransformJobSummaries", _summary)


@operation("sagemaker", "StopTransformJob")
def stop_transform_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is being scored is given up; outputs that are there stay. Stopping a stopping job changes nothing."""
    name = asked["TransformJobName"]
    if known_row(call, KIND, name, _missing).state != "Stopping":
        advance_fresh(call.context, lambda: _running(call, name), "stop")
    return {}


def _taken(arn: str) -> Fault:
    return Fault(
        "ResourceInUse",
        f"Job name must be unique within an AWS account and region, and a job with this name exists ({arn})",
    )


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"Could not find requested job with name: {arn.rsplit('/', 1)[-1]}")


def _running(call: Call, name: str) -> Row:
    row = known_row(call, KIND, name, _missing)
    if row.state in states.TERMINAL:
        raise validation(f"The request was rejected because the transform job is in status {row.status}.")
    return row


def _head(row: Row) -> dict[str, Any]:
    return {
        "TransformJobName": row.key.name,
        "TransformJobArn": row.arn,
        "TransformJobStatus": row.status,
        "CreationTime": row.created,
    }


def _summary(row: Row) -> dict[str, Any]:
    found = {name: row.found[name] for name in ("TransformEndTime", "FailureReason") if name in row.found}
    return {**_head(row), "LastModifiedTime": row.modified, **found}

"""Pipelines of small steps, and what waits for their executions."""

import json
import time
from typing import Any

from tests.support.jobs import ROLE
from tests.support.unique import unique

IMAGE = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def step(name: str, kind: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


def script_step(name: str, bucket: str, script: str, **more: Any) -> dict[str, Any]:
    """A Processing step that runs Python and uploads /opt/ml/processing/out, with the property file Told of told.json."""
    arguments = {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", script]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/{unique(name)}",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }
    files = [{"PropertyFileName": "Told", "OutputName": "out", "FilePath": "told.json"}]
    return step(name, "Processing", arguments, PropertyFiles=files, **more)


def told(document: dict[str, Any]) -> str:
    """A script that leaves this as told.json."""
    return f"open('/opt/ml/processing/out/told.json', 'w').write('''{json.dumps(document)}''')"


def json_get(step: str, path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.Told"), "Path": path}}


def definition(*steps: dict[str, Any], parameters: dict[str, tuple[str, Any]] | None = None, **more: Any) -> str:
    """`parameters`: (type, default) by name; None for one without a default."""
    described = [
        {"Name": name, "Type": kind, **({} if default is None else {"DefaultValue": default})}
        for name, (kind, default) in (parameters or {}).items()
    ]
    return json.dumps({"Version": "2020-12-01", "Parameters": described, "Steps": list(steps), **more})


def create(sagemaker: Any, text: str, name: str = "", **more: Any) -> str:
    """The name of a new pipeline."""
    name = name or unique("pipeline")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE, **more)
    return name


def start(sagemaker: Any, name: str, **parameters: str) -> str:
    """The ARN of an execution."""
    given = [{"Name": key, "Value": value} for key, value in parameters.items()]
    arn = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)["PipelineExecutionArn"]
    return str(arn)


def steps_of(sagemaker: Any, arn: str) -> dict[str, dict[str, Any]]:
    """By name, those that have begun, the first one first."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return {one["StepName"]: one for page in pages for one in page["PipelineExecutionSteps"]}


def await_end(sagemaker: Any, arn: str, seconds: float = 120) -> dict[str, Any]:
    """The execution, once it is over; fails when that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if found["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{arn} is not over: {steps_of(sagemaker, arn)}")


def await_step(sagemaker: Any, arn: str, name: str, status: str = "Executing", seconds: float = 60) -> dict[str, Any]:
    """A step, once it has this status; "" for any, once it has begun."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = steps_of(sagemaker, arn).get(name, {})
        if found and status in ("", found["StepStatus"]):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is not {status}: {steps_of(sagemaker, arn)}")

"""A server that is killed at any step goes on with it, and nothing is made twice."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.jobs import IMAGE, ROLE, training_job, upload_photos
from tests.support.pipelines import await_end, await_step, create, definition, get, script_step, start, step, steps_of

pytestmark = pytest.mark.xdist_group("training")
BUCKET, GROUP = "killed-photos", "killed"


def everything() -> str:
    training = {name: value for name, value in training_job("", BUCKET).items() if name != "TrainingJobName"}
    container = {"Image": IMAGE, "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
    package = {"ModelPackageGroupName": GROUP, "InferenceSpecification": {"Containers": [container]}}
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/validation/"}
    transform = {
        "ModelName": get("Steps.Make.ModelName"),
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scores"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return definition(
        script_step("Clean", BUCKET, "print(1)"),
        step("Train", "Training", training, DependsOn=["Clean"]),
        step("Register", "RegisterModel", package),
        step("Make", "Model", {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}),
        step("Score", "Transform", transform),
        PipelineExperimentConfig={"ExperimentName": "killed", "TrialName": get("Execution.PipelineExecutionId")},
    )


def made(sagemaker: Any) -> dict[str, int]:
    """How many of each there are."""
    return {
        "processing": len(sagemaker.list_processing_jobs()["ProcessingJobSummaries"]),
        "training": len(sagemaker.list_training_jobs()["TrainingJobSummaries"]),
        "versions": len(sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]),
        "models": len(sagemaker.list_models()["Models"]),
        "transforms": len(sagemaker.list_transform_jobs()["TransformJobSummaries"]),
        "trials": len(sagemaker.list_trials()["TrialSummaries"]),
    }


def forget(server: Server, arn: str) -> None:
    """As after a kill between each step's deed and the note of it: the row knows what was planned and nothing else."""
    with sqlite3.connect(server.state / "tobo.db") as store:
        [found] = store.execute("select found from resources where arn = ?", [arn]).fetchone()
        told = json.loads(found)
        kept = ("StepName", "StartTime", "AttemptCount")
        told["_steps"] = [
            {**{name: one[name] for name in kept}, "StepStatus": "Starting", "Metadata": {}} for one in told["_steps"]
        ]
        changed = [json.dumps(told), json.dumps(["join_trial", "run_steps"]), arn]
        store.execute(
            "update resources set found = ?, todo = ?, due = 0, state = 'Executing', status = 'Executing' where arn = ?",
            changed,
        )
    store.close()


def test_killed_in_every_step(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    name = create(server.client("sagemaker"), everything())
    arn = start(server.client("sagemaker"), name)
    for running in ("Clean", "Train", "Score"):
        await_step(server.client("sagemaker"), arn, running, "")
        server.kill()
        server.start()
    sagemaker = server.client("sagemaker")
    ended = await_end(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Succeeded", ended
    one = dict.fromkeys(("processing", "training", "versions", "models", "transforms", "trials"), 1)
    assert made(sagemaker) == one
    before = {name: found["Metadata"] for name, found in steps_of(sagemaker, arn).items()}
    server.kill()
    forget(server, arn)
    sagemaker = server.start().client("sagemaker")
    assert await_end(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert made(sagemaker) == one
    assert {name: found["Metadata"] for name, found in steps_of(sagemaker, arn).items()} == before


def test_stopped_while_nobody_knows_what_was_made(fresh_server: Callable[..., Server]) -> None:
    """A job that was created before the kill is stopped, too, although the execution had not noted it."""
    server = fresh_server()
    server.client("s3").create_bucket(Bucket=BUCKET)
    sagemaker = server.client("sagemaker")
    arn = start(sagemaker, create(sagemaker, definition(script_step("Long", BUCKET, "import time; time.sleep(1000)"))))
    await_step(sagemaker, arn, "Long")
    server.kill()
    forget(server, arn)
    with sqlite3.connect(server.state / "tobo.db") as store:
        changed = [json.dumps(["stop_steps"]), arn]
        store.execute("update resources set todo = ?, state = 'Stopping', status = 'Stopping' where arn = ?", changed)
    store.close()
    sagemaker = server.start().client("sagemaker")
    assert await_end(sagemaker, arn)["PipelineExecutionStatus"] == "Stopped"
    [job] = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    assert job["ProcessingJobStatus"] == "Stopped"

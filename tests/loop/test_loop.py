"""The loop on real pictures: frames become labels, labels a model, the model a proposal, and the approved one serves."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support import loop as small
from tests.support.jobs import IMAGE, ROLE, channel, photo, training_job, wait
from tests.support.labelling import claim, labeler, labeling_job, put_lines, say
from tests.support.pipelines import await_end, await_step, steps_of
from tests.support.unique import unique
from typer.testing import CliRunner

from tobo.cli import app

pytestmark = pytest.mark.xdist_group("training")
CROPS = Path(os.environ.get("TOBO_SHARED", Path(__file__).parents[3] / "shared")) / "data/deeppcb_crops"
needs_data = pytest.mark.skipif(not CROPS.is_dir(), reason="no shared data")
CLASSES = ("ok", "short")
HEAD = {
    "num_classes": "2",
    "num_training_samples": "6",
    "backbone": "mobilenet_v2",
    "train_layers": "head",
    "use_pretrained_model": "1",
    "image_shape": "3,64,64",
    "epochs": "5",
}


def crops(part: str, first: int, count: int) -> dict[str, Path]:
    """<class>/<name> -> file, so many of each class."""
    return {
        f"{name}/{file.name}": file
        for name in CLASSES
        for file in sorted((CROPS / part / name).iterdir())[first : first + count]
    }


def upload(server: Server, bucket: str, folder: str, files: dict[str, Path]) -> None:
    s3 = server.client("s3")
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda one: s3.put_object(Bucket=bucket, Key=f"{folder}/{one}", Body=files[one].read_bytes()), files
            )
        )


def hashes(files: dict[str, Path]) -> set[str]:
    return {sha256(file.read_bytes()).hexdigest() for file in files.values()}


def run(server: Server, *words: str) -> str:
    """A command's output; it has to succeed."""
    result = CliRunner().invoke(app, ["loop", *words, "--state", str(server.state)])
    assert result.exit_code == 0, result.output
    return result.output


def read(server: Server, address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bytes(server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


@needs_data
def test_from_frames_to_a_better_endpoint(warm_server: Server) -> None:
    server, sagemaker, s3 = warm_server, warm_server.client("sagemaker"), warm_server.client("s3")
    bucket, name = unique("loop"), unique("loop")
    s3.create_bucket(Bucket=bucket)
    upload(server, bucket, "train", crops("train", 0, 3))
    upload(server, bucket, "held-out", crops("test", 0, 60))
    # the current model: six pictures
    asked = training_job(
        name, bucket, HyperParameters=HEAD, InputDataConfig=[channel("train", f"s3://{bucket}/train/")]
    )
    sagemaker.create_training_job(**asked)
    job = wait(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    deploy(sagemaker, name, name, create=True)
    # frames of a device and mistakes of the evaluation page, as the console's queue has them; one of them is in the
    # held-out set under another name
    frames = crops("train", 3, 80)
    upload(server, bucket, "frames", frames)
    spy, secret = "frames/ok/spy.jpg", next(iter(crops("test", 0, 1).values()))
    s3.put_object(Bucket=bucket, Key=spy, Body=secret.read_bytes())
    lines = [
        {
            "source-ref": f"s3://{bucket}/{key}",
            "label-suggested": 0,
            "label-suggested-metadata": {
                "class-name": "ok",
                "confidence": 0.5,
                "type": "groundtruth/image-classification",
            },
        }
        for key in (*(f"frames/{one}" for one in frames), spy)
    ]
    request = labeling_job(server, bucket, labels=CLASSES, source=put_lines(server, bucket, lines))
    labels = str(request["LabelingJobName"])
    labelling = sagemaker.create_labeling_job(**request)["LabelingJobArn"]
    # the loop waits for people
    said = run(
        server, "create", name, "--training-job", name, "--held-out", f"s3://{bucket}/held-out/", "--endpoint", name
    )
    assert "first version" in said
    execution = run(server, "start", name, "--labeling-job", labels).strip()
    await_step(sagemaker, execution, "Labels")
    people = labeler(server)
    left = len(lines)
    while left:
        for task in claim(people, labelling, 10):
            address = json.loads(task["Source"])["source-ref"]
            say(people, labelling, task, {"label": address.split("/")[-2]})
            left -= 1
    ended = await_end(sagemaker, execution, 240)
    assert ended["PipelineExecutionStatus"] == "Succeeded", ended
    steps = steps_of(sagemaker, execution)
    assert "Propose" in steps and "Deploy" not in steps
    # the held-out picture was labelled and not trained on
    work = f"s3://{bucket}/out/loops/{name}"
    facts = json.loads(read(server, f"{work}/{execution.split('/')[-1]}/gather/facts.json"))
    secrets, different = hashes(crops("test", 0, 60)), hashes({**crops("train", 0, 3), **frames})
    assert facts["new_labels"] == len(lines) and facts["left_out"] == 1 + len(
        secrets & different
    )  # the blank crop, too
    assert facts["train"] + facts["validation"] == len(different - secrets) and facts["held_out"] == len(secrets)
    trained = [
        json.loads(line)
        for line in read(server, f"{work}/{execution.split('/')[-1]}/gather/train.manifest").splitlines()
    ]
    assert not any("spy" in line["source-ref"] for line in trained)
    # the proposal says what it is worth
    arn = steps["Propose"]["Metadata"]["RegisterModel"]["Arn"]
    version = sagemaker.describe_model_package(ModelPackageName=arn)
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    comparison = json.loads(read(server, version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]))
    told = version["CustomerMetadataProperties"]
    assert comparison["only_new_right"] > comparison["only_current_right"] and comparison["p_value"] < 0.05, comparison
    assert comparison["better"] and told["only new right"] == str(comparison["only_new_right"])
    assert comparison["verdict"] in version["ModelPackageDescription"]
    assert (
        comparison["pictures"] == len(secrets)
        and len(comparison["changed"]) == comparison["only_new_right"] + comparison["only_current_right"]
    )
    # nothing was deployed; a person approves, and the endpoint is updated
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    assert before == name
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    approved = f"{name}-2"
    sagemaker.create_model(ModelName=approved, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arn})
    deploy(sagemaker, name, approved)
    runtime = server.client("sagemaker-runtime")
    picture = comparison["changed"][0]["picture"]
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="application/x-image", Body=read(server, picture))
    scores = json.loads(answer["Body"].read())
    assert facts["class_names"][scores.index(max(scores))] == comparison["changed"][0]["new"]
    # another turn starts from the approved version and remembers the labels; told to, it may deploy, but this one is no better
    again = run(server, "start", name, "--labeling-job", labels, "--deploy-if-better").strip()
    assert await_end(sagemaker, again, 240)["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, again)
    assert {"Propose"} == {"Propose", "Deploy"} & steps_of(sagemaker, again).keys()
    facts = json.loads(read(server, f"{work}/{again.split('/')[-1]}/gather/facts.json"))
    assert facts["current"] == arn and facts["train"] + facts["validation"] == len(different - secrets)
    sagemaker.delete_endpoint(EndpointName=name)


def deploy(sagemaker: Any, endpoint: str, model: str, create: bool = False) -> None:
    variant = {"VariantName": "all", "ModelName": model, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant])
    (sagemaker.create_endpoint if create else sagemaker.update_endpoint)(
        EndpointName=endpoint, EndpointConfigName=model
    )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1})


def test_told_to_it_deploys_what_is_better(warm_server: Server) -> None:
    """--deploy-if-better: the endpoint serves the new model before its version is registered as approved."""
    server, sagemaker = warm_server, warm_server.client("sagemaker")
    job = small.learn_it_wrong(server, listed=True)
    small.deploy(sagemaker, job, job)
    labels, arn = small.ask_people(server, job.lower())
    held_out = f"s3://{job.lower()}/held-out/"
    told = ("--held-out", held_out, "--endpoint", job, "--deploy-if-better")
    run(server, "create", job, "--training-job", job, *told)
    run(server, "create", job, "--training-job", job, *told)  # once more: it is updated
    assert len(sagemaker.list_pipeline_versions(PipelineName=job)["PipelineVersionSummaries"]) == 2
    small.answer_rightly(server, arn)
    execution = run(server, "start", job, "--labeling-job", labels).strip()
    assert await_end(sagemaker, execution, 240)["PipelineExecutionStatus"] == "Succeeded", steps_of(
        sagemaker, execution
    )
    steps = steps_of(sagemaker, execution)
    assert list(steps)[-3:] == ["NewConfig", "Deploy", "RegisterDeployed"]
    arn = steps["RegisterDeployed"]["Metadata"]["RegisterModel"]["Arn"]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Approved"
    config = steps["NewConfig"]["Metadata"]["EndpointConfig"]["Arn"].split("/")[-1]
    assert sagemaker.describe_endpoint(EndpointName=job)["EndpointConfigName"] == config
    answer = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=job, ContentType="application/x-image", Body=photo(101)
    )
    scores = json.loads(answer["Body"].read())
    assert scores[1] > scores[0]
    facts = json.loads(read(server, f"s3://{job.lower()}/out/loops/{job}/{execution.split('/')[-1]}/gather/facts.json"))
    assert facts["changed_labels"] == small.WRONG and facts["class_names"] == ["ko", "ok"]
    sagemaker.delete_endpoint(EndpointName=job)


def test_what_cannot_be_looped_is_refused(warm_server: Server) -> None:
    """The command says why; a group without an approved version, and a held-out set that is of no use, end the execution."""
    server, sagemaker = warm_server, warm_server.client("sagemaker")
    job = small.learn_it_wrong(server)
    refused = CliRunner().invoke(
        app, ["loop", "create", "x", "--training-job", job, "--held-out", "s3://b/h/", "--deploy-if-better"]
    )
    assert refused.exit_code == 2 and "--endpoint" in refused.output
    labels, arn = small.ask_people(server, job.lower())
    small.answer_rightly(server, arn)
    run(server, "create", job, "--training-job", job, "--held-out", f"s3://{job.lower()}/frames/")
    execution = run(server, "start", job, "--labeling-job", labels).strip()
    reason = await_end(sagemaker, execution)["FailureReason"]
    assert "'Gather' failed: s3://" in reason and "has no labelled picture" in reason
    labels, arn = small.ask_people(server, job.lower(), ("even", "odd"))
    small.answer_rightly(server, arn, ("even", "odd"))
    run(server, "create", job, "--training-job", job, "--held-out", f"s3://{job.lower()}/held-out/")
    execution = run(server, "start", job, "--labeling-job", labels).strip()
    assert (
        "classes (even, odd) are none of the current model's (ko, ok)"
        in await_end(sagemaker, execution)["FailureReason"]
    )
    [version] = sagemaker.list_model_packages(ModelPackageGroupName=job)["ModelPackageSummaryList"]
    sagemaker.update_model_package(ModelPackageArn=version["ModelPackageArn"], ModelApprovalStatus="Rejected")
    execution = run(server, "start", job, "--labeling-job", labels).strip()
    assert "has no approved version" in await_end(sagemaker, execution)["FailureReason"]
    result = CliRunner().invoke(app, ["loop", "start", job, "--labeling-job", "no-such", "--state", str(server.state)])
    assert result.exit_code == 1

"""Labelling jobs that learn: people are asked in rounds, a machine labels what is sure enough, and a model comes out."""

import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import CLASSES, IMAGE, ROLE, channel, training_job, upload_photos
from tests.support.jobs import wait as trained_by
from tests.support.labelling import (
    LEARNING,
    bucket_of,
    claim,
    create,
    ended,
    labeler,
    labeling_job,
    output_of,
    picture,
    put_lines,
    say,
    worker,
)
from tests.support.learning import answer_until, eyes, learning_job, name_of, number_of, over, photos
from tests.support.processes import running, until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")

SHARED = Path(os.environ.get("TOBO_SHARED", Path(__file__).parents[4] / "shared"))
SIGNS = SHARED / "data/sign_digits/train"
needs_signs = pytest.mark.skipif(not SIGNS.is_dir(), reason="no shared data")


def learned(server: Server, arn: str, found: Callable[[dict[str, Any]], bool] = lambda told: True) -> dict[str, Any]:
    """DescribeLearning, once `found` says so of it."""
    client, deadline = labeler(server), time.monotonic() + 90
    while not found(told := client.describe_learning(LabelingJobArn=arn)):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return dict(told)


@needs_signs
def test_from_real_pictures_over_rounds_to_a_manifest_that_is_trained_on_and_a_model(warm_server: Server) -> None:
    server, truth = warm_server, dict[str, str]()
    pictures: dict[str, bytes] = {"photos/broken.jpg": b"no picture"}
    for sign in "012":
        for file in sorted((SIGNS / sign).iterdir())[:80]:
            pictures[f"photos/{sign}-{file.name}"], truth[f"{sign}-{file.name}"] = file.read_bytes(), sign
    bucket = bucket_of(server, pictures)
    lines: list[dict[str, Any]] = [{"source-ref": f"s3://{bucket}/{key}"} for key in sorted(pictures)]
    for line in lines[::8]:
        if (name := line["source-ref"].rsplit("/", 1)[-1]) in truth:
            line["label-gold"] = truth[name]
    source = put_lines(server, bucket, [*lines, {"source-ref": f"s3://{bucket}/photos/gone.jpg"}])
    config = {**LEARNING, "LabelingJobResourceConfig": {"VolumeKmsKeyId": "a-key"}}
    request = labeling_job(
        server, bucket, labels=("0", "1", "2"), machine=0.8, source=source, LabelingJobAlgorithmsConfig=config
    )
    arn = create(server, request)

    def sees(task: Mapping[str, Any]) -> dict[str, str]:
        return {"label": truth[json.loads(task["Source"])["source-ref"].rsplit("/", 1)[-1]]}

    told = answer_until(server, arn, [worker(server)], over, sees)
    job = ended(server, request["LabelingJobName"])
    counted = job["LabelCounters"]
    assert job["LabelingJobStatus"] == "Completed" and job["LabelingJobAlgorithmsConfig"] == config
    assert counted["FailedNonRetryableError"] == 2 and counted["Unlabeled"] == 0
    assert counted["MachineLabeled"] > 60 and counted["TotalLabeled"] == 240
    assert told["Rounds"][-1]["Bound"] >= told["WantedAccuracy"] == 0.8
    assert told["Saved"] == counted["MachineLabeled"] / 240
    checked = told["KnownAnswers"]
    assert 0 < checked["Right"] <= checked["Checked"] <= counted["MachineLabeled"]

    machine = [line for line in output_of(server, job) if line["label-metadata"]["human-annotated"] == "no"]
    right = [
        truth[line["source-ref"].rsplit("/", 1)[-1]] == line["label-metadata"]["class-name"] == str(line["label"])
        for line in machine
    ]
    assert len(machine) == counted["MachineLabeled"] and sum(right) >= 0.8 * len(right)
    assert all(0.5 < line["label-metadata"]["confidence"] <= 1 for line in machine)
    s3, place = server.client("s3"), f"out/{request['LabelingJobName']}/active-learning"
    report = json.loads(s3.get_object(Bucket=bucket, Key=f"{place}/report.json")["Body"].read())
    assert report["Machine"] == len(machine) and report["Rounds"] == told["Rounds"]

    sagemaker = server.client("sagemaker")
    model = sagemaker.describe_model(ModelName=name_of(job["LabelingJobOutput"]["FinalActiveLearningModelArn"]))
    assert model["PrimaryContainer"]["ModelDataUrl"] == f"s3://{bucket}/{place}/model.tar.gz"
    archive = io.BytesIO(s3.get_object(Bucket=bucket, Key=f"{place}/model.tar.gz")["Body"].read())
    with tarfile.open(fileobj=archive) as tar:
        assert {"model.onnx", "labels.json", "golden"} <= set(tar.getnames())
    hyperparameters = {
        "num_classes": "3", "num_training_samples": "240", "backbone": "mobilenet_v2", "use_pretrained_model": "1",
        "train_layers": "head", "image_shape": "3,96,96", "epochs": "10",
    }  # fmt: skip
    attributes = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"]}
    uri = job["LabelingJobOutput"]["OutputDatasetS3Uri"]
    channels = [channel(name, uri, source=attributes) for name in ("train", "validation")]
    name = unique("on-machine-labels")
    sagemaker.create_training_job(
        **training_job(name, bucket, HyperParameters=hyperparameters, InputDataConfig=channels)
    )
    trained = trained_by(sagemaker, name, seconds=180)
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")


def test_a_killed_server_doubles_no_question_and_loses_none(fresh_server: Any) -> None:
    server = fresh_server(TOBO_WARM="1")
    arn = create(server, learning_job(server, bucket_of(server, photos(120)), workers=2, most=7))
    server.kill()  # while the features are computed
    server.start()
    first, second = worker(server), worker(server)
    keys = [client._request_signer._credentials for client in (first, second)]
    told = answer_until(server, arn, [first, second], lambda told: len(told["Rounds"]) == 2)
    for task in claim(first, arn, 4):
        say(first, arn, task, eyes(task))
    held = claim(second, arn, 2)
    before = labeler(server).list_items(LabelingJobArn=arn, MaxResults=100, State="open")["Items"]
    server.kill()
    server.start()
    first, second = (labeler(server, (key.access_key, key.secret_key)) for key in keys)
    root = labeler(server)
    assert learned(server, arn)["Rounds"] == told["Rounds"]
    after = root.list_items(LabelingJobArn=arn, MaxResults=100, State="open")["Items"]
    assert {item["ItemNumber"] for item in before} <= {item["ItemNumber"] for item in after}
    again = {task["ItemNumber"] for task in claim(second, arn, 4)}
    assert {task["ItemNumber"] for task in held} <= again
    answer_until(server, arn, [first, second], lambda told: len(told["Rounds"]) == 3)
    server.kill()  # while a round is planned or people are asked
    server.start()
    clients = [labeler(server, (key.access_key, key.secret_key)) for key in keys]
    told = answer_until(server, arn, clients, over)
    job = ended(server, name_of(arn))
    asked = sum(each["Asked"] for each in told["Rounds"])
    efforts = labeler(server).list_efforts(LabelingJobArn=arn)["Efforts"]
    assert [effort["Answers"] for effort in efforts] == [asked, asked]
    assert job["LabelCounters"]["HumanLabeled"] == asked < 120 and job["LabelCounters"]["TotalLabeled"] == 120
    said = {number_of(line): line["label"] for line in output_of(server, job)}
    assert said == {number: number % 2 for number in range(120)}


def test_a_round_waits_for_its_reviews_and_not_for_what_nobody_can_label(warm_server: Server) -> None:
    request = learning_job(warm_server, bucket_of(warm_server, photos(40)), workers=2, review=0.9)
    arn, first, second = create(warm_server, request), worker(warm_server), worker(warm_server)
    learned(warm_server, arn, lambda told: told["Phase"] == "Asking")
    tasks = claim(first, arn, 20)
    skipped, disputed = tasks[0]["ItemNumber"], tasks[1]["ItemNumber"]
    for client in (first, second):
        for task in claim(client, arn, 20):
            if task["ItemNumber"] != skipped:
                said = eyes(task)
                if client is second and task["ItemNumber"] == disputed:
                    said = {"label": next(label for label in CLASSES if label != said["label"])}
                say(client, arn, task, said)
    for client in (first, second, first, second):
        [task] = claim(client, arn, 1)
        assert task["ItemNumber"] == skipped
        client.skip_task(LabelingJobArn=arn, ItemNumber=skipped, Reason="blurred")
    root = labeler(warm_server)
    [conflict] = root.list_items(LabelingJobArn=arn, State="conflict")["Items"]
    assert conflict["ItemNumber"] == disputed
    assert root.list_items(LabelingJobArn=arn, State="open")["Items"] == []
    told = learned(warm_server, arn)
    assert (told["Phase"], len(told["Rounds"]), told["Human"]) == ("Asking", 1, 18)
    [task] = claim(root, arn, 1, Role="review")
    say(root, arn, task, eyes(task), Role="review")
    told = learned(warm_server, arn, lambda told: len(told["Rounds"]) == 2)
    assert told["Rounds"][1]["Human"] == 19
    answer_until(warm_server, arn, [first, second], over)
    counted = ended(warm_server, request["LabelingJobName"])["LabelCounters"]
    assert counted["FailedNonRetryableError"] == 1 and counted["TotalLabeled"] == 39


def test_a_killed_program_begins_anew_and_one_that_fails_leaves_the_rest_to_people(fresh_server: Any) -> None:
    server = fresh_server(TOBO_WARM="1")
    request = learning_job(server, bucket_of(server, photos(60)), machine=0.99)
    arn, its = create(server, request), worker(server)
    until(lambda: bool(running(server.state, "labeling-job")))
    [pid] = running(server.state, "labeling-job").values()
    os.kill(pid, signal.SIGKILL)
    answer_until(server, arn, [its], lambda told: len(told["Rounds"]) == 2)
    [features] = server.state.glob("labelling/*/ml/output/data/features.npy")
    features.write_bytes(b"no features")
    told = answer_until(server, arn, [its], over)
    job = ended(server, request["LabelingJobName"])
    assert "AlgorithmError" in told["Trouble"] and len(told["Rounds"]) == 2
    assert job["LabelingJobStatus"] == "Completed" and "FailureReason" not in job
    assert job["LabelCounters"]["HumanLabeled"] == 60


@pytest.mark.parametrize(
    ("conditions", "human"),
    [({"MaxHumanLabeledObjectCount": 26}, 26), ({"MaxPercentageOfInputDatasetLabeled": 25}, 20)],
)
def test_stopping_conditions(warm_server: Server, conditions: dict[str, int], human: int) -> None:
    """20 and 10 a round: the budget cuts the second round short; a quarter of 80 is reached with the first one."""
    request = learning_job(warm_server, bucket_of(warm_server, photos(80)), machine=0.99, StoppingConditions=conditions)
    arn = create(warm_server, request)
    told = answer_until(warm_server, arn, [worker(warm_server)], over)
    job = ended(warm_server, request["LabelingJobName"])
    assert job["LabelCounters"]["HumanLabeled"] == human and job["LabelCounters"]["Unlabeled"] == 80 - human
    assert sum(each["Asked"] for each in told["Rounds"]) == human
    assert len(output_of(warm_server, job)) == human


def test_a_job_that_is_stopped_writes_what_people_and_the_machine_have_said(warm_server: Server) -> None:
    """A third of the pictures are blue, which tells nothing: of those no machine can be sure, and people are asked on."""
    pictures = photos(360) | {f"photos/{number:03}.png": picture((30, 30, 190)) for number in range(0, 360, 3)}
    for number in range(0, 360, 3):
        del pictures[f"photos/{number:03}.jpg"]
    request = learning_job(warm_server, bucket_of(warm_server, pictures), machine=0.8)
    arn = create(warm_server, request)
    stop = warm_server.client("sagemaker").stop_labeling_job

    def partly(told: dict[str, Any]) -> bool:
        return bool(told["Phase"] == "Asking" and told["Machine"])

    told = answer_until(warm_server, arn, [worker(warm_server)], partly)
    assert told["Left"] + told["Machine"] + told["Human"] == 360 and told["Left"]
    stop(LabelingJobName=request["LabelingJobName"])
    job = ended(warm_server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Stopped" and job["LabelCounters"]["MachineLabeled"] == told["Machine"]
    said = output_of(warm_server, job)
    assert {line["label-metadata"]["human-annotated"] for line in said} == {"yes", "no"}
    right = [line["label"] == number_of(line) % 2 for line in said]
    assert sum(right) >= 0.8 * len(right)

    arn = create(warm_server, {**request, "LabelingJobName": unique("stopped")})
    until(lambda: bool(running(warm_server.state, "labeling-job")))
    stop(LabelingJobName=name_of(arn))
    assert ended(warm_server, name_of(arn))["LabelingJobStatus"] == "Stopped"
    until(lambda: not running(warm_server.state, "labeling-job"))


def test_labels_of_people_that_are_there_are_learned_from_and_those_of_machines_are_not(warm_server: Server) -> None:
    bucket = bucket_of(warm_server, photos(90))
    lines: list[dict[str, Any]] = [{"source-ref": f"s3://{bucket}/photos/{number:03}.jpg"} for number in range(90)]
    for number in range(50):
        by = "yes" if number < 40 else "no"
        metadata = {
            "class-name": CLASSES[number % 2],
            "human-annotated": by,
            "type": "groundtruth/image-classification",
        }
        lines[number] |= {"label": number % 2, "label-metadata": metadata}
    request = learning_job(warm_server, bucket, source=put_lines(warm_server, bucket, lines))
    arn = create(warm_server, request)
    told = answer_until(warm_server, arn, [worker(warm_server)], over)
    job = ended(warm_server, request["LabelingJobName"])
    assert told["Rounds"][0]["Human"] == 40
    assert job["LabelCounters"]["TotalLabeled"] == 90 and job["LabelCounters"]["MachineLabeled"] > 0
    said = output_of(warm_server, job)
    assert said[:50] == lines[:50]
    right = [line["label"] == number % 2 for number, line in enumerate(said)]
    assert sum(right) >= 0.6 * 90


def test_a_trained_models_network_computes_the_features(warm_server: Server) -> None:
    bucket, name, sagemaker = unique("trained"), unique("trained"), warm_server.client("sagemaker")
    upload_photos(warm_server, bucket, train=20, validation=4)
    sagemaker.create_training_job(**training_job(name, bucket))
    trained = trained_by(sagemaker, name, seconds=120)
    container = {"Image": IMAGE, "ModelDataUrl": trained["ModelArtifacts"]["S3ModelArtifacts"]}
    model = sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)["ModelArn"]
    other = sagemaker.create_model(
        ModelName=f"{name}-other",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={**container, "Image": "tobo-echo:1"},
    )["ModelArn"]
    bucket = bucket_of(warm_server, photos(60))
    lines: list[dict[str, Any]] = [{"source-ref": f"s3://{bucket}/photos/{number:03}.jpg"} for number in range(60)]
    lines[0] |= {"label": 0, "label-metadata": {"class-name": CLASSES[0], "human-annotated": "yes"}}
    request = learning_job(warm_server, bucket, source=put_lines(warm_server, bucket, lines))
    request["LabelingJobAlgorithmsConfig"] = {**LEARNING, "InitialActiveLearningModelArn": other}
    with pytest.raises(ClientError, match="no model of this account with one"):
        sagemaker.create_labeling_job(**request)
    request["LabelingJobAlgorithmsConfig"] = {**LEARNING, "InitialActiveLearningModelArn": model}
    arn = create(warm_server, request)
    told = answer_until(warm_server, arn, [worker(warm_server)], over)
    job = ended(warm_server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Completed" and job["LabelCounters"]["MachineLabeled"] > 0
    assert told["Rounds"][0]["Human"] == 0  # the model may have been trained on what is labelled already
    key = f"out/{request['LabelingJobName']}/active-learning/model.tar.gz"
    archive = io.BytesIO(warm_server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    with tarfile.open(fileobj=archive) as tar:
        file = tar.extractfile("model.json")
        assert file is not None and json.load(file)["architecture"] == "resnet20_cifar"


@pytest.mark.parametrize(
    ("changes", "config", "said"),
    [
        ({}, {"LabelingJobAlgorithmSpecificationArn": "arn:aws:x"}, "names no algorithm"),
        (
            {},
            {"LabelingJobAlgorithmSpecificationArn": LEARNING["LabelingJobAlgorithmSpecificationArn"] + "s"},
            "pictures of one class each",
        ),
        ({"kind": "BoundingBox"}, LEARNING, "not BoundingBox by"),
        ({"kind": "TextMultiClass"}, LEARNING, "not TextMultiClass by"),
        (
            {},
            {**LEARNING, "InitialActiveLearningModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/any"},
            "Could not find model",
        ),
        ({"labels": ("ok",)}, LEARNING, "nothing to learn"),
        ({"machine": 1}, LEARNING, "machine.accuracy in"),
        ({"machine": "high"}, LEARNING, "between 0 and 1"),
    ],
)
def test_requests_that_are_refused(server: Server, changes: dict[str, Any], config: Any, said: str) -> None:
    request = labeling_job(server, bucket_of(server, 1), LabelingJobAlgorithmsConfig=config, **changes)
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").create_labeling_job(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException" and said in str(refused.value)


def test_a_job_that_does_not_learn_has_no_rounds(server: Server) -> None:
    arn = create(server, labeling_job(server, bucket_of(server, 1)))
    assert labeler(server).describe_learning(LabelingJobArn=arn)["Rounds"] == []
    with pytest.raises(ClientError, match="There is no labeling job"):
        labeler(server).describe_learning(LabelingJobArn=f"{arn}-not")

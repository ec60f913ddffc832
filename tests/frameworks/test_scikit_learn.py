"""A scikit-learn script through boto3: trained, served at an endpoint, scored in a batch."""

import io
import json
import time
from typing import Any

import numpy as np
import pytest
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.jobs import channel, log_lines, wait
from tests.support.own_code import SCIKIT_LEARN, artifact, make_model, put, script_job

pytest.importorskip("sklearn")
pytestmark = pytest.mark.xdist_group("own-code")

TRAIN = """
import argparse, os
import joblib, numpy
from sklearn.tree import DecisionTreeClassifier
from helper import read

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-depth", type=int)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    given = parser.parse_args()
    table = read(given.train)
    tree = DecisionTreeClassifier(max_depth=given.max_depth).fit(table[:, 1:], table[:, 0])
    print(f"train-accuracy={tree.score(table[:, 1:], table[:, 0])};")
    joblib.dump(tree, os.path.join(given.model_dir, "model.joblib"))


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""
HELPER = """
import os, numpy


def read(folder):
    return numpy.concatenate([numpy.loadtxt(os.path.join(folder, name), delimiter=",") for name in os.listdir(folder)])
"""
TABLE = "0,1,5\n0,2,4\n1,8,1\n1,9,2\n"


@pytest.fixture(scope="module")
def job(server: Server) -> dict[str, Any]:
    """The description of a completed job."""
    data = put(server, "own-code", "tree/data/table.csv", TABLE)
    asked = script_job(
        server,
        "tree",
        {"train.py": TRAIN, "helper.py": HELPER},
        {"max-depth": 3},
        image=SCIKIT_LEARN,
        InputDataConfig=[channel("train", data.rsplit("/", 1)[0])],
        specification={"MetricDefinitions": [{"Name": "accuracy", "Regex": "train-accuracy=([0-9.]+);"}]},
    )
    server.client("sagemaker").create_training_job(**asked)
    return wait(server.client("sagemaker"), "tree")


@pytest.fixture(scope="module")
def endpoint(server: Server, job: dict[str, Any]) -> str:
    sagemaker = server.client("sagemaker")
    environment = {
        "SAGEMAKER_PROGRAM": "train.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": json.loads(job["HyperParameters"]["sagemaker_submit_directory"]),
    }
    make_model(server, "tree", SCIKIT_LEARN, job["ModelArtifacts"]["S3ModelArtifacts"], Environment=environment)
    sagemaker.create_endpoint_config(EndpointConfigName="tree", ProductionVariants=[variant("tree")])
    sagemaker.create_endpoint(EndpointName="tree", EndpointConfigName="tree")
    described = await_endpoint(server, "tree")
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    return "tree"


def test_a_script_trains(server: Server, job: dict[str, Any]) -> None:
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log_lines(server, "tree"))
    assert artifact(server, job).keys() == {"model.joblib"}
    assert {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]} == {"accuracy": 1.0}
    assert "train-accuracy=1.0;" in log_lines(server, "tree")


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/csv", b"1,5\n9,1\n", [0.0, 1.0]),
        ("text/csv", b"9,1", [1.0]),
        ("application/json", b"[[1, 5], [9, 1]]", [0.0, 1.0]),
    ],
)
def test_the_defaults_answer(
    server: Server, endpoint: str, content_type: str, body: bytes, expected: list[float]
) -> None:
    runtime = server.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType=content_type, Body=body)
    assert answer["ContentType"] == "application/json"
    assert json.loads(answer["Body"].read()) == expected


def test_arrays_go_in_and_out(server: Server, endpoint: str) -> None:
    runtime, body = server.client("sagemaker-runtime"), io.BytesIO()
    np.save(body, np.array([[1, 5], [9, 1]]))
    asked = {"ContentType": "application/x-npy", "Accept": "application/x-npy", "Body": body.getvalue()}
    answer = runtime.invoke_endpoint(EndpointName=endpoint, **asked)
    assert np.load(io.BytesIO(answer["Body"].read())).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        ({"ContentType": "image/jpeg", "Body": b"1"}, 415, "Content type 'image/jpeg' is not read here"),
        ({"ContentType": "text/csv", "Accept": "image/png", "Body": b"1,5"}, 406, "Accept 'image/png' cannot be given"),
        ({"ContentType": "text/csv", "Body": b"1,5,7\n1,5,8"}, 500, "X has 3 features, but DecisionTreeClassifier"),
    ],
)
def test_what_cannot_be_answered(
    server: Server, endpoint: str, asked: dict[str, Any], status: int, sentence: str
) -> None:
    runtime = server.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as refused:
        runtime.invoke_endpoint(EndpointName=endpoint, **asked)
    assert refused.value.response["OriginalStatusCode"] == status
    assert sentence in refused.value.response["OriginalMessage"]


def test_a_batch_is_scored(server: Server, endpoint: str) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    put(server, "own-code", "tree/batch/one.csv", "1,5\n9,1\n2,4\n")
    sagemaker.create_transform_job(
        TransformJobName="tree",
        ModelName="tree",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://own-code/tree/batch/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": "s3://own-code/tree/scores", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    deadline = time.monotonic() + 60
    while (job := sagemaker.describe_transform_job(TransformJobName="tree"))["TransformJobStatus"] == "InProgress":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    scored = s3.get_object(Bucket="own-code", Key="tree/scores/one.csv.out")["Body"].read().decode()
    assert [float(line) for line in scored.split()] == [0.0, 1.0, 0.0]

"""PyTorch and XGBoost through boto3: a script trains, the framework's own defaults serve its model."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.jobs import log_lines, wait
from tests.support.own_code import PYTORCH, PYTORCH_SERVING, XGBOOST, make_model, packed, put, script_job

pytestmark = pytest.mark.xdist_group("own-code")

TORCH = """
import argparse, os, torch
parser = argparse.ArgumentParser()
parser.add_argument("--slope", type=float)
parser.add_argument("--model_dir", default=os.environ["SM_MODEL_DIR"])
given = parser.parse_args()
torch.manual_seed(0)
line = torch.nn.Linear(1, 1)
x = torch.linspace(-1, 1, 20)[:, None]
optimizer = torch.optim.SGD(line.parameters(), lr=0.5)
for step in range(100):
    loss = ((line(x) - given.slope * x) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss={loss.item():.4f}")
torch.jit.script(line).save(os.path.join(given.model_dir, "model.pt"))
"""

BOOST = """
import json, numpy, os, xgboost
table = numpy.array([[0.0, 1], [0, 2], [1, 8], [1, 9]] * 5)
hyperparameters = json.loads(os.environ["SM_HPS"])
booster = xgboost.train({"objective": "binary:logistic", **hyperparameters}, xgboost.DMatrix(table[:, 1:], table[:, 0]), 5)
booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model.json"))
"""


def trained(server: Server, name: str, image: str, script: str, hyperparameters: dict[str, Any]) -> str:
    """The address of the model."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**script_job(server, name, {"train.py": script}, hyperparameters, image=image))
    job = wait(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log_lines(server, name))
    address: str = job["ModelArtifacts"]["S3ModelArtifacts"]
    return address


def serve(server: Server, name: str, image: str, address: str) -> dict[str, Any]:
    sagemaker = server.client("sagemaker")
    make_model(server, name, image, address)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return await_endpoint(server, name)


def predictions(server: Server, name: str, body: bytes, content_type: str) -> Any:
    asked = {"EndpointName": name, "Body": body, "ContentType": content_type}
    return json.loads(server.client("sagemaker-runtime").invoke_endpoint(**asked)["Body"].read())


def test_pytorch(server: Server) -> None:
    pytest.importorskip("torch")
    address = trained(server, "line", PYTORCH, TORCH, {"slope": 3})
    assert serve(server, "line", PYTORCH_SERVING, address)["EndpointStatus"] == "InService"
    [[value]] = predictions(server, "line", b"[[2.0]]", "application/json")
    assert value == pytest.approx(6, abs=0.1)
    server.client("sagemaker").delete_endpoint(EndpointName="line")


def test_pytorch_without_a_model_to_load(server: Server) -> None:
    pytest.importorskip("torch")
    for name, files, reason in (
        ("no-module", {"weights.bin": "1"}, "There is no TorchScript model.pt among weights.bin; save one, or define"),
        ("state-dict", {"model.pt": "not a module"}, "model.pt is no TorchScript module"),
    ):
        address = put(server, "own-code", f"{name}/model.tar.gz", packed(files))
        described = serve(server, name, PYTORCH_SERVING, address)
        assert described["EndpointStatus"] == "Failed" and reason in described["FailureReason"], described
        server.client("sagemaker").delete_endpoint(EndpointName=name)


def test_xgboost(server: Server) -> None:
    pytest.importorskip("xgboost")
    address = trained(server, "boost", XGBOOST, BOOST, {"max_depth": 2, "eta": 0.9, "min_child_weight": 0})
    assert serve(server, "boost", XGBOOST, address)["EndpointStatus"] == "InService"
    by_csv = predictions(server, "boost", b"1\n9\n", "text/csv")
    assert by_csv[0] < 0.5 < by_csv[1]
    assert predictions(server, "boost", b"0 0:1\n0 0:9\n", "text/libsvm") == by_csv
    with pytest.raises(ClientError) as refused:
        predictions(server, "boost", b"9", "image/png")
    assert refused.value.response["OriginalStatusCode"] == 415
    server.client("sagemaker").delete_endpoint(EndpointName="boost")

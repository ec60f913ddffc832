"""A request's Environment reaches the user's code, and never steers a process of the house."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.handlers import archive
from tests.support.jobs import ROLE, training_job, upload_photos, wait
from tests.support.processes import running, until
from tests.support.unique import unique

from tobo.operations.bindings import Binding
from tobo.operations.images import Image, asked_environment

ASKED = {
    "TOBO_MODEL_SERVER": "evil:handler",
    "TOBO_ANSWER_SECONDS": "1",
    "TOBO_MODEL_CACHE_BYTES": "100",
    "PYTHONPATH": "/evil",
    "PYTHONSTARTUP": "/evil.py",
    "LD_PRELOAD": "/evil.so",
    "LINE": "1",
    "MY_PYTHONPATH": "/mine",
}
EVIL = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
def handler(folder):
    raise SystemExit("the caller's code runs in the house's process")
"""


@pytest.mark.parametrize(
    ("image", "kept"),
    [
        (Image("built-in", None, None, own_code=False), {"TOBO_MODEL_CACHE_BYTES", "LINE", "MY_PYTHONPATH"}),
        (Image("framework", None, None), set(ASKED)),
        (
            Image("bound", None, None, binding=Binding()),
            set(ASKED) - {"TOBO_MODEL_SERVER", "TOBO_ANSWER_SECONDS"},
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Image) else "",
)
def test_what_a_process_takes_from_a_request(image: Image, kept: set[str]) -> None:
    assert asked_environment(image, ASKED) == {name: ASKED[name] for name in kept}


def test_a_model_of_a_built_in_image_serves_whatever_its_environment_says(server: Server, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(EVIL)
    (tmp_path / "sitecustomize.py").write_text(EVIL)
    sagemaker, s3, name = server.client("sagemaker"), server.client("s3"), unique("steered")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=archive(nothing=""))
    environment = {"TOBO_MODEL_SERVER": "evil:handler", "PYTHONPATH": str(tmp_path), "ECHO_SECONDS": "0.01"}
    container = {"Image": "tobo-echo", "ModelDataUrl": f"s3://{name}/model.tar.gz", "Environment": environment}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    try:
        assert await_endpoint(server, name)["EndpointStatus"] == "InService"
        answer = server.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"who are you")
        assert answer["Body"].read() == b"who are you"
    finally:
        sagemaker.delete_endpoint(EndpointName=name)
    assert sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["Environment"] == environment
    assert not (tmp_path / "ran").exists()


def test_a_built_in_training_job_takes_nothing_that_steers_it(
    fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The spec on the disk is what the process was started with."""
    server = fresh_server()
    upload_photos(server, "steered", 8, 4)
    sagemaker = server.client("sagemaker")
    asked: dict[str, Any] = training_job("steered", "steered", Environment={"PYTHONPATH": str(tmp_path), "LINE": "1"})
    sagemaker.create_training_job(**asked)
    until(lambda: bool(running(server.state, "steered")))
    specs = [json.loads(file.read_text()) for file in (server.state / "compute" / "processes").glob("*/spec.json")]
    [told] = [spec["environment"] for spec in specs if "steered" in spec["name"]]
    assert told["LINE"] == "1" and "PYTHONPATH" not in told
    sagemaker.stop_training_job(TrainingJobName="steered")
    wait(sagemaker, "steered")

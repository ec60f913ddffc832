"""kill -9 of the server at any moment of a job, of the job itself, and a job that eats its memory."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.endpoints import classify, deploy
from tests.support.jobs import ENDLESS, QUICK, log_lines, photo, training_job, upload_photos, wait, wait_for_line
from tests.support.processes import running, until

pytestmark = pytest.mark.xdist_group("training")
BUCKET = "crash-photos"


def epochs(lines: list[str]) -> list[str]:
    return [line.split("=")[0] for line in lines if "Train-accuracy" in line]


def test_the_server_killed_at_any_moment_of_a_job(fresh_server: Callable[..., Server]) -> None:
    """Six jobs, the server killed ever later in their course: each is completed, and trained exactly once."""
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    for number in range(6):
        name = f"job-{number}"
        server.client("sagemaker").create_training_job(**training_job(name, BUCKET))
        time.sleep(0.4 * number)
        server.kill()
        server.start()
        job = wait(server.client("sagemaker"), name)
        assert job["TrainingJobStatus"] == "Completed", (number, job.get("FailureReason"))
        assert epochs(log_lines(server, name)) == ["Epoch[0] Train-accuracy", "Epoch[1] Train-accuracy"], number
        statuses = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
        assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
        server.client("s3").head_object(Bucket=BUCKET, Key=f"out/{name}/output/model.tar.gz")


def test_a_job_goes_on_while_no_server_runs(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    server.client("sagemaker").create_training_job(**training_job("alone", BUCKET))
    until(lambda: bool(running(server.state, "/alone/")), 60)
    server.kill()
    until(lambda: not running(server.state, "/alone/"), 60)
    server.start()
    assert wait(server.client("sagemaker"), "alone", seconds=10)["TrainingJobStatus"] == "Completed"


def test_an_endpoint_survives_a_restart(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    server.client("sagemaker").create_training_job(**training_job("kept", BUCKET))
    deploy(server, "kept", wait(server.client("sagemaker"), "kept")["ModelArtifacts"]["S3ModelArtifacts"])
    [before] = running(server.state, "/kept/").values()
    server.kill()
    server.start()
    assert classify(server, "kept", photo(1)).index(max(classify(server, "kept", photo(1)))) == 1
    assert list(running(server.state, "/kept/").values()) == [before]


@pytest.mark.parametrize("victim", ["job", "job and its parent"])
def test_a_killed_job_fails_with_its_reason_within_five_seconds(warm_server: Server, victim: str) -> None:
    upload_once(warm_server)
    sagemaker = warm_server.client("sagemaker")
    name = "killed-" + victim.replace(" ", "-")
    sagemaker.create_training_job(**training_job(name, BUCKET, HyperParameters=ENDLESS))
    wait_for_line(warm_server, name, "Epoch[0]")
    [pid] = running(warm_server.state, f"/{name}/").values()
    if victim != "job":
        parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(parent, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    job = wait(sagemaker, name, seconds=5)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert victim != "job" or "signal: 9" in job["FailureReason"] or "SIGKILL" in job["FailureReason"]


def test_out_of_memory_is_named(warm_server: Server) -> None:
    upload_once(warm_server)
    large = {**QUICK, "num_layers": "152", "image_shape": "3,1024,1024", "mini_batch_size": "40"}
    small_machine = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
    asked: dict[str, Any] = training_job("greedy", BUCKET, HyperParameters=large, ResourceConfig=small_machine)
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**asked)
    job = wait(sagemaker, "greedy", seconds=180)
    assert job["TrainingJobStatus"] == "Failed"
    assert "memory" in job["FailureReason"]


def upload_once(server: Server) -> None:
    if BUCKET not in {bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]}:
        upload_photos(server, BUCKET)

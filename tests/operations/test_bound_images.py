"""Images of one's own: `tobo images`, and what an address that it bound runs in training, serving and processing."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import ROLE, log_lines, wait
from tests.support.systems import small_system

from tobo.compute import sandbox
from tobo.operations.bindings import Binding, find_binding, read_bindings, repository_address, write_bindings

BUCKET = "bound-images"
REGISTRY = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
SANDBOXED = not isinstance(sandbox.find_wrapper(), str)

needs_sandbox = pytest.mark.skipif(not SANDBOXED, reason=f"no sandbox here: {sandbox.find_wrapper()}")

PROGRAM = """
import http.server, json, os, pathlib, sys
model = pathlib.Path(os.environ["SM_MODEL_DIR"])

def train():
    settings = json.loads((model.parent / "input/config/hyperparameters.json").read_text())
    read = sorted(path.name for path in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir())
    print("trains with", settings, read)
    (model / "answer").write_text(settings["answer"])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(body + (model / "answer").read_bytes())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

def serve():
    http.server.HTTPServer(("", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()

{"train": train, "serve": serve}[sys.argv[1]]()
"""


def images(server: Server, *words: str, fails: bool = False) -> str:
    """`tobo images` on the server's state folder; what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "tobo", "images", *words, "--state", str(server.state)], capture_output=True, text=True
    )
    assert bool(ran.returncode) == fails, ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def sagemaker(server: Server) -> Any:
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/photo", Body=b"x")
    return server.client("sagemaker")


@pytest.fixture
def image(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """An address of the test's own, unbound when the test is over."""
    address = f"{REGISTRY}/{request.function.__name__.replace('_', '-')}"
    yield address
    if address in read_bindings(server.state):
        images(server, "remove", address)


def training_job(name: str, image: str, **changed: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/"}}
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": {"answer": "42"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changed,
    }


def trained(server: Server, name: str, image: str, **changed: Any) -> dict[str, Any]:
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**training_job(name, image, **changed))
    return wait(sagemaker, name)


def artifact(server: Server, job: dict[str, Any]) -> dict[str, tarfile.TarInfo]:
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    data = server.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive}


def test_a_program_trains_and_serves(server: Server, sagemaker: Any, image: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    told = images(server, "add", image, "--program", f"{sys.executable} {program}")
    assert told == f"{image} runs '{sys.executable} {program}'\n"
    job = trained(server, "bound-program", f"{image}:latest")
    assert job["TrainingJobStatus"] == "Completed", (job, log_lines(server, "bound-program"))
    assert log_lines(server, "bound-program")[-1] == "trains with {'answer': '42'} ['photo']"
    assert list(artifact(server, job)) == ["answer"]

    model = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName="bound-program", ExecutionRoleArn=ROLE, PrimaryContainer=model)
    variant = {"VariantName": "all", "ModelName": "bound-program", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="bound-program", ProductionVariants=[{**variant, "InitialInstanceCount": 2}]
    )
    sagemaker.create_endpoint(EndpointName="bound-program", EndpointConfigName="bound-program")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="bound-program", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    runtime = server.client("sagemaker-runtime")
    answers = {
        runtime.invoke_endpoint(EndpointName="bound-program", Body=b"The answer is ")["Body"].read() for _ in range(4)
    }
    assert answers == {b"The answer is 42"}
    sagemaker.delete_endpoint(EndpointName="bound-program")


@needs_sandbox
def test_the_files_of_an_image_are_all_that_it_sees(server: Server, sagemaker: Any, image: str, tmp_path: Path) -> None:
    root = small_system(tmp_path / "system")
    (root / "bin" / "train").write_text(
        textwrap.dedent(
            f"""\
            #!/bin/sh
            cat /opt/ml/input/config/hyperparameters.json
            echo
            ls {server.state} /usr /root
            echo x > /opt/ml/model/weights
            """
        )
    )
    (root / "bin" / "train").chmod(0o755)
    images(server, "add", image, "--root", str(root))
    job = trained(server, "bound-root", image)
    assert job["TrainingJobStatus"] == "Failed" or list(artifact(server, job)) == ["weights"]
    lines = log_lines(server, "bound-root")
    assert lines[0] == '{"answer":"42"}'
    assert sum("No such file or directory" in line for line in lines[1:]) == 3, lines


@needs_sandbox
def test_what_it_leaves_leads_nobody_out_of_its_folder(
    server: Server, sagemaker: Any, image: str, tmp_path: Path
) -> None:
    """The server collects what lies in /opt/ml/model: links there must not lead it to what only it may read."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""\
            import os
            for name in ("model", "output/data", "output"):
                try:
                    os.rename(f"/opt/ml/{{name}}", f"/opt/ml/{{name}}-moved")
                except OSError as error:
                    print(name, error.strerror)
            os.symlink({str(server.state)!r}, "/opt/ml/model/state")
            os.symlink({str(server.state / "credentials.json")!r}, "/opt/ml/output/failure")
            raise SystemExit(1)
            """
        )
    )
    images(server, "add", image, "--program", f"{sys.executable} {program}")
    job = trained(server, "bound-links", image)
    busy = [f"{name} Device or resource busy" for name in ("model", "output/data", "output")]
    assert log_lines(server, "bound-links") == busy
    assert job["FailureReason"] == "AlgorithmError: Exited with code 1. (exit code: 1)"
    members = artifact(server, job)
    assert list(members) == ["state"] and members["state"].issym()


def test_entrypoint_and_arguments_of_the_request_win(
    server: Server, sagemaker: Any, image: str, tmp_path: Path
) -> None:
    images(server, "add", image, "--program", "echo program")
    specification = {"TrainingImage": image, "TrainingInputMode": "File"}
    for number, (given, said) in enumerate(
        [
            ({}, "program train"),
            ({"ContainerArguments": ["a", "b"]}, "program a b"),
            ({"ContainerEntrypoint": ["echo", "own"], "ContainerArguments": ["c"]}, "own c"),
        ]
    ):
        name = f"bound-words-{number}"
        trained(server, name, image, AlgorithmSpecification={**specification, **given})
        assert log_lines(server, name)[-1] == said


def test_a_processing_job_runs_it(server: Server, sagemaker: Any, image: str) -> None:
    images(server, "add", image, "--program", "echo processes")
    cluster = {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
    sagemaker.create_processing_job(
        ProcessingJobName="bound",
        RoleArn=ROLE,
        AppSpecification={"ImageUri": image, "ContainerArguments": ["photos"]},
        ProcessingResources={"ClusterConfig": cluster},
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName="bound", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    logs = server.client("logs")
    found = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix="bound/")
    assert [event["message"] for event in found["events"]][-1:] == ["processes photos"]


@needs_sandbox
def test_podmans_image_is_copied_once(server: Server, sagemaker: Any, image: str, tmp_path: Path) -> None:
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    root = small_system(tmp_path / "system")
    with tarfile.open(tmp_path / "system.tar", "w") as archive:
        archive.add(root, ".")
    tag = f"localhost/tobo-test-{time.time_ns()}"
    change = ["--change", 'ENTRYPOINT ["/bin/sh", "-c", "cat name; ls $FOLDER"]', "--change", "WORKDIR /app"]
    made = subprocess.run(
        ["podman", "import", "--quiet", *change, "--change", "ENV FOLDER=/app", str(tmp_path / "system.tar"), tag],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"podman does not work here: {made.stderr.strip()[-200:]}")
    try:
        images(server, "add", image, "--podman", tag)
    finally:
        subprocess.run(["podman", "rmi", "--force", tag], capture_output=True, check=True)
    job = trained(server, "bound-podman", image)
    assert job["TrainingJobStatus"] == "Completed", job
    assert log_lines(server, "bound-podman") == ["image", "name", "notes"]
    images(server, "remove", image)
    assert list((server.state / "images").iterdir()) == []


def test_an_address_that_is_not_bound_is_refused_with_the_mend(server: Server, sagemaker: Any, image: str) -> None:
    with pytest.raises(ClientError, match="`tobo images add` binds an address to a program of your own"):
        sagemaker.create_training_job(**training_job("unbound", image))


def test_the_list_shows_what_is_bound(server: Server, image: str, tmp_path: Path) -> None:
    images(server, "add", f"{image}:2", "--program", "echo two words")
    assert f"{image}:2\t'echo two words'\n" in images(server, "list")
    assert "is not bound" in images(server, "remove", image, fails=True)
    images(server, "remove", f"{image}:2")
    assert image not in images(server, "list")


def test_a_program_in_the_home_shows_itself_alone(server: Server, image: str, tmp_path: Path) -> None:
    script, other = tmp_path / "serve.py", tmp_path / "apart" / "serve.py"
    other.parent.mkdir()
    for file in (script, other):
        file.write_text("")
    ran = subprocess.run(
        [sys.executable, "-m", "tobo", "images", "add", image, "--program", f"python3 {script} {other}"],
        env={**os.environ, "HOME": str(tmp_path), "TOBO_STATE": str(server.state)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert read_bindings(server.state)[image].visible == (str(other.parent), str(script))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give --program, or one of --root, --podman and --docker"),
        (("--root", "/tmp", "--docker", "x"), "give --program, or one of --root, --podman and --docker"),
        (("--root", "/nothing-here"), "/nothing-here is not a folder"),
    ],
)
def test_what_cannot_be_bound_is_refused(server: Server, image: str, words: tuple[str, ...], told: str) -> None:
    said = " ".join(images(server, "add", image, *words, fails=True).replace("│", " ").split())
    assert told in said and image not in read_bindings(server.state)


def test_an_oci_bundle_says_what_it_runs(server: Server, image: str, tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    process = {"args": ["/run", "it"], "env": ["A=b=c"], "cwd": "/app"}
    (tmp_path / "config.json").write_text(json.dumps({"process": process, "root": {"path": "rootfs"}}))
    images(server, "add", image, "--root", str(tmp_path))
    bound = read_bindings(server.state)[image]
    assert (bound.program, bound.root, bound.folder) == (("/run", "it"), str(tmp_path / "rootfs"), "/app")
    assert bound.environment["A"] == "b=c" and "PATH" in bound.environment


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("registry:5000/team/image", "plain"),
        ("registry:5000/team/image:1", "plain"),
        ("registry:5000/team/image:2", "second"),
        ("registry:5000/team/image@sha256:00", "plain"),
        ("registry:5000/team/image2", None),
        ("team/image", None),
    ],
)
def test_the_nearest_address_counts(tmp_path: Path, uri: str, found: str | None) -> None:
    assert find_binding(tmp_path, uri) is None
    address = repository_address("registry:5000/team/image:1")
    write_bindings(tmp_path, {address: Binding(("plain",)), f"{address}:2": Binding(("second",))})
    binding = find_binding(tmp_path, uri)
    assert (binding.program[0] if binding else None) == found

"""tobo jobs, logs, tune and invoke as a user runs them: child processes that speak to a server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.compilation import compilation_job, ended
from tests.support.endpoints import deploy
from tests.support.jobs import ENDLESS, QUICK, photo, training_job, upload_photos, wait, wait_for_line
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")

RUN = [sys.executable, "-m", "tobo"]


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TOBO_"))}
    return {**clean, "COLUMNS": "200", **more}


def tobo(server: Server, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """With the state folder at the end, as users say it."""
    command = [*RUN, *arguments, "--state", str(server.state)]
    return subprocess.run(command, env=environment(), capture_output=True, input=stdin, timeout=120, check=False)


def lines(done: subprocess.CompletedProcess[bytes]) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


@pytest.fixture(scope="module")
def served(warm_server: Server) -> Server:
    """With a bucket of photos and a job that is Completed."""
    upload_photos(warm_server, "cli-jobs")
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**training_job("cli-done", "cli-jobs"))
    assert wait(sagemaker, "cli-done")["TrainingJobStatus"] == "Completed"
    sagemaker.create_training_job(**training_job("cli-failed", "cli-no-such-bucket"))
    wait(sagemaker, "cli-failed")
    return warm_server


def test_jobs_are_listed(served: Server) -> None:
    for arguments in ([], ["list"]):
        command = [*RUN, "jobs", *arguments]
        done = subprocess.run(
            command, env=environment(TOBO_STATE=str(served.state)), capture_output=True, timeout=60, check=False
        )
        listed = {row[0]: row for row in lines(done)}
        assert listed["cli-done"][1:3] == ["training", "Completed"] and listed["cli-failed"][2] == "Failed"
    failed = lines(tobo(served, "jobs", "list", "--status", "Failed", "--name", "cli-", "--kind", "training"))
    assert [row[0] for row in failed] == ["cli-failed"]
    assert len(lines(tobo(served, "jobs", "list", "--limit", "1"))) == 1
    assert lines(tobo(served, "jobs", "list", "--kind", "processing", "--name", "no-such-job")) == []
    as_json = json.loads(tobo(served, "jobs", "list", "--name", "cli-done", "--json").stdout)
    assert [(job["Kind"], job["TrainingJobName"]) for job in as_json] == [("training", "cli-done")]


def test_a_compilation_job_is_one_of_them(served: Server) -> None:
    """Its statuses, which the API writes in capitals, are written and asked for as all others."""
    sagemaker = served.client("sagemaker")
    sagemaker.create_compilation_job(**compilation_job("cli-compiled", "s3://cli-no-such-bucket/model.tar.gz"))
    ended(sagemaker, "cli-compiled")
    asked = ("jobs", "list", "--kind", "compilation", "--status", "Failed")
    [row] = lines(tobo(served, *asked))
    assert row[:3] == ["cli-compiled", "compilation", "Failed"] and row[4]
    assert "cli-no-such-bucket" in dict(lines(tobo(served, "jobs", "describe", "cli-compiled")))["reason"]
    assert tobo(served, "jobs", "wait", "cli-compiled").returncode != 0


def test_a_job_is_described(served: Server) -> None:
    told = dict(lines(tobo(served, "jobs", "describe", "cli-done")))
    assert told["status"] == "Completed" and told["hyperparameter epochs"] == QUICK["epochs"]
    assert told["model"].endswith("cli-done/output/model.tar.gz") and "metric validation:accuracy" in told
    whole = json.loads(tobo(served, "jobs", "describe", "cli-done", "--json").stdout)
    assert whole["TrainingJobName"] == "cli-done" and "ResponseMetadata" not in whole
    assert "cli-no-such-bucket" in dict(lines(tobo(served, "jobs", "describe", "cli-failed")))["reason"]


def test_exit_codes_of_waiting(served: Server) -> None:
    assert tobo(served, "jobs", "wait", "cli-done").returncode == 0
    failed = tobo(served, "jobs", "wait", "cli-failed")
    assert failed.returncode == 1 and b"cli-failed is Failed: " in failed.stdout
    for command in (["jobs", "wait"], ["logs"]):
        missing = tobo(served, *command, "cli-nobody")
        assert missing.returncode == 1 and b"'cli-nobody'" in missing.stderr and b"Traceback" not in missing.stderr
    assert tobo(served, "jobs", "list", "--limit", "0").returncode == 2


def test_a_job_is_followed_and_stopped(served: Server) -> None:
    """The follower sees the lines as they come and ends with the job."""
    sagemaker, name = served.client("sagemaker"), unique("cli-endless")
    sagemaker.create_training_job(**training_job(name, "cli-jobs", HyperParameters=ENDLESS))
    with subprocess.Popen(
        [*RUN, "logs", "-f", name, "--state", str(served.state)],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as follower:  # fmt: skip
        assert follower.stdout is not None and follower.stderr is not None
        first = next(line for line in follower.stdout if "Epoch[" in line)
        assert first
        stopped = tobo(served, "jobs", "stop", name, "--wait")
        assert stopped.stdout.decode() == f"{name} is told to stop.\n{name} is Stopped.\n"
        assert follower.wait(60) == 1
        assert f"{name} is Stopped." in follower.stderr.read()
    assert f"{name} is Stopped already." in tobo(served, "jobs", "stop", name).stdout.decode()


def test_a_log_of_the_past(served: Server) -> None:
    wait_for_line(served, "cli-done", "Epoch[1]")
    plain = tobo(served, "logs", "cli-done")
    assert plain.returncode == 0 and b"Epoch[0] Train-accuracy=" in plain.stdout
    stamped = tobo(served, "logs", "cli-done", "-t").stdout.decode().splitlines()
    assert [line[20:] for line in stamped] == plain.stdout.decode().splitlines()
    told = [json.loads(line) for line in tobo(served, "logs", "--json", "-f", "cli-done").stdout.splitlines()]
    assert [line["message"] for line in told] == plain.stdout.decode().splitlines()
    assert all(line["stream"].startswith("cli-done/algo-1") for line in told)


SPEC: dict[str, Any] = {
    "channels": {"train": "s3://cli-jobs/train/", "validation": "s3://cli-jobs/validation/"},
    "output": "s3://cli-jobs/tuned",
    "strategy": "Random",
    "jobs": 2,
    "seed": 3,
    "ranges": {"learning_rate": {"min": 0.001, "max": 0.1, "scale": "log"}, "optimizer": ["sgd", "adam"]},
    "hyperparameters": {
        **{name: value for name, value in QUICK.items() if name != "learning_rate"},
        "epochs": 1,
    },
}
YAML = """
channels: {train: s3://cli-jobs/train/, validation: s3://cli-jobs/validation/}
output: s3://cli-jobs/tuned
ranges:
  learning_rate: {min: 1e-5, max: 0.1, scale: log}
  momentum: {min: 0.8, max: 0.99, scale: reverse-log}
  mini_batch_size: {min: 4, max: 16}
  optimizer: [sgd, nag]
hyperparameters: {num_classes: 2, num_training_samples: 40, num_layers: 20, image_shape: "3,32,32", epochs: 1}
"""


def test_tuning_from_a_file(served: Server, tmp_path: Path) -> None:
    file = tmp_path / "what.json"
    file.write_text(json.dumps(SPEC))
    name = unique("cli-tune")
    done = tobo(served, "tune", str(file), "--name", name)
    said = done.stdout.decode().splitlines()
    assert done.returncode == 0, done.stderr
    assert [line[:6] for line in said[:2]] == ["1 of 2", "2 of 2"]
    best = said[-1]
    assert best.startswith(f"{name} Completed, best {name}-00")
    assert said[2].split("\t")[0] in best and "optimizer=" in said[2]
    again = tobo(served, "tune", str(file), "--name", name)
    assert again.returncode == 1 and b"already" in again.stderr


def test_tuning_from_options_and_json(served: Server) -> None:
    pairs = [f"--set={name}={value}" for name, value in SPEC["hyperparameters"].items()]
    done = tobo(
        served, "tune", "--name", unique("cli-options"), "--jobs", "1", "--parallel", "1", "--strategy", "Random", "--json",
        "--channel", "train=s3://cli-jobs/train/", "--channel", "validation=s3://cli-jobs/validation/",
        "--output", "s3://cli-jobs/tuned", "--range", "learning_rate=0.01:0.02:log", *pairs,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["HyperParameterTuningJobStatus"] == "Completed" and len(told["TrainingJobSummaries"]) == 1


def test_a_yaml_file_and_no_waiting(served: Server, tmp_path: Path) -> None:
    file = tmp_path / "what.yaml"
    file.write_text(YAML)
    name = unique("cli-yaml")
    done = tobo(served, "tune", str(file), "--name", name, "--jobs", "1", "--no-wait")
    assert (done.returncode, done.stdout.decode()) == (0, f"{name}\n"), done.stderr
    sagemaker = served.client("sagemaker")
    config = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)[
        "HyperParameterTuningJobConfig"
    ]["ParameterRanges"]
    assert config["ContinuousParameterRanges"] == [
        {"Name": "learning_rate", "MinValue": "1e-5", "MaxValue": "0.1", "ScalingType": "Logarithmic"},
        {"Name": "momentum", "MinValue": "0.8", "MaxValue": "0.99", "ScalingType": "ReverseLogarithmic"},
    ]
    assert config["IntegerParameterRanges"][0]["Name"] == "mini_batch_size"
    assert config["CategoricalParameterRanges"] == [{"Name": "optimizer", "Values": ["sgd", "nag"]}]
    stopped = tobo(served, "jobs", "stop", name, "--wait")
    assert stopped.returncode == 0, stopped.stderr


@pytest.mark.parametrize(
    ("content", "arguments", "code", "text"),
    [
        ("{", [], 2, "is not what its extension says"),
        ("[1]", [], 2, "holds no mapping"),
        ('{"colour": 1}', [], 2, "'colour' is nothing that a tuning file has"),
        ("{}", [], 2, "There is nothing to tune"),
        ("{}", ["--range", "learning_rate=0.1:0.2"], 2, "There is nothing to train on"),
        ("{}", ["--range", "learning_rate"], 2, "is not name=value"),
        ('{"ranges": {"a": 3}}', ["--channel", "t=s3://b/t", "--output", "s3://b"], 2, "neither a list of choices nor"),
        ("{}", ["--range", "a=1:2:cubic", "--channel", "t=s3://b/t", "--output", "s3://b"], 2, "it is auto, linear"),
        ("{}", ["--range", "learning_rate=0.2:0.1", "--channel", "train=s3://b/t", "--output", "s3://b/o"], 1, "learning_rate"),
    ],
)  # fmt: skip
def test_what_cannot_be_tuned(
    served: Server, tmp_path: Path, content: str, arguments: list[str], code: int, text: str
) -> None:
    file = tmp_path / "what.json"
    file.write_text(content)
    refused = tobo(served, "tune", str(file), *arguments)
    assert refused.returncode == code and text in refused.stderr.decode(), refused.stderr
    assert b"Traceback" not in refused.stderr


def test_an_endpoint_is_asked(served: Server, tmp_path: Path) -> None:
    artifact = served.client("sagemaker").describe_training_job(TrainingJobName="cli-done")["ModelArtifacts"]
    assert deploy(served, "cli-asked", artifact["S3ModelArtifacts"])["EndpointStatus"] == "InService"
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.jpg", "sub/c.jpeg", ".hidden.jpg")):
        (folder / name).write_bytes(photo(number))
    rows = lines(tobo(served, "invoke", "cli-asked", str(folder), "--labels", "ko,ok"))
    assert [row[0] for row in rows] == [str(folder / name) for name in ("a.jpg", "b.jpg", "sub/c.jpeg")]
    assert [row[1].split()[0] for row in rows] == ["ko", "ok", "ko"]
    told = [json.loads(line) for line in tobo(served, "invoke", "cli-asked", str(folder), "--json").stdout.splitlines()]
    assert [one["class"] for one in told] == ["class 0", "class 1", "class 0"] and len(told[0]["answer"]) == 2
    (piped,) = lines(
        tobo(served, "invoke", "cli-asked", "-", "--content-type", "image/jpeg", "--labels", "ko,ok", stdin=photo(1))
    )
    assert piped[0] == "-" and piped[1].startswith("ok ")
    assert tobo(served, "invoke", "cli-asked", "-", stdin=photo(1)).returncode == 2
    assert tobo(served, "invoke", "cli-asked", str(folder / "none.jpg")).returncode == 2
    (folder / "broken.jpg").write_bytes(b"no picture")
    some = tobo(served, "invoke", "cli-asked", str(folder / "broken.jpg"), str(folder / "a.jpg"))
    assert some.returncode == 1 and b"refused: " in some.stdout.splitlines()[0] and b"class 0" in some.stdout
    nobody = tobo(served, "invoke", "cli-nobody", str(folder / "a.jpg"))
    assert nobody.returncode == 1 and b"Could not find endpoint" in nobody.stderr
    assert tobo(served, "logs", "cli-asked").returncode == 0
    served.client("sagemaker").delete_endpoint(EndpointName="cli-asked")


@pytest.mark.parametrize("command", [["jobs"], ["tune"]])
def test_no_server_answers(tmp_path: Path, command: list[str]) -> None:
    """By the state folder, and by the environment of one that is gone."""
    state = str(tmp_path / "state")
    gone = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for variables, text in (({"TOBO_STATE": state}, "No server runs on the state folder"), (gone, "No server answers")):
        done = subprocess.run(
            [*RUN, *command], env=environment(**variables), capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 3, done.stderr
        assert text in done.stderr.decode() and b"Traceback" not in done.stderr


def test_the_environment_names_the_server(served: Server) -> None:
    variables = {
        "AWS_ENDPOINT_URL": served.endpoint,
        "AWS_ACCESS_KEY_ID": served.keys[0],
        "AWS_SECRET_ACCESS_KEY": served.keys[1],
    }
    command = [*RUN, "jobs", "describe", "cli-done"]
    done = subprocess.run(command, env=environment(**variables), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0 and b"Completed" in done.stdout
    wrong = {**variables, "AWS_SECRET_ACCESS_KEY": "wrong"}
    refused = subprocess.run(command, env=environment(**wrong), capture_output=True, timeout=60, check=False)
    assert refused.returncode == 1 and b"signature" in refused.stderr.lower() and b"Traceback" not in refused.stderr

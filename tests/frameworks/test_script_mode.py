"""Script mode of SDK 2.x through boto3: what a script finds, gets as arguments, leaves behind, and every way that it ends."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import channel, log_lines, wait, wait_for_line
from tests.support.own_code import PYTHON, artifact, packed, put, script_job

pytestmark = pytest.mark.xdist_group("own-code")

REPORT = """
import json, os, sys
import helpers.words

found = {"arguments": sys.argv[1:], "variables": dict(os.environ), "word": helpers.words.WORD}
found["files"] = {name: json.load(open(os.path.join(os.environ["SM_INPUT_CONFIG_DIR"], name)))
                  for name in ("hyperparameters.json", "resourceconfig.json", "inputdataconfig.json")}
found["train"] = open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "data.txt")).read()
for place in ("SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR"):
    with open(os.path.join(os.environ[place], "found.json"), "w") as file:
        json.dump(found, file)
"""

VALUES: dict[str, Any] = {
    "epochs": 3,
    "learning-rate": 0.5,
    "optimizer": "sgd",
    "quoted": "say \"hi\" 'there' `$HOME` \\n",
    "spaces": "  two  words ",
    "unicode": "Käse ✓ 日本",
    "newline": "one\ntwo",
    "flag": True,
    "nothing": None,
    "empty": "",
    "list": [1, "two", 3.5],
    "map": {"b": 2, "a": 1},
    "numeric-text": "007",
    "a": "one letter",
    "x=y": "no variable",
}

ARGUMENTS = {
    "--epochs": "3",
    "--learning-rate": "0.5",
    "--optimizer": "sgd",
    "--quoted": "say \"hi\" 'there' `$HOME` \\n",
    "--spaces": "  two  words ",
    "--unicode": "Käse ✓ 日本",
    "--newline": "one\ntwo",
    "--flag": "True",
    "--nothing": "",
    "--empty": "",
    "--list": "[1, 'two', 3.5]",
    "--map": "a=1,b=2",
    "--numeric-text": "007",
    "-a": "one letter",
    "--x=y": "no variable",
}


def run(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**asked)
    return wait(sagemaker, asked["TrainingJobName"])


def said(server: Server, job: dict[str, Any]) -> str:
    return "\n".join([job.get("FailureReason", ""), *log_lines(server, job["TrainingJobName"])])


@pytest.fixture(scope="module")
def reported(server: Server) -> dict[str, Any]:
    """What a script found that got all of VALUES."""
    put(server, "own-code", "report/data/data.txt", "a line")
    files = {"train.py": REPORT, "helpers/__init__.py": "", "helpers/words.py": "WORD = 'beside'"}
    asked = script_job(
        server,
        "report",
        files,
        VALUES,
        InputDataConfig=[channel("train", "s3://own-code/report/data/")],
        Environment={"MY_OWN": "wins"},
    )
    job = run(server, asked)
    assert job["TrainingJobStatus"] == "Completed", said(server, job)
    left = artifact(server, job)["found.json"]
    assert artifact(server, job, "output.tar.gz")["found.json"] == left
    found: dict[str, Any] = json.loads(left)
    return found


def test_arguments_are_the_decoded_values(reported: dict[str, Any]) -> None:
    given = reported["arguments"]
    assert dict(zip(given[::2], given[1::2], strict=True)) == ARGUMENTS
    assert [name.lstrip("-") for name in given[::2]] == sorted(VALUES)


def test_files_are_those_of_the_contract(server: Server, reported: dict[str, Any]) -> None:
    files = reported["files"]
    assert files["hyperparameters.json"]["quoted"] == json.dumps(VALUES["quoted"])
    assert files["hyperparameters.json"]["sagemaker_program"] == '"train.py"'
    assert files["resourceconfig.json"]["hosts"] == ["algo-1"] == [files["resourceconfig.json"]["current_host"]]
    assert files["resourceconfig.json"]["instance_groups"] == [
        {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    ]
    assert files["inputdataconfig.json"]["train"]["TrainingInputMode"] == "File"
    assert reported["train"] == "a line" and reported["word"] == "beside"


def test_variables_are_those_of_the_toolkit(reported: dict[str, Any]) -> None:
    variables = reported["variables"]
    root = variables["SM_MODEL_DIR"].removesuffix("/model")
    told = {name: value.replace(root, "/opt/ml") for name, value in variables.items()}
    expected = {
        "MY_OWN": "wins",
        "TRAINING_JOB_NAME": "report",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
        "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": "/opt/ml/output/intermediate",
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CHANNELS": '["train"]',
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://own-code/report/source/sourcedir.tar.gz",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_FRAMEWORK_PARAMS": "{}",
        "SM_HP_EPOCHS": "3",
        "SM_HP_LEARNING-RATE": "0.5",
        "SM_HP_OPTIMIZER": "sgd",
        "SM_HP_FLAG": "true",
        "SM_HP_NOTHING": "",
        "SM_HP_LIST": '[1,"two",3.5]',
        "SM_HP_UNICODE": "Käse ✓ 日本",
    }
    assert {name: told.get(name) for name in expected} == expected
    assert json.loads(variables["SM_HPS"]) == VALUES
    assert json.loads(variables["SM_USER_ARGS"]) == reported["arguments"]
    assert json.loads(variables["SM_RESOURCE_CONFIG"])["hosts"] == ["algo-1"]
    assert json.loads(variables["SM_INPUT_DATA_CONFIG"]).keys() == {"train"}
    training = json.loads(told["SM_TRAINING_ENV"])
    assert training["hyperparameters"] == VALUES and training["job_name"] == "report" and training["is_master"]
    assert training["channel_input_dirs"] == {"train": "/opt/ml/input/data/train"}
    assert variables["AWS_ACCESS_KEY_ID"] and not [name for name in variables if name.startswith("TOBO_")]


@pytest.mark.parametrize(
    ("name", "script", "code", "reason"),
    [
        ("exits-3", "import sys; print('so far', file=sys.stderr); sys.exit(3)", 3, 'ErrorMessage "so far"'),
        (
            "raises",
            "print('fine')\nraise ValueError('loss is \"nan\"')",
            1,
            'ErrorMessage "ValueError: loss is "nan""',
        ),
        ("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, 'ErrorMessage ""'),
    ],
)
def test_a_script_that_fails_says_why(server: Server, name: str, script: str, code: int, reason: str) -> None:
    job = run(server, script_job(server, name, {"train.py": script}, {"epochs": 1}))
    assert job["TrainingJobStatus"] == "Failed"
    told = job["FailureReason"]
    assert told.startswith(f'AlgorithmError: ExecuteUserScriptError:\nExitCode {code}\n{reason}\nCommand "')
    assert "train.py --epochs 1" in told and told.endswith(f", exit code: {code}")


def test_its_own_words_come_first(server: Server) -> None:
    script = "import pathlib, sys\npathlib.Path('/opt/ml/output/failure').write_text('No luck.')\nsys.exit(1)"
    script = script.replace("'/opt/ml/output/failure'", "__import__('os').environ['SM_OUTPUT_DIR'] + '/failure'")
    job = run(server, script_job(server, "own-words", {"train.py": script}))
    assert job["FailureReason"] == "AlgorithmError: No luck."


@pytest.mark.parametrize(
    ("name", "program", "files", "reason"),
    [
        ("absent", "main.py", {"train.py": ""}, "has no 'main.py', which sagemaker_program names; it holds train.py"),
        ("climbs", "../train.py", {"train.py": ""}, "sagemaker_program '../train.py' is no path within"),
        ("option", "-c.py", {"-c.py": ""}, "sagemaker_program '-c.py' is no path within"),
    ],
)
def test_entry_points_that_cannot_be(
    server: Server, name: str, program: str, files: dict[str, str], reason: str
) -> None:
    job = run(server, script_job(server, name, files, program=program))
    assert job["TrainingJobStatus"] == "Failed" and reason in job["FailureReason"]


def test_a_shell_script_and_a_package_are_entry_points(server: Server) -> None:
    shell = script_job(
        server, "shell", {"run.sh": 'echo "got: $*"; echo "$SM_HP_WORD"'}, {"word": "it's"}, program="run.sh"
    )
    setup = "from setuptools import setup\nsetup(name='own', version='1.0', packages=['own'])"
    main = "import importlib.metadata, own, sys\nprint('version', importlib.metadata.version('own'), sys.argv[1:])"
    files = {"setup.py": setup, "own/__init__.py": "", "own/main.py": main}
    package = script_job(server, "package", files, {"depth": 2}, program="own/main.py")
    for asked in (shell, package):
        server.client("sagemaker").create_training_job(**asked)
    for name, line in (("shell", "got: --word it's"), ("package", "version 1.0 ['--depth', '2']")):
        job = wait(server.client("sagemaker"), name)
        assert job["TrainingJobStatus"] == "Completed", said(server, job)
        assert line in log_lines(server, name)


def test_a_stopped_script_is_told_once_and_leaves_its_model(server: Server) -> None:
    script = """
import os, pathlib, signal, sys, time


def end(number, frame):
    print(f"told {number}", flush=True)
    time.sleep(0.5)
    pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("as far as it came")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
print("begun", flush=True)
while True:
    time.sleep(0.1)
"""
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**script_job(server, "gentle", {"train.py": script}))
    wait_for_line(server, "gentle", "begun")
    sagemaker.stop_training_job(TrainingJobName="gentle")
    job = wait(sagemaker, "gentle")
    assert job["TrainingJobStatus"] == "Stopped" and artifact(server, job) == {"model": b"as far as it came"}
    assert log_lines(server, "gentle").count(f"told {int(signal.SIGTERM)}") == 1


def test_a_script_that_ignores_sigterm_has_its_grace(fresh_server: Callable[..., Server]) -> None:
    """On a server of its own, which ends it: the grace is two minutes."""
    script = """
import signal, time
signal.signal(signal.SIGTERM, lambda number, frame: print("no", flush=True))
print("begun", flush=True)
for second in range(600):
    time.sleep(1)
    print(f"still here {second}", flush=True)
"""
    server = fresh_server()
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**script_job(server, "stubborn", {"train.py": script}))
    wait_for_line(server, "stubborn", "begun")
    sagemaker.stop_training_job(TrainingJobName="stubborn")
    wait_for_line(server, "stubborn", "no")
    told = len(log_lines(server, "stubborn"))
    wait_for_line(server, "stubborn", f"still here {told}")
    assert sagemaker.describe_training_job(TrainingJobName="stubborn")["TrainingJobStatus"] == "Stopping"


def test_a_script_outlives_the_server(fresh_server: Callable[..., Server]) -> None:
    """kill -9 while it runs; the next server on the same state folder takes its model and its metrics."""
    script = """
import os, pathlib, time
print("begun", flush=True)
time.sleep(3)
print("loss=0.5", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("whole")
"""
    server = fresh_server()
    specification = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]}
    asked = script_job(server, "outlives", {"train.py": script}, specification=specification)
    server.client("sagemaker").create_training_job(**asked)
    wait_for_line(server, "outlives", "begun")
    server.kill()
    job = wait(server.start().client("sagemaker"), "outlives")
    assert job["TrainingJobStatus"] == "Completed", said(server, job)
    assert artifact(server, job) == {"model": b"whole"} and job["FinalMetricDataList"][0]["Value"] == 0.5


def test_metrics_are_scraped_with_the_jobs_own_definitions(server: Server) -> None:
    script = "for epoch in range(3):\n    print(f'epoch {epoch} loss: {1 / (epoch + 1):.2f}')"
    definitions = [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}]
    asked = script_job(
        server, "measured-script", {"train.py": script}, specification={"MetricDefinitions": definitions}
    )
    job = run(server, asked)
    assert [(one["MetricName"], round(one["Value"], 2)) for one in job["FinalMetricDataList"]] == [("loss", 0.33)]
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == definitions


def test_source_directories_of_a_channel(server: Server) -> None:
    """As SDK 2.x sends it with network isolation: the archive comes as a channel."""
    put(server, "own-code", "isolated/code/sourcedir.tar.gz", packed({"train.py": "print('isolated and well')"}))
    asked = script_job(server, "isolated", {})
    asked["HyperParameters"]["sagemaker_submit_directory"] = '"/opt/ml/input/data/code/sourcedir.tar.gz"'
    asked |= {"EnableNetworkIsolation": True, "InputDataConfig": [channel("code", "s3://own-code/isolated/code/")]}
    job = run(server, asked)
    assert job["TrainingJobStatus"] == "Completed", said(server, job)
    assert "isolated and well" in log_lines(server, "isolated")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"HyperParameters": {}}, "the hyperparameter 'sagemaker_program' is missing"),
        (
            {"HyperParameters": {"sagemaker_program": "a.py"}},
            "the hyperparameter 'sagemaker_submit_directory' is missing",
        ),
        (
            {"HyperParameters": {"sagemaker_program": "a.py", "sagemaker_submit_directory": "file:///home/me"}},
            "sagemaker_submit_directory is 'file:///home/me'; it must be the s3:// address",
        ),
        (
            {"image": "tensorflow-training:2.14"},
            "needs TensorFlow, which is not installed on this machine: pip install",
        ),
        ({"image": "1.dkr.ecr.us-east-1.amazonaws.com/mxnet-training:1.9"}, "needs MXNet, which is not installed"),
        (
            {"image": "somebody/whatever:1"},
            "is none that runs here; the repositories that do are: image-classification",
        ),
        (
            {"specification": {"MetricDefinitions": [{"Name": "loss", "Regex": "loss: ["}]}},
            "The regular expression 'loss: [' of metric definition 'loss' cannot be read",
        ),
        (
            {"specification": {"MetricDefinitions": [{"Name": "loss", "Regex": "loss: .*"}]}},
            "of metric definition 'loss' has no group",
        ),
    ],
)
def test_requests_that_are_refused(server: Server, changed: dict[str, Any], sentence: str) -> None:
    asked = script_job(server, "refused", {}, image=changed.pop("image", PYTHON), **changed)
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").create_training_job(**asked)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert sentence in refused.value.response["Error"]["Message"]


def test_a_source_directory_that_is_gone(server: Server) -> None:
    asked = script_job(server, "gone", {})
    asked["HyperParameters"]["sagemaker_submit_directory"] = '"s3://own-code/no/such.tar.gz"'
    job = run(server, asked)
    assert job["TrainingJobStatus"] == "Failed" and "no/such.tar.gz" in job["FailureReason"]

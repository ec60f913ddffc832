"""Jobs of SDK 3.x through boto3: a command, and the channels `code` and `sm_drivers` whose paths begin with /opt/ml.

The driver below does what the SDK's does: it is made executable, writes beside the input, installs, runs the script.
"""

from typing import Any

import pytest
from tests.conftest import Server
from tests.support.jobs import channel, log_lines, training_job, wait
from tests.support.own_code import PYTHON, artifact, put, wheel

pytestmark = pytest.mark.xdist_group("own-code")

ENTRYPOINT = ["/bin/bash"]
DRIVERS = "/opt/ml/input/data/sm_drivers"
ARGUMENTS = ["-c", f"chmod +x {DRIVERS}/sm_train.sh && {DRIVERS}/sm_train.sh"]
TRAIN_SCRIPT = f"""#!/bin/bash
set -e
command -v pip3 > /dev/null
python3 {DRIVERS}/scripts/environment.py
source /opt/ml/input/sm_training.env
cd /opt/ml/input/data/code
python3 {DRIVERS}/scripts/install_requirements.py requirements.txt
python3 train.py --epochs $EPOCHS
"""
ENVIRONMENT = """
import json
epochs = json.load(open("/opt/ml/input/config/hyperparameters.json"))["epochs"]
open("/opt/ml/input/sm_training.env", "w").write(f"export EPOCHS={epochs}")
"""
INSTALL = """
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "pip", "install", "-r", sys.argv[1]])
"""
SCRIPT = """
import os, pathlib, sys, tiny
print("trained", sys.argv[1:], tiny.VALUE)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("whole")
"""


def job(server: Server, name: str, script: str, **changed: Any) -> dict[str, Any]:
    """The description of a job when it is over."""
    for key, body in {
        "code/train.py": script,
        "code/requirements.txt": "./tiny-1.0-py3-none-any.whl\n",
        "code/tiny-1.0-py3-none-any.whl": wheel(5),
        "sm_drivers/sm_train.sh": TRAIN_SCRIPT,
        "sm_drivers/scripts/environment.py": ENVIRONMENT,
        "sm_drivers/scripts/install_requirements.py": INSTALL,
    }.items():
        put(server, "own-code", f"{name}/input/{key}", body)
    asked = training_job(
        name,
        "own-code",
        AlgorithmSpecification={
            "TrainingImage": PYTHON,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ENTRYPOINT,
            "ContainerArguments": ARGUMENTS,
        },
        HyperParameters={"epochs": "4"},
        InputDataConfig=[
            channel(one, f"s3://own-code/{name}/input/{one}/", ContentType="any") for one in ("code", "sm_drivers")
        ],
    )
    server.client("sagemaker").create_training_job(**asked | changed)
    return wait(server.client("sagemaker"), name)


def test_a_command_runs_the_drivers(server: Server) -> None:
    described, lines = job(server, "driven", SCRIPT), log_lines(server, "driven")
    assert described["TrainingJobStatus"] == "Completed", (described.get("FailureReason"), lines)
    assert "trained ['--epochs', '4'] 5" in lines
    assert artifact(server, described) == {"model": b"whole"}
    assert described["AlgorithmSpecification"]["ContainerEntrypoint"] == ENTRYPOINT
    again = job(server, "driven-again", SCRIPT)
    assert again["TrainingJobStatus"] == "Completed"
    assert "What requirements.txt names is installed already." in log_lines(server, "driven-again")


def test_a_command_that_fails(server: Server) -> None:
    described = job(server, "driven-down", "import sys; sys.exit('nothing learnt')")
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith(
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "nothing learnt"'
    )


def test_a_command_that_is_not_there(server: Server) -> None:
    specification = {"TrainingImage": PYTHON, "TrainingInputMode": "File", "ContainerEntrypoint": ["no-such-program"]}
    described = job(server, "driven-nowhere", "", AlgorithmSpecification=specification)
    assert (
        described["FailureReason"] == "ClientError: 'no-such-program' could not be started: No such file or directory."
    )


def test_the_store_is_safe_from_its_jobs(server: Server) -> None:
    """A channel's files are links to the store's objects, and are not to be written; code is a copy."""
    script = """
import os, pathlib
pathlib.Path("train.py").write_text("changed")
try:
    pathlib.Path("/opt/ml/input/data/data/table.csv").write_text("changed")
except OSError as error:
    print(type(error).__name__)
"""
    put(server, "own-code", "safe/data/table.csv", "as it was")
    channels = [
        *(channel(one, f"s3://own-code/safe/input/{one}/") for one in ("code", "sm_drivers")),
        channel("data", "s3://own-code/safe/data/"),
    ]
    described = job(server, "safe", script, InputDataConfig=channels)
    assert described["TrainingJobStatus"] == "Completed", (described.get("FailureReason"), log_lines(server, "safe"))
    s3 = server.client("s3")
    assert s3.get_object(Bucket="own-code", Key="safe/data/table.csv")["Body"].read() == b"as it was"
    assert s3.get_object(Bucket="own-code", Key="safe/input/code/train.py")["Body"].read() == script.encode()

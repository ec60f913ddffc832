"""The whole story as a user runs it, small: a process that finds or starts its server, trains, serves, reports and ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.conftest import MARK, Server, started_by

from tobo.line.marbles import draw, jpeg

pytestmark = pytest.mark.xdist_group("training")
SMALL = ("--count", "40", "--epochs", "1")


def start(state: Path, *options: str, **environment: str) -> "subprocess.Popen[str]":
    """`tobo demo` in a process of its own, in a pipe; without the AWS settings of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TOBO_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "tobo", "demo", "--state", str(state), *options],
        env={**inherited, **environment, MARK: str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def play(state: Path, *options: str, **environment: str) -> tuple[int, str]:
    """(exit code, all that it said)."""
    process = start(state, *options, **environment)
    said, _ = process.communicate(timeout=180)
    return process.returncode, said


def jobs(server: Server) -> dict[str, str]:
    """Training jobs of the server and their status, newest first."""
    listed = server.client("sagemaker").list_training_jobs(SortBy="CreationTime", SortOrder="Descending")
    return {each["TrainingJobName"]: each["TrainingJobStatus"] for each in listed["TrainingJobSummaries"]}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; whatever a demo has started on it and left behind is ended."""
    folder = tmp_path / "state"
    yield folder
    for pid in started_by(folder):
        os.kill(pid, signal.SIGKILL)


def test_the_demo_starts_a_server_and_leaves_its_state(state: Path) -> None:
    code, said = play(state, *SMALL)
    assert code == 0, said
    for expected in ("32 to train, 8 to validate, 10 unseen", "started for this demo", "epoch   1 of 1", "Completed"):
        assert expected in said
    assert "of 10 unseen photos" in said
    assert "ms a photo" in said
    (sheet,) = (state / "demo").glob("marbles-*/contact-sheet.png")
    assert str(sheet) in said
    with Image.open(sheet) as picture:
        assert picture.width > 144
    assert not (state / "server.json").exists()
    assert started_by(state) == []
    served = Server(state, {})
    try:
        assert jobs(served.start()) == {sheet.parent.name: "Completed"}
        assert served.client("sagemaker").list_endpoints()["Endpoints"] == []
    finally:
        served.end()


def test_a_running_server_is_used_and_names_are_new_each_time(warm_server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for label, kind in (("sound", "monochrome"), ("spotted", "dotted"), ("[gone]", "empty")):
        (folder / label).mkdir(parents=True)
        for seed in range(8):
            (folder / label / f"{seed}.jpg").write_bytes(jpeg(draw(seed, kind, size=64)))
    (folder / "[gone]" / "broken.jpg").write_bytes(b"no picture")
    before = set(jobs(warm_server))
    said = ""
    for _ in range(2):
        code, said = play(warm_server.state, "--photos", str(folder), "--epochs", "1", "--keep-endpoint")
        assert code == 0, said
    assert "already running" in said
    assert "classes [gone], sound, spotted" in said
    assert "Left out: '[gone]/broken.jpg'" in said
    after = jobs(warm_server)
    new = sorted(set(after) - before)
    assert [after[name] for name in new] == ["Completed", "Completed"]
    sagemaker = warm_server.client("sagemaker")
    for name in new:
        assert name.startswith("photos-")
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
        sagemaker.delete_endpoint(EndpointName=name)


def test_a_failing_job_ends_the_demo_with_its_reason(warm_server: Server, tmp_path: Path) -> None:
    code, said = play(warm_server.state, *SMALL, TOBO_PRETRAINED=str(tmp_path / "nowhere"))
    assert code == 1
    assert "ended Failed" in said
    assert "nowhere" in said
    assert "Traceback" not in said


def test_unusable_photos_are_refused_before_anything_starts(state: Path, tmp_path: Path) -> None:
    code, said = play(state, "--photos", str(tmp_path))
    assert code == 1
    assert said.splitlines()[-1].endswith("make one subfolder for each class.")
    assert not state.exists()


def test_an_interrupt_stops_the_job(warm_server: Server) -> None:
    process = start(warm_server.state, "--count", "40", "--epochs", "500")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "epoch   1 of 500" in line:
            process.send_signal(signal.SIGINT)
            break
    rest, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Stopping the job." in rest, said + rest
    assert next(iter(jobs(warm_server).values())) == "Stopped"

"""`tobo line` as somebody types it, with few photos: two versions, two devices, a new kind of marble, belts that do not stop."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import Server, started_by


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the command printed, and the state folder that it left."""
    state = tmp_path_factory.mktemp("line") / "state"
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "tobo", "line", "--state", str(state)]
    options = ["--marbles", "30", "--count", "160", "--epochs", "2", "--pace", "2"]
    ended = subprocess.run(
        [*command, *options],
        env={**environment, "COLUMNS": "200", "TOBO_TEST_SERVER": str(state)},
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not started_by(state), "the story leaves nothing running"
    return ended.stdout, state


def test_it_is_told_in_its_order(told: tuple[str, Path]) -> None:
    output, _ = told
    steps = ("Photos", "Training", "Compiled", "Fleet", "Page", "Rollout", "Sorted", "New kind", "Home", "Version 2")
    places = [output.index(step) for step in steps]
    assert places == sorted(places), output
    rollouts = re.findall(r"Rollout +version (\d), stage (\d)", output)
    assert rollouts == [("1", "1"), ("2", "1"), ("2", "2")]
    assert "line-1 2, line-2 1" in output, "the second version goes to one device first"
    assert "line-1 2, line-2 2" in output


def test_the_belts_run_on_while_versions_change(told: tuple[str, Path]) -> None:
    output, _ = told
    fell = re.findall(r"(\d+) marbles fell meanwhile, \d+ too late; belts stopped (\d+) times", output)
    assert len(fell) == 2 and all(int(count) > 0 for count, _ in fell)


def test_each_device_keeps_the_version_before(told: tuple[str, Path]) -> None:
    _, state = told
    devices = sorted((state / "line").glob("*/*"))
    assert [device.name for device in devices] == ["line-1", "line-2"]
    for device in devices:
        slots = [slot for slot in ("a", "b") if (device / "state" / "slots" / slot / "manifest.json").exists()]
        assert slots == ["a", "b"]


def test_each_devices_model_leads_back_to_its_photos(told: tuple[str, Path]) -> None:
    """Lineage from data to device: photos, training, compilation, bundle, deployment, device; of both versions."""
    _, state = told
    server = Server(state, {})
    try:
        sagemaker = server.start().client("sagemaker")
        devices = sagemaker.list_contexts(ContextType="Device")["ContextSummaries"]
        assert sorted(device["ContextName"].rsplit("-", 4)[-4:-2] for device in devices) == [
            ["line", "1"],
            ["line", "2"],
        ]
        for device in devices:
            found = sagemaker.query_lineage(StartArns=[device["ContextArn"]], Direction="Ascendants")["Vertices"]
            kinds = Counter(vertex["Type"] for vertex in found)
            # two versions: two trainings on photos, two of each that made them into what the device has
            assert {
                kinds[kind] for kind in ("TrainingJob", "CompilationJob", "EdgePackagingJob", "ModelDeployment")
            } == {2}
            photos = [vertex["Arn"] for vertex in found if vertex["Type"] == "DataSet"]
            uris = {sagemaker.describe_artifact(ArtifactArn=arn)["Source"]["SourceUri"] for arn in photos}
            assert uris and all(uri.startswith("s3://") for uri in uris)
            start = sagemaker.query_lineage(
                StartArns=[photos[0]], Direction="Descendants", Filters={"Types": ["Device"]}
            )
            assert device["ContextArn"] in [vertex["Arn"] for vertex in start["Vertices"]]
    finally:
        server.end()

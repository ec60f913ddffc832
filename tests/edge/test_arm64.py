"""The agent on arm64, under emulation: it sorts as the same agent does here, where TOBO_AARCH64_ROOT names a system."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support import graphs
from tests.support.compiled_model import bundle
from tests.support.house import House, house

import tobo
from tobo.compilers.aarch64 import NotRun, find_system

GIVEN = os.environ.get("TOBO_AARCH64_ROOT")
SOURCE = Path(tobo.__path__[0]).parent
FRAMES, PARTS = 6, 12
"""Pictures in the camera's folder, and parts that each agent sorts with its model: every picture at least once."""

AGENT = """
import platform, sys
if len(sys.argv) > 2:
    sys.executable = sys.argv[2]
from pathlib import Path
from tobo.edge import settings
from tobo.edge.agent import Agent

agent, sorted_parts = Agent(settings.read(Path(sys.argv[1]) / "conf")), set()

def enough():
    last = agent.loop.last
    if last is not None and last.model:
        sorted_parts.add(last.number)
    return len(sorted_parts) >= PARTS

agent.run(enough)
print(platform.machine(), agent.slot.manifest.version)
""".replace("PARTS", str(PARTS))

INTERPRETER = """#!/qemu-aarch64-static /usr/bin/python3
import runpy, sys
assert sys.argv.pop(1) == "-m"
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""What an emulated process starts children with: the kernel here knows no arm64 programs, but whom a script names."""

SETTINGS = """
state = "{place}/state"
[camera]
kind = "folder"
source = "{place}/frames"
[trigger]
seconds = 0.05
[decision]
accept = ["a"]
budget_ms = 60000
[keep]
margin = 1.0
per_minute = 6000
[page]
port = 0
"""


def device(folder: Path, home: House, place: Path) -> Path:
    """A device's folder: settings, enrolment, pictures. It is seen as `place` by the agent that will run there."""
    (folder / "conf").mkdir(parents=True)
    (folder / "frames").mkdir()
    for number in range(FRAMES):
        Image.fromarray(graphs.picture(number, 64, 48)).save(folder / "frames" / f"{number}.png")
    (folder / "conf" / "agent.toml").write_text(SETTINGS.format(place=place))
    (folder / "conf" / "enrolment").mkdir()
    for file in home.enrolment.iterdir():
        (folder / "conf" / "enrolment" / file.name).write_bytes(file.read_bytes())
    (folder / "agent.py").write_text(AGENT)
    return folder


def run(command: Sequence[str | Path], **environment: str) -> str:
    """What the agent printed in the end."""
    ran = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def emulated(root: Path, wrapper: str, folder: Path) -> list[str | Path]:
    """The command that runs a device's agent in the arm64 system, with this machine's loopback."""
    (folder / "etc").mkdir()
    (folder / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    child = folder / "python"
    child.write_text(INTERPRETER)
    child.chmod(0o755)
    box: list[str | Path] = [
        wrapper,
        "--unshare-all",
        "--share-net",
        "--die-with-parent",
        "--ro-bind",
        root,
        "/",
        "--dev",
        "/dev",
    ]
    box += ["--bind", folder, "/tmp", "--ro-bind", SOURCE, "/tmp/source", "--ro-bind", folder / "etc", "/etc"]
    python = ["/qemu-aarch64-static", "-E", "PYTHONPATH=/tmp/source:/site", "/usr/bin/python3"]
    return [*box, *python, "/tmp/agent.py", "/tmp", "/tmp/python"]


def told(folder: Path) -> list[dict[str, Any]]:
    """The events that wait in a device's outbox."""
    segments = sorted((folder / "state" / "outbox" / "events").glob("*.jsonl"))
    return [json.loads(line) for segment in segments for line in segment.read_text().splitlines()]


def decisions(folder: Path) -> dict[int, dict[str, Any]]:
    """What a device decided about each picture, from the events of its outbox and the frames beside them."""
    found: dict[int, dict[str, Any]] = {}
    for event in told(folder):
        if event["kind"] == "frame":
            jpeg = (folder / "state" / "outbox" / "frames" / f"{event['id']:020d}.jpg").read_bytes()
            kept = {name: event[name] for name in ("verdict", "reason", "label", "model", "scores")}
            found[(event["frame"] - 1) % FRAMES] = {**kept, "jpeg": hashlib.sha256(jpeg).hexdigest()}
    return found


@pytest.mark.skipif(not GIVEN, reason="TOBO_AARCH64_ROOT names no arm64 system; tools/arm64_root.py makes one")
@pytest.mark.parametrize("runtime", ["onnxruntime", "ncnn"])
def test_an_agent_on_arm64_decides_as_the_same_agent_here(tmp_path: Path, runtime: str) -> None:
    try:
        root, wrapper = find_system(GIVEN)
    except NotRun as error:
        pytest.fail(str(error))
    machines, found = [], []
    for name in ("here", "arm64"):
        with house(tmp_path / name / "house") as home:
            version, model = tmp_path / name / "v3", {"labels": graphs.LABELS, "runtime": runtime}
            archive = bundle(version, home.key, 3, architecture="convolutions", **model)
            home.deploy("d3", archive, hashlib.sha1(archive.read_bytes()).hexdigest())
            place = tmp_path / name / "device"
            folder = device(place, home, Path("/tmp") if name == "arm64" else place)
            here: list[str | Path] = [sys.executable, folder / "agent.py", folder]
            machines.append(run(emulated(root, wrapper, folder) if name == "arm64" else here, PYTHONPATH=str(SOURCE)))
            assert home.bought and home.heartbeats  # it came in with its certificate, and signed what it asked
        counts = [event for event in told(folder) if event["kind"] == "counts"]
        assert sum(event["decisions"] for event in counts) >= PARTS
        found.append(decisions(folder))
    assert machines == [f"{os.uname().machine} 3.0", "aarch64 3.0"]
    mine, theirs = found
    assert sorted(mine) == sorted(theirs) == list(range(FRAMES))
    for picture, decided in mine.items():
        scores = decided.pop("scores")
        assert theirs[picture].pop("scores") == pytest.approx(scores, abs=1e-4)
    assert theirs == mine
    assert {decided["verdict"] for decided in mine.values()} == {"ok", "ko"}

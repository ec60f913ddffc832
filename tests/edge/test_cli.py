"""The command `tobo-edge`, as a user of a device runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.support.compiled_model import bundle, compiled_folder, pictures
from tests.support.house import House, house

from tobo.edge import enrolment, settings
from tobo.edge.install import install


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "house") as made:
        yield made


def tobo_edge(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tobo.edge", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def device(tmp_path: Path, **changed: str) -> Path:
    """A folder with an agent.toml for a folder of pictures."""
    folder = tmp_path / "conf"
    folder.mkdir(exist_ok=True)
    shown = tmp_path / "pictures"
    shown.mkdir(exist_ok=True)
    for index, pixels in enumerate(pictures()):
        Image.fromarray(pixels).save(shown / f"{index}.png")
    parts = {
        "": f'state = "{tmp_path / "state"}"\n',
        "camera": f'kind = "folder"\nsource = "{shown}"\n',
        "trigger": "seconds = 0.02\n",
        "page": f"port = {free_port()}\n",
        **changed,
    }
    text = "".join(f"[{name}]\n{body}\n" if name else body for name, body in parts.items())
    (folder / "agent.toml").write_text(text)
    return folder


def test_an_installed_device_sorts_shows_its_status_and_stops_at_a_signal(tmp_path: Path, home: House) -> None:
    folder = device(tmp_path)
    ran = tobo_edge("install", home.enrolment, "--folder", folder, "--state", tmp_path / "state", "--user", "root")
    assert ran.returncode == 0, ran.stderr
    assert f"kept  {folder / 'agent.toml'}" in ran.stdout
    deployed = bundle(tmp_path / "v1", home.key, 1)
    home.deploy("d1", deployed, __import__("hashlib").sha1(deployed.read_bytes()).hexdigest())
    assert tobo_edge("status", "--folder", folder).returncode == 1
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen([sys.executable, "-m", "tobo.edge", "run", "--folder", folder], stderr=log)
    try:
        deadline = time.monotonic() + 60
        while "p50" not in (status := tobo_edge("status", "--folder", folder)).stdout:
            assert time.monotonic() < deadline and process.poll() is None, (tmp_path / "log").read_text()
        for text in ("device   line-1 line", "model    marbles 1.0", "parts", "outbox", "#token="):
            assert text in status.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, (tmp_path / "log").read_text()
        log.close()


def test_install_writes_what_the_agent_reads_and_keeps_what_was_set(tmp_path: Path, home: House) -> None:
    folder, state, unit = tmp_path / "etc", tmp_path / "var", tmp_path / "unit.service"
    done = install(home.enrolment, folder, state, "root", unit)
    assert done.kept == () and settings.read(folder).state == state
    assert enrolment.read(folder / "enrolment").device == "line-1"
    assert (folder / "enrolment" / "device.key").stat().st_mode & 0o777 == 0o600
    text = unit.read_text()
    assert f"-m tobo.edge run --folder {folder}" in text and "WatchdogSec=10" in text and "Restart=always" in text
    assert f"ReadWritePaths={state}" in text
    (folder / "agent.toml").write_text("# mine\n")
    again = install(home.enrolment, folder, state, "root", None)
    assert again.kept == (folder / "agent.toml",) and (folder / "agent.toml").read_text() == "# mine\n"


def test_install_says_what_it_cannot_do(tmp_path: Path) -> None:
    ran = tobo_edge("install", tmp_path, "--folder", tmp_path / "etc", "--state", tmp_path / "var")
    assert ran.returncode == 2 and "has no device.json" in ran.stderr
    (tmp_path / "file").write_text("")
    ran = tobo_edge("install", "--folder", tmp_path / "file" / "x", "--state", tmp_path / "var")
    assert ran.returncode == 1 and "run it with sudo, or name another --folder" in ran.stderr
    ran = tobo_edge(
        "install", "--folder", tmp_path / "ok", "--state", tmp_path / "var", "--user", "nobody-of-this-name"
    )
    assert ran.returncode in (0, 1)  # only root can give files away
    if os.geteuid() == 0:
        assert "no such user" in ran.stderr


def test_doctor_finds_what_works(tmp_path: Path, home: House) -> None:
    folder = device(tmp_path, house="outbox_mb = 1\n", actuator='kind = "none"\n')
    install(home.enrolment, folder, tmp_path / "state", "root", None)
    ran = tobo_edge("doctor", "--folder", folder)
    lines = {line.split()[0]: line for line in ran.stdout.splitlines() if not line.startswith(" ")}
    assert ran.returncode == 0, ran.stdout
    verdicts = {name: line.split()[1] for name, line in lines.items()}
    for name in ("versions", "camera", "trigger", "certificate", "clock", "network", "disk"):
        assert verdicts[name] == "ok", ran.stdout
    assert verdicts["model"] == "weak" and "deploy one to this device's fleet" in ran.stdout
    assert verdicts["actuator"] == "weak"


def test_doctor_finds_what_is_broken_and_says_the_mend(tmp_path: Path, home: House) -> None:
    folder = device(tmp_path, actuator='kind = "servo"\npin = 99\n')
    install(home.enrolment, folder, tmp_path / "state", "root", None)
    (folder / "enrolment" / "device.key").chmod(0o644)
    slots = tmp_path / "state" / "slots"
    bundle(slots / "a", home.key, 1)
    (slots / "current.json").write_text(json.dumps({"slot": "a", "sources": {}}))
    (slots / "a" / "model.onnx").write_bytes(b"rot")
    for picture in (tmp_path / "pictures").iterdir():
        picture.unlink()
    home.faults.refuse = (403, "AccessDeniedException")
    ran = tobo_edge("doctor", "--folder", folder)
    assert ran.returncode == 1
    for said in (
        "camera       MISSING",
        "holds no picture",
        "-> put some into it or name another folder",
        "actuator     MISSING",
        "model        MISSING 'model.onnx' of the bundle is changed",
        "others can read",
        "-> chmod 600",
        "network      MISSING AccessDeniedException",
    ):
        assert said in ran.stdout, ran.stdout
    assert "this is a bug" not in ran.stdout


def test_doctor_without_a_network_is_weak_not_broken(tmp_path: Path, home: House) -> None:
    folder = device(tmp_path)
    described = json.loads((home.enrolment / "device.json").read_text())
    (home.enrolment / "device.json").write_text(json.dumps({**described, "credentials": "https://localhost:1/x"}))
    install(home.enrolment, folder, tmp_path / "state", "root", None)
    ran = tobo_edge("doctor", "--folder", folder)
    assert ran.returncode == 0 and "network      weak" in ran.stdout and "sorting goes on" in ran.stdout


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"camera": 'kind = "phone"\n'}, 2, "it has to be one of picamera2"),
        ({"": 'model = "/none"\n'}, 1, "has no readable compiled.json"),
        ({"actuator": 'kind = "http"\nurl = "ftp://x"\n'}, 1, "is not the http:// address of an arm"),
    ],
)
def test_what_cannot_run_says_why_in_one_sentence(
    tmp_path: Path, change: dict[str, str], code: int, message: str
) -> None:
    state = f'state = "{tmp_path / "state"}"\n'
    ran = tobo_edge("run", "--folder", device(tmp_path, **{**change, "": state + change.get("", "")}))
    assert ran.returncode == code and message in ran.stderr and "Traceback" not in ran.stderr


def test_without_settings_it_says_who_writes_them(tmp_path: Path) -> None:
    ran = tobo_edge("run", "--folder", tmp_path)
    assert ran.returncode == 2 and "`tobo-edge install` writes one" in ran.stderr


ALLOWED = {"tobo", "numpy", "PIL", "onnxruntime", "cryptography", "paho", "cffi", "_cffi_backend", "flatbuffers"}


def test_the_agent_needs_no_more_than_a_device_has(tmp_path: Path) -> None:
    """A whole run in a process that may import nothing else, and that says what it imported."""
    folder = device(
        tmp_path, **{"": f'state = "{tmp_path / "state"}"\nmodel = "{compiled_folder(tmp_path / "model")}"\n'}
    )
    code = f"""
import sys
from importlib.abc import MetaPathFinder
class Device(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {ALLOWED!r} and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"a device has no {{name}}", name=name)
sys.meta_path.insert(0, Device())
import tobo.edge.cli, tobo.edge.doctor, tobo.edge.install, tobo.edge.nudge, tobo.edge.page.server
import tobo.edge.bundle, tobo.edge.prove, tobo.edge.opening
from tobo.edge import settings
from tobo.edge.agent import Agent
from pathlib import Path
agent = Agent(settings.read(Path({str(folder)!r})))
agent.run(lambda: agent.loop.tally.decisions >= 5)
assert agent.loop.tally.faults == 0
print(sorted({{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names)))
print([name for name in sys.modules if name.startswith("tobo.") and name.split(".")[1] not in ("edge", "inference", "kit")])
print("cryptography" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    imported, others, cryptography = ran.stdout.splitlines()
    assert others == "[]" and "onnxruntime" in imported
    assert cryptography == "False", "12 MB that only the proof in a child needs"


def test_a_slot_of_the_device_is_found_by_doctor(tmp_path: Path, home: House) -> None:
    folder = device(tmp_path)
    install(home.enrolment, folder, tmp_path / "state", "root", None)
    bundle(tmp_path / "state" / "slots" / "a", home.key, 1)
    (tmp_path / "state" / "slots" / "current.json").write_text(json.dumps({"slot": "a", "sources": {}}))
    ran = tobo_edge("doctor", "--folder", folder)
    assert "model        ok      marbles 1.0, 3 golden pictures right" in ran.stdout

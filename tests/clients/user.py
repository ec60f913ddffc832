"""User: somebody with one client in an environment of its own, and with nothing from tobo but `configure` and `env`."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Server

from tobo.gateway.tls import tls_files

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = ROOT / ".clients"
"""Made by `make test-clients`, one a file of tests/clients/environments/."""

CLIENTS = ("boto3", "awscli", "sagemaker-2", "sagemaker-3")
STEP_SECONDS = 600
"""Much more than a step takes: it bounds one that hangs."""


@dataclass(frozen=True)
class User:
    """`folder` is the working folder of every step, `notes` keeps what each printed and which outside addresses it asked for."""

    client: str
    folder: Path
    notes: Path
    environment: dict[str, str]

    def play(self, step: str) -> None:
        """Runs scripts/<client>/<step> as it is.

        Raises AssertionError when it fails, takes too long, or asked for an address outside of this machine.
        """
        script = script_of(self.client, step)
        assert script is not None, f"{self.client} has no step {step}"
        self.run(["python", str(script)] if script.suffix == ".py" else ["bash", "-eu", str(script)], step)

    def needs_training(self, step: str) -> bool:
        """Whether a step names the job of `train`, which ends with "-train" for every client."""
        script = script_of(self.client, step)
        return script is not None and re.search(r"-train\b", script.read_text()) is not None

    def run(self, command: Sequence[str], step: str) -> None:
        """Runs a command of the user's as a step of that name; see `play`."""
        log, attempts = self.notes / f"{step}.log", self.notes / f"{step}.attempts"
        environment = {**self.environment, "GUARD_FILE": str(attempts)}
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a shell is ended with what it waits for
            )
        try:
            ended = f"ended with {process.wait(STEP_SECONDS)}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            ended = f"had not ended after {STEP_SECONDS} s ({process.wait()})"
        said = log.read_text(errors="replace")
        assert ended == "ended with 0", f"{step} of {self.client} {ended}:\n{said}"
        asked = attempts.read_text() if attempts.exists() else ""
        assert not asked, f"{step} of {self.client} asked for addresses outside of this machine:\n{asked}"


def script_of(client: str, step: str) -> Path | None:
    """The script of a client's step; None where that client has none."""
    found = [HERE / "scripts" / client / f"{step}{suffix}" for suffix in (".py", ".sh")]
    return next((file for file in found if file.exists()), None)


def missing(client: str) -> str | None:
    """Why a client cannot play here; None where it can."""
    folder = ENVIRONMENTS / client
    return None if (folder / "ready").exists() else f"no {folder.relative_to(ROOT)}: make test-clients"


def new_user(client: str, server: Server, home: Path) -> User:
    """A user whose home, working folder and variables are new. The server is configured and runs."""
    folder, notes = home / "work", home / "notes"
    folder.mkdir(parents=True)
    notes.mkdir()
    environment = {
        "PATH": os.pathsep.join([str(ENVIRONMENTS / client / "bin"), os.environ["PATH"]]),
        "HOME": str(home),
        "PYTHONPATH": str(HERE / "guard"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    configured = tobo("configure", "--home", "--tls-port", str(_tls_port(server)), server=server, home=home)
    assert configured.returncode == 0, configured.stderr
    exported = tobo("env", server=server, home=home).stdout
    # As a shell reads it: what counts is what `eval` makes of the output.
    shell = subprocess.run(
        ["sh", "-c", f"{exported}\nenv -0"], env=environment, capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in shell.stdout.split("\0") if "=" in line)
    return User(client, folder, notes, found)


def tobo(*arguments: str, server: Server, home: Path) -> subprocess.CompletedProcess[str]:
    """The tobo command for a server's state folder, in somebody's home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TOBO_", "SAGEMAKER_"))}
    command = [sys.executable, "-m", "tobo", arguments[0], "--state", str(server.state), *arguments[1:]]
    environment = {**kept, "HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def _tls_port(server: Server) -> int:
    port = tls_files(server.state).port()
    assert port is not None, "the server was not configured before it started"
    return port

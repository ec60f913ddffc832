"""The real server as a fixture: a process of its own on a free port, with boto3 clients for it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

SERVED = Path(__file__).parent / "support" / "served"
"""Images and models of the tests, which a server finds in its PYTHONPATH."""

MARK = "TOBO_TEST_SERVER"
"""Names the state folder in the environment of a server and of everything that it starts, so that it can be ended."""


@dataclass
class Server:
    """A server of ours. `environment` is added to the test's own; TOBO_WARM is off unless it says otherwise."""

    state: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    endpoint: str = ""
    account: str = ""
    keys: tuple[str, str] = ("", "")

    def start(self) -> "Server":
        """Starts it (again) on its state folder, on a new free port, and waits until it is healthy."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        (self.state / "server.json").unlink(missing_ok=True)  # one that was killed has left it behind
        with (self.state.parent / f"{self.state.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tobo", "serve", "--port", "0", "--state", str(self.state)],
                env={
                    "TOBO_WARM": "0",
                    "TOBO_DEFAULT_ALARMS": "0",
                    "PYTHONPATH": str(SERVED),
                    **inherited,
                    **self.environment,
                    MARK: str(self.state),
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not self._healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log()}")
            time.sleep(0.02)
        kept = json.loads((self.state / "credentials.json").read_text())
        self.account, self.keys = kept["AccountId"], (kept["AccessKeyId"], kept["SecretAccessKey"])
        return self

    def _healthy(self) -> bool:
        try:
            self.endpoint = json.loads((self.state / "server.json").read_text())["endpoint"]
            with urllib.request.urlopen(f"{self.endpoint}/_tobo/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError):
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self) -> str:
        """What it has written to stdout and stderr."""
        return (self.state.parent / f"{self.state.name}.log").read_text(errors="replace")

    def client(self, service: str, region: str = "us-east-1", **options: Any) -> Any:
        """A boto3 client of it, as the root; options as boto3.client's. No retries: a 500 shall be seen."""
        defaults: dict[str, Any] = {
            "endpoint_url": self.endpoint,
            "region_name": region,
            "aws_access_key_id": self.keys[0],
            "aws_secret_access_key": self.keys[1],
            "config": Config(retries={"total_max_attempts": 1}),
        }
        return boto3.session.Session().client(service, **{**defaults, **options})

    def kill(self) -> None:
        """kill -9 of the server process alone; its jobs and replicas go on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def end(self) -> None:
        """Stops it and whatever it has started."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in started_by(self.state):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def started_by(state: Path) -> list[int]:
    """Processes that the server on this state folder, or one of its children, has started and that still run."""
    mark = f"{MARK}={state}".encode()
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue  # over, or somebody else's
    return found


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = report.failed or (report.when != "setup" and item.stash[FAILED])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A test that fails takes down what it shared, for it may have left anything in it: its rerun and the tests after
    it get a server of their own, and one failure stays one."""
    if item.stash[FAILED]:
        item.session._setupstate.teardown_exact(None)  # what pytest does after a session's last test


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this process (one a worker under xdist); tests choose names of their own in it."""
    served = Server(tmp_path_factory.mktemp("server") / "state", {})
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture(scope="session")
def warm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same with the warm parent, for tests that train: a job starts in milliseconds instead of seconds."""
    served = Server(tmp_path_factory.mktemp("warm-server") / "state", {"TOBO_WARM": "1"})
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`fresh_server(TOBO_CPUS="2")` starts a server of one's own: to be killed, and started again on the same state."""
    started: list[Server] = []

    def start(**environment: str) -> Server:
        served = Server(tmp_path / f"state-{len(started)}", environment)
        started.append(served)
        return served.start()

    yield start
    for served in started:
        served.end()

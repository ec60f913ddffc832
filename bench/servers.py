"""Servers under measurement: tobo in a fresh state folder, and its peers, each a process tree with a mark."""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.client import REGION
from bench.trees import MARK, marked


@dataclass(frozen=True)
class Peer:
    """A server that answers at `endpoint`; `keys` are what its clients sign with."""

    endpoint: str
    mark: str
    keys: tuple[str, str] = ("testing", "testing")

    def pids(self) -> list[int]:
        return marked(self.mark)

    def client(self, service: str) -> Any:
        session: Any = boto3.session.Session()  # its stubs know no service that is named at run time
        return session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.keys[0],
            aws_secret_access_key=self.keys[1],
            config=Config(retries={"total_max_attempts": 1}),
        )


@dataclass(frozen=True)
class Tobo(Peer):
    """Our server with its account's root keys, on the folder `state`."""

    state: Path = Path()
    started_in: float = 0.0
    """Seconds from its start to the first healthy answer."""


@contextlib.contextmanager
def tobo(warm: bool = False, state: Path | None = None, **environment: str) -> Iterator[Tobo]:
    """A server on a state folder (by default a new one, removed afterwards) and a free port."""
    with contextlib.ExitStack() as stack:
        if state is None:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tobo-bench-"))) / "state"
        mark = uuid.uuid4().hex
        command = [sys.executable, "-m", "tobo", "serve", "--port", "0", "--state", str(state)]
        begin = time.monotonic()
        stack.enter_context(_running(command, mark, {"TOBO_WARM": "1" if warm else "0", **environment}))
        announced = state / "server.json"
        _wait(announced.exists, "server.json")
        endpoint = str(json.loads(announced.read_text())["endpoint"])
        _wait(lambda: _answers(f"{endpoint}/_tobo/health"), endpoint)
        started_in = time.monotonic() - begin
        kept = json.loads((state / "credentials.json").read_text())
        yield Tobo(endpoint, mark, (kept["AccessKeyId"], kept["SecretAccessKey"]), state, started_in)


@contextlib.contextmanager
def peer(module: str, *arguments: str) -> Iterator[Peer]:
    """`python -m module arguments port`, once it answers on that port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mark, endpoint = uuid.uuid4().hex, f"http://127.0.0.1:{port}"
    with _running([sys.executable, "-m", module, *arguments, str(port)], mark, {}):
        _wait(lambda: _answers(endpoint), endpoint)
        yield Peer(endpoint, mark)


@contextlib.contextmanager
def _running(command: Sequence[str], mark: str, environment: dict[str, str]) -> Iterator[None]:
    """A process whose whole tree is ended afterwards."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        command,
        env={**inherited, **environment, MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        for pid in marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def moto() -> contextlib.AbstractContextManager[Peer] | None:
    """moto's server, where it is installed."""
    if importlib.util.find_spec("moto") and importlib.util.find_spec("flask"):
        return peer("moto.server", "-p")
    return None


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _wait(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} after a minute")
        time.sleep(0.01)

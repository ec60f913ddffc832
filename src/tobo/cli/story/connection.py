"""The server that the story speaks to: the one that runs on the state folder, or one started for as long as it lasts."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config

from tobo.cli.env import exports
from tobo.cli.sessions import session
from tobo.gateway.account import first_account
from tobo.settings import Settings

START_SECONDS = 60
STOP_SECONDS = 45
CONNECTIONS = 16
"""Requests at a time."""


@dataclass(frozen=True)
class Connection:
    """Where the server is and with which keys; `own` where it was started by us."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str
    own: bool

    def session(self) -> Any:
        """boto3's, with the keys."""
        return session(
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
        )

    def client(self, service: str) -> Any:
        """A boto3 client. Proxies are left aside: the server is on this machine."""
        config = Config(proxies={}, max_pool_connections=CONNECTIONS)
        return self.session().client(service, endpoint_url=self.endpoint, config=config)


@contextlib.contextmanager
def connected(settings: Settings, tls: bool = False) -> Iterator[Connection]:
    """A connection to the state folder's server; one that we start is stopped at the end, its jobs are kept.

    With `tls` it has to serve TLS, too, as devices need it. Raises SystemExit where it does not, or does not start.
    """
    settings = first_account(settings)
    with contextlib.ExitStack() as stack:
        running = _answers(settings.state)
        if not running:
            stack.enter_context(_started(settings.state, ("--tls-port", "0") if tls else ()))
        elif tls and "tls_endpoint" not in json.loads((settings.state / "server.json").read_bytes()):
            raise SystemExit(
                f"The server that runs on {settings.state} serves no TLS, which devices need; stop it, or start it with "
                "`tobo serve --tls-port 8627`."
            )
        found = exports(settings)
        yield Connection(
            found["AWS_ENDPOINT_URL"],
            found["AWS_ACCESS_KEY_ID"],
            found["AWS_SECRET_ACCESS_KEY"],
            found["AWS_DEFAULT_REGION"],
            own=not running,
        )


def _answers(state: Path) -> bool:
    """Whether the server that <state>/server.json announces is in good health."""
    try:
        endpoint = json.loads((state / "server.json").read_bytes())["endpoint"]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint}/_tobo/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, KeyError):
        return False


@contextlib.contextmanager
def _started(state: Path, options: tuple[str, ...] = ()) -> Iterator[None]:
    (state / "server.json").unlink(missing_ok=True)  # a killed server leaves it behind
    log = state / "demo-server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tobo", "serve", "--state", str(state), "--port", "0", *options],
            stdout=out,
            stderr=out,
            env={**os.environ, "TOBO_STATE": str(state)},
            start_new_session=True,  # Ctrl+C is for the story, which then stops the job and the server in this order
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(state):
            if process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise SystemExit(f"The server did not start; the end of {log}:\n{tail}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""The reaper's rules for tests, its client, and its command."""

import subprocess
import sys
from typing import Any

from tests.conftest import Server
from tests.support.own_services import own_client

UNTAGGED = {
    "RuleName": "untagged",
    "Kinds": ["endpoint"],
    "Conditions": {"UntaggedKeys": ["project"]},
    "Action": "PAUSE",
    "GraceMinutes": 0,
}


def reaper(server: Server, keys: tuple[str, str] | None = None) -> Any:
    return own_client(server, "tobo-reaper", keys)


def tobo(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tobo", "reaper", *arguments, "--state", str(server.state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

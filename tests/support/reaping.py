"""The reaper's rules for tests, its client, and its command."""

import subprocess
import sys
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from tests.conftest import Server

from tobo.wire.models import OWN

UNTAGGED = {
    "RuleName": "untagged",
    "Kinds": ["endpoint"],
    "Conditions": {"UntaggedKeys": ["project"]},
    "Action": "PAUSE",
    "GraceMinutes": 0,
}


def reaper(server: Server, keys: tuple[str, str] | None = None) -> Any:
    inner = botocore.session.get_session()
    inner.get_component("data_loader").search_paths.append(str(OWN))
    key, secret = keys or server.keys
    return boto3.session.Session(botocore_session=inner).client(
        "tobo-reaper",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def tobo(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tobo", "reaper", *arguments, "--state", str(server.state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

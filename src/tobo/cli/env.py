"""tobo env: the environment in which boto3, the AWS CLI and the SDKs speak to this server."""

import json
import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from tobo.cli.configure import exports as configured
from tobo.gateway.account import first_account
from tobo.settings import Settings


def running_endpoint(settings: Settings) -> str | None:
    """Where the server of this state folder answers; None while none runs (one that was killed leaves its file behind)."""
    try:
        found = json.loads((settings.state / "server.json").read_bytes())
        os.kill(int(found["pid"]), 0)
        return str(found["endpoint"])
    except PermissionError:
        return str(found["endpoint"])  # somebody else's process, and alive
    except (OSError, ValueError, KeyError):
        return None


def endpoint_of(settings: Settings) -> str:
    """Where the running server of this state folder answers, else where it would."""
    return running_endpoint(settings) or f"http://{settings.host}:{settings.port}"


def exports(settings: Settings) -> dict[str, str]:
    """Variables and their values; `settings` with the account's keys."""
    assert settings.root_access_key_id is not None and settings.root_secret_access_key is not None
    return {
        "AWS_ENDPOINT_URL": endpoint_of(settings),
        "AWS_ACCESS_KEY_ID": settings.root_access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.root_secret_access_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        **configured(settings),
    }


def env(state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None) -> None:
    """Prints what to export: eval "$(tobo env)"."""
    for name, value in exports(first_account(Settings.read(state=state))).items():
        print(f"export {name}={shlex.quote(value)}")

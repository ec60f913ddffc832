"""The commands as clients: which server they speak to, and what they say where it does not answer or refuses."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from tobo.cli.env import exports, running_endpoint
from tobo.cli.sessions import session
from tobo.gateway.account import first_account
from tobo.settings import Settings

REFUSED, NO_SERVER = 1, 3
"""Exit codes besides 0 and typer's 2 for a wrong command line. A job that failed ends with REFUSED, too."""


@dataclass(frozen=True)
class Server:
    """Where it is; `session` is boto3's with the keys."""

    endpoint: str
    session: Any

    def client(self, service: str) -> Any:
        """A boto3 client. Proxies are left aside: a server of one's own is near."""
        from botocore.config import Config

        config = Config(proxies={}, connect_timeout=5, retries={"total_max_attempts": 2}, max_pool_connections=32)
        return self.session.client(service, endpoint_url=self.endpoint, config=config)


def every_page(call: Any, member: str, **asked: Any) -> list[dict[str, Any]]:
    """All that a List operation gives, for services of ours, whose clients have no paginators."""
    found, answer = list[dict[str, Any]](), call(**asked)
    found += answer[member]
    while token := answer.get("NextToken"):
        answer = call(**asked, NextToken=token)
        found += answer[member]
    return found


@contextlib.contextmanager
def speaking(state: Path | None) -> Iterator[Server]:
    """The server of the state folder; without one that the command names, that of the environment (`eval "$(tobo env)"`).

    What goes wrong between here and there ends the command with one sentence and an exit code.
    """
    try:
        import boto3  # noqa: F401 (said here where it is missing)
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
    except ModuleNotFoundError as error:
        fail(f"This command is a boto3 client and misses {error.name}; pip install 'tobo[client]'.")
    server = _server(state)
    try:
        yield server
    except ClientError as error:
        fail(error.response["Error"].get("Message") or str(error))
    except (ConnectionError, HTTPClientError):
        fail(f"No server answers at {server.endpoint}; start it with `tobo serve`.", NO_SERVER)
    except BotoCoreError as error:
        fail(f"The request could not be made: {error}")


def execution_role(iam: Any) -> str:
    """The ARN of the role that the account was born with."""
    roles = iam.list_roles()["Roles"]
    return str(next(role["Arn"] for role in roles if "ExecutionRole" in role["RoleName"]))


def fail(sentence: str, code: int = REFUSED) -> NoReturn:
    """Ends the command."""
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


def _server(state: Path | None) -> Server:
    asked = os.environ.get("AWS_ENDPOINT_URL")
    if state is None and asked:
        return Server(asked, session(region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1")))
    settings = Settings.read(state=state)
    if running_endpoint(settings) is None:
        where = "" if settings.state == Path(".tobo") else f" --state {settings.state}"
        fail(f"No server runs on the state folder {settings.state}; start one with `tobo serve{where}`.", NO_SERVER)
    found = exports(first_account(settings))
    signed = session(
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
        region_name=os.environ.get("AWS_DEFAULT_REGION", found["AWS_DEFAULT_REGION"]),
    )
    return Server(found["AWS_ENDPOINT_URL"], signed)

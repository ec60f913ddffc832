"""tobo logs: what a job or an endpoint has written, and with -f what it writes from now on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tobo.cli.client import REFUSED, fail, speaking
from tobo.cli.job_kinds import KINDS, OVER, Kind
from tobo.cli.output import show_json_line

POLL_SECONDS = 0.3


@dataclass
class Streams:
    """The streams of one job or endpoint, read as far as `tokens` say."""

    logs: Any
    group: str
    prefix: str
    tokens: dict[str, str] = field(default_factory=dict)

    def news(self) -> list[tuple[int, str, str]]:
        """(epoch milliseconds, stream, message) of what has come since the last call, by time."""
        found = [
            (event["timestamp"], stream, event["message"]) for stream in self._names() for event in self._events(stream)
        ]
        return sorted(found, key=lambda line: line[0])

    def _names(self) -> list[str]:
        try:
            pages = self.logs.get_paginator("describe_log_streams").paginate(
                logGroupName=self.group, **({"logStreamNamePrefix": self.prefix} if self.prefix else {})
            )
            return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []  # nothing is written yet

    def _events(self, stream: str) -> Iterator[dict[str, Any]]:
        while True:
            token = self.tokens.get(stream)
            answer = self.logs.get_log_events(
                logGroupName=self.group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            yield from answer["events"]
            self.tokens[stream] = answer["nextForwardToken"]
            if answer["nextForwardToken"] == token:
                return


def logs(
    name: Annotated[str, typer.Argument(help="A training, transform, processing or compilation job, or an endpoint.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job is over.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="With the time before each line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    kind: Annotated[Kind | None, typer.Option(help="Where jobs of several kinds have the name.")] = None,
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
) -> None:
    """Prints the log of a job or an endpoint. With -f it exits 1 unless the job is Completed in the end."""
    with speaking(state) as server:
        sagemaker, client = server.client("sagemaker"), server.client("logs")
        found = _find(sagemaker, name, kind)
        streams = Streams(client, *_place(found, name))
        try:
            while True:
                status = _status(sagemaker, found, name)
                for line in streams.news():
                    _print(line, len(streams.tokens) > 1, timestamps, as_json)
                if not follow or status in OVER or status == "":
                    break
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
    if follow and found is not None and status != "Completed":
        fail(f"{name} is {status or 'deleted'}.", REFUSED)


def _find(sagemaker: Any, name: str, kind: Kind | None) -> Kind | None:
    """The kind of the job, None for an endpoint; ends the command where it is neither."""
    having = [
        one
        for one, of in KINDS.items()
        if of.group and kind in (None, one) and of.describe(sagemaker, name) is not None
    ]
    if len(having) > 1:
        fail(f"There is a {' and a '.join(having)} job '{name}'; say which one you mean with --kind.")
    if not having and kind is None and KINDS[Kind.tuning].describe(sagemaker, name) is not None:
        fail(f"'{name}' is a tuning job; the logs are those of its training jobs: `tobo jobs list --name {name}`.")
    if not having and (kind is not None or _endpoint(sagemaker, name) is None):
        fail(f"There is no job and no endpoint '{name}'; `tobo jobs` lists the jobs.")
    return having[0] if having else None


def _place(found: Kind | None, name: str) -> tuple[str, str]:
    """(log group, prefix of the streams)."""
    return (f"/aws/sagemaker/Endpoints/{name}", "") if found is None else (KINDS[found].group, f"{name}/")


def _status(sagemaker: Any, found: Kind | None, name: str) -> str:
    """ "" once it was deleted."""
    job = _endpoint(sagemaker, name) if found is None else KINDS[found].describe(sagemaker, name)
    if job is None:
        return ""
    return str(job["EndpointStatus"]) if found is None else KINDS[found].status(job)


def _endpoint(sagemaker: Any, name: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" in error.response["Error"].get("Message", ""):
            return None
        raise
    return found


def _print(line: tuple[int, str, str], several: bool, timestamps: bool, as_json: bool) -> None:
    milliseconds, stream, message = line
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    if as_json:
        show_json_line({"time": moment, "stream": stream, "message": message})
        return
    time_text = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S ") if timestamps else ""
    who = f"[{stream.rsplit('/', 1)[-1]}] " if several else ""
    print(f"{time_text}{who}{message}", flush=True)

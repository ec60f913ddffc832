"""tobo jobs: jobs of every kind listed, described, awaited and stopped."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tobo.cli.client import REFUSED, speaking
from tobo.cli.job_kinds import KINDS, OVER, Kind, find_job
from tobo.cli.output import show, show_json, time_of, without_metadata

POLL_SECONDS = 0.5

app = typer.Typer(help="Lists, describes, awaits and stops jobs.", no_args_is_help=False)

StateOption = Annotated[Path | None, typer.Option(help="The server's state folder.")]
KindOption = Annotated[Kind | None, typer.Option(help="Only jobs of this kind.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
NameArgument = Annotated[str, typer.Argument(help="The job's name.")]


@app.callback(invoke_without_command=True)
def jobs(context: typer.Context) -> None:
    """Jobs of every kind; without a command they are listed."""
    if context.invoked_subcommand is None:
        list_jobs()


@app.command("list")
def list_jobs(
    kind: KindOption = None,
    status: Annotated[str | None, typer.Option(help="Only those in this status: InProgress, Completed, ...")] = None,
    name: Annotated[str | None, typer.Option(help="Only those whose name contains this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest ones, so many.")] = 20,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Lists the newest jobs: name, kind, status, when it began and ended."""
    filters = {key: value for key, value in (("StatusEquals", status), ("NameContains", name)) if value}
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        found = [
            (one, summary)
            for one, of in KINDS.items()
            if kind in (None, one)
            for summary in of.summaries(sagemaker, filters, limit)
        ]
    found.sort(key=lambda pair: pair[1]["CreationTime"], reverse=True)
    found = found[:limit]
    if as_json:
        show_json([{"Kind": str(one), **summary} for one, summary in found])
        return
    rows = [
        (
            KINDS[one].name(summary),
            str(one),
            KINDS[one].status(summary),
            time_of(summary["CreationTime"]),
            time_of(KINDS[one].end(summary)),
        )
        for one, summary in found
    ]
    show(Console(highlight=False), ("name", "kind", "status", "created", "ended"), rows)


@app.command()
def describe(
    name: NameArgument, kind: KindOption = None, as_json: JsonOption = False, state: StateOption = None
) -> None:
    """Tells what a job was asked and what became of it."""
    with speaking(state) as server:
        one, job = find_job(server.client("sagemaker"), name, kind)
    if as_json:
        show_json(without_metadata(job))
    else:
        show(Console(highlight=False), ("", ""), _lines(one, job))


@app.command()
def stop(
    names: Annotated[list[str], typer.Argument(help="The jobs' names.")],
    kind: KindOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until they are over.")] = False,
    state: StateOption = None,
) -> None:
    """Stops jobs; what they have so far is kept. One that is over already is left as it is."""
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        stopping = []
        for name in names:
            one, job = find_job(sagemaker, name, kind)
            if KINDS[one].status(job) in OVER:
                print(f"{name} is {KINDS[one].status(job)} already.")
                continue
            if not _stopped(sagemaker, one, name):
                continue
            stopping.append((one, name))
            print(f"{name} is told to stop.")
        for one, name in stopping if wait else ():
            print(f"{name} is {await_end(sagemaker, one, name)[0]}.")


@app.command("wait")
def wait_for(name: NameArgument, kind: KindOption = None, state: StateOption = None) -> None:
    """Waits until a job is over; exits 1 unless it is Completed."""
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        one, _ = find_job(sagemaker, name, kind)
        console = Console(stderr=True)
        with console.status(f"Waiting for {name}"):
            status, reason = await_end(sagemaker, one, name)
    print(f"{name} is {status}{f': {reason}' if reason else '.'}")
    raise typer.Exit(0 if status == "Completed" else REFUSED)


def _stopped(sagemaker: Any, kind: Kind, name: str) -> bool:
    """False where the job's own end came first, between the look at it and the order to stop."""
    from botocore.exceptions import ClientError

    try:
        KINDS[kind].stop(sagemaker, name)
    except ClientError:
        job = KINDS[kind].describe(sagemaker, name)
        if job is None or KINDS[kind].status(job) not in OVER:
            raise
        print(f"{name} is {KINDS[kind].status(job)} already.")
        return False
    return True


def await_end(sagemaker: Any, kind: Kind, name: str) -> tuple[str, str]:
    """(final status, reason of a failure)."""
    while True:
        job = KINDS[kind].describe(sagemaker, name)
        if job is None:
            return "deleted", ""
        if (status := KINDS[kind].status(job)) in OVER:
            return status, job.get("FailureReason", "")
        time.sleep(POLL_SECONDS)


def _lines(kind: Kind, job: dict[str, Any]) -> list[tuple[str, str]]:
    """What people look for first; all of it is in --json."""
    told = [
        ("name", KINDS[kind].name(job)),
        ("kind", str(kind)),
        ("status", KINDS[kind].status(job)),
        ("step", job.get("SecondaryStatus", "")),
        ("reason", job.get("FailureReason", "")),
        ("created", time_of(job["CreationTime"])),
        ("ended", time_of(KINDS[kind].end(job))),
        ("model", job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")),
        ("output", job.get("TransformOutput", {}).get("S3OutputPath", "")),
        ("best", job.get("BestTrainingJob", {}).get("TrainingJobName", "")),
    ]
    told += [
        (f"metric {metric['MetricName']}", f"{metric['Value']:g}") for metric in job.get("FinalMetricDataList", [])
    ]
    told += [(f"hyperparameter {name}", value) for name, value in sorted(job.get("HyperParameters", {}).items())]
    return [(what, text) for what, text in told if text]

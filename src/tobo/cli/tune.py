"""tobo tune: starts a tuning job and follows its trials to the best one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tobo.cli.client import REFUSED, execution_role, fail, speaking
from tobo.cli.job_kinds import OVER
from tobo.cli.output import show, show_json, without_metadata
from tobo.cli.tune_spec import read_pair, read_range, read_spec, request, with_pairs

POLL_SECONDS = 0.3


def tune(
    file: Annotated[
        Path | None,
        typer.Argument(help="What to tune, as .yaml, .toml or .json: channels, ranges, hyperparameters, ..."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The tuning job's name.")] = None,
    image: Annotated[str | None, typer.Option(help="The algorithm; image-classification unless said.")] = None,
    channels: Annotated[
        list[str] | None, typer.Option("--channel", help="train=s3://bucket/train/ (repeat it).")
    ] = None,
    output: Annotated[str | None, typer.Option(help="Where the models go: s3://bucket/models.")] = None,
    tuned: Annotated[
        list[str] | None,
        typer.Option(
            "--range", help="name=low:high, name=low:high:log (linear, reverse-log) or name=a,b,c (repeat it)."
        ),
    ] = None,
    fixed: Annotated[list[str] | None, typer.Option("--set", help="hyperparameter=value (repeat it).")] = None,
    objective: Annotated[str | None, typer.Option(help="The metric; validation:accuracy unless said.")] = None,
    minimize: Annotated[bool, typer.Option("--minimize", help="The smallest value is the best.")] = False,
    strategy: Annotated[str | None, typer.Option(help="Bayesian, Random, Grid or Hyperband.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Trials; 10 unless said.")] = None,
    parallel: Annotated[int | None, typer.Option(min=1, help="Trials at a time; 2 unless said.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same trials.")] = None,
    wait: Annotated[bool, typer.Option(help="Follow the trials to the end.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The end as JSON: the job and its trials.")] = False,
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
) -> None:
    """Tunes hyperparameters. Exits 1 unless the tuning job is Completed; options win over the file."""
    spec = read_spec(file) if file else {}
    given = {
        "name": name,
        "image": image,
        "output": output,
        "objective": objective,
        "goal": "Minimize" if minimize else None,
        "strategy": strategy,
        "jobs": jobs,
        "parallel": parallel,
        "seed": seed,
    }
    spec |= {member: value for member, value in given.items() if value is not None}
    spec = with_pairs(spec, "channels", [read_pair(text, "--channel") for text in channels or ()])
    spec = with_pairs(spec, "ranges", [read_range(text) for text in tuned or ()])
    spec = with_pairs(spec, "hyperparameters", [read_pair(text, "--set") for text in fixed or ()])
    with speaking(state) as server:
        asked = request(spec, execution_role(server.client("iam")))
        sagemaker = server.client("sagemaker")
        sagemaker.create_hyper_parameter_tuning_job(**asked)
        job = asked["HyperParameterTuningJobName"]
        if not wait:
            print(job)
            return
        try:
            described = _follow(sagemaker, job, quiet=as_json)
        except KeyboardInterrupt:
            fail(f"{job} goes on; stop it with `tobo jobs stop {job}`.", 130)
        trials = list(_trials(sagemaker, job))
    _report(described, trials, as_json)
    raise typer.Exit(0 if described["HyperParameterTuningJobStatus"] == "Completed" else REFUSED)


def _follow(sagemaker: Any, job: str, quiet: bool) -> dict[str, Any]:
    """Until it is over: a bar on a terminal, a line a trial in a pipe. Gives the last description."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(highlight=False)
    told: set[str] = set()
    columns = (
        TextColumn("Tuning"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        while True:
            described: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
            total = described["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
            if not progress.task_ids:
                progress.add_task("", total=total)
            for trial in _trials(sagemaker, job):
                if trial["TrainingJobStatus"] in OVER and trial["TrainingJobName"] not in told:
                    told.add(trial["TrainingJobName"])
                    if not quiet:
                        line = (
                            f"{len(told)} of {total}  {_value(trial)}  {_settings(trial)}  {trial['TrainingJobStatus']}"
                        )
                        progress.console.print(line, markup=False, soft_wrap=True)
            best = described.get("BestTrainingJob")
            progress.update(
                progress.task_ids[0], completed=len(told), description=f"best {_value(best)}" if best else ""
            )
            if described["HyperParameterTuningJobStatus"] in OVER:
                return described
            time.sleep(POLL_SECONDS)


def _trials(sagemaker: Any, job: str) -> Iterator[dict[str, Any]]:
    """In the order in which they were made."""
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=job,
        SortBy="CreationTime",
        SortOrder="Ascending",
        PaginationConfig={"PageSize": 100},
    )
    for page in pages:
        yield from page["TrainingJobSummaries"]


def _report(described: dict[str, Any], trials: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json({**without_metadata(described), "TrainingJobSummaries": trials})
        return
    objective = described["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    sign = -1.0 if objective["Type"] == "Maximize" else 1.0
    ranked = sorted(trials, key=lambda trial: (_number(trial) is None, sign * (_number(trial) or 0.0)))
    rows = [
        (trial["TrainingJobName"], _value(trial), _settings(trial), trial["TrainingJobStatus"], _seconds(trial))
        for trial in ranked
    ]
    console = Console(highlight=False)
    show(console, ("trial", objective["MetricName"], "hyperparameters", "status", "seconds"), rows)
    best = described.get("BestTrainingJob")
    status = described["HyperParameterTuningJobStatus"]
    reason = f": {described['FailureReason']}" if "FailureReason" in described else ""
    end = f"best {best['TrainingJobName']} {_value(best)}" if best else "without a best trial"
    console.print(f"{described['HyperParameterTuningJobName']} {status}{reason}, {end}", markup=False, soft_wrap=True)


def _number(trial: dict[str, Any]) -> float | None:
    found = trial.get("FinalHyperParameterTuningJobObjectiveMetric")
    return None if found is None else float(found["Value"])


def _value(trial: dict[str, Any]) -> str:
    number = _number(trial)
    return "-" if number is None else f"{number:.4f}"


def _settings(trial: dict[str, Any]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in sorted(trial["TunedHyperParameters"].items()))


def _short(value: str) -> str:
    """Four digits of a number that has more."""
    try:
        return f"{float(value):.4g}" if "." in value or "e" in value else value
    except ValueError:
        return value


def _seconds(trial: dict[str, Any]) -> str:
    times = (trial.get("TrainingStartTime"), trial.get("TrainingEndTime"))
    return "" if None in times else f"{(times[1] - times[0]).total_seconds():.1f}"  # type: ignore[operator]

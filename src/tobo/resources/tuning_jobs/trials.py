"""Trials: the training jobs of a tuning job, as its row keeps them; their summaries, counters and the best of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tobo.resources.tuning_jobs.objective import Objective
from tobo.resources.tuning_jobs.searches import Search
from tobo.store.base import Row

RUNNING = frozenset({"InProgress", "Stopping"})
OVER = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True)
class Trial:
    """`number` counts from 1 and stays when an interrupted trial is run again as another training job (`attempt`).

    `status` is a TrainingJobStatus, or Planned: written down, and perhaps created already. `epochs` are the values of
    the objective that the stopping rules have seen, `value` is its last one.
    """

    number: int
    search: int
    parameters: Mapping[str, str]
    job: str
    attempt: int = 0
    status: str = "Planned"
    arn: str = ""
    times: Mapping[str, float] = field(default_factory=dict)
    value: float | None = None
    reason: str = ""
    epochs: int = 0

    @property
    def succeeded(self) -> bool:
        return self.status in ("Completed", "Stopped") and self.value is not None


def trials_of(row: Row) -> list[Trial]:
    """In the order of their numbers."""
    return [Trial(**kept) for kept in row.found.get("_trials", [])]


def kept(trials: Sequence[Trial]) -> dict[str, Any]:
    """What to write into `found`; `_trials` is ours, no member of the AWS shape, so no client sees it."""
    return {"_trials": [asdict(trial) for trial in trials]}


def job_name(row: Row, number: int, attempt: int) -> str:
    """<tuning job>-<number>-<hash>; the hash differs for a tuning job that was deleted and made anew."""
    seal = hashlib.blake2s(f"{row.id}/{number}/{attempt}".encode(), digest_size=4).hexdigest()
    return f"{row.key.name}-{number:03d}-{seal}"


def interrupted(trial: Trial) -> bool:
    """Failed by no fault of its own: the machine was started anew, or its process' record is gone."""
    return trial.status == "Failed" and (
        "InternalServerError" in trial.reason or "vanished without a record" in trial.reason
    )


def best(trials: Sequence[Trial], searches: Sequence[Search]) -> Trial | None:
    """The first of those with the largest gain; None while no trial has a value at its end."""
    done = [trial for trial in trials if trial.succeeded]
    return max(done, key=lambda trial: gain(trial, searches), default=None)


def gain(trial: Trial, searches: Sequence[Search]) -> float:
    """The value of a trial that has one, the larger the better."""
    assert trial.value is not None
    return searches[trial.search].objective.gain(trial.value)


def not_improving(trials: Sequence[Trial], searches: Sequence[Search]) -> int:
    """Trials that were over after the best one's end and are not better."""
    top = best(trials, searches)
    if top is None:
        return 0
    end = top.times.get("TrainingEndTime", 0.0)
    return sum(trial.status in OVER and trial.times.get("TrainingEndTime", 0.0) > end for trial in trials)


def summary(row: Row, trial: Trial, searches: Sequence[Search]) -> dict[str, Any]:
    """A HyperParameterTrainingJobSummary."""
    search = searches[trial.search]
    told: dict[str, Any] = {
        "TrainingJobName": trial.job,
        "TrainingJobArn": trial.arn,
        "TuningJobName": row.key.name,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": trial.parameters,
        "ObjectiveStatus": _objective_status(trial),
        **trial.times,
    }
    if search.name:
        told["TrainingJobDefinitionName"] = search.name
    if trial.value is not None and trial.status in OVER:
        told["FinalHyperParameterTuningJobObjectiveMetric"] = _final(search.objective, trial.value)
    if trial.reason:
        told["FailureReason"] = trial.reason
    return told


def counters(trials: Sequence[Trial]) -> dict[str, Any]:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    created = [trial for trial in trials if trial.status != "Planned"]
    statuses = [trial.status for trial in created]
    objectives = [_objective_status(trial) for trial in created]
    again = sum(interrupted(trial) for trial in created)
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(status in RUNNING for status in statuses),
            "RetryableError": again,
            "NonRetryableError": statuses.count("Failed") - again,
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
    }


def _objective_status(trial: Trial) -> str:
    if trial.status not in OVER:
        return "Pending"
    return "Succeeded" if trial.succeeded else "Failed"


def _final(objective: Objective, value: float) -> dict[str, Any]:
    return {**objective.asked(), "Value": value}

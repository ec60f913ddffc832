"""What the controller does for a tuning job: one look at all trials, again and again; safe to repeat at any point.

A trial is written down before its training job is created, under a name of its own, so that a server killed in between
neither loses nor doubles it. Training jobs outlive the server, so trials go on meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tobo.operations.context import Context
from tobo.operations.machine import Again, Happened, Machine, Outcome, register
from tobo.resources.tuning_jobs import states
from tobo.resources.tuning_jobs.api import KIND
from tobo.resources.tuning_jobs.objective import behind_median, brackets, cut_at_rung, rungs
from tobo.resources.tuning_jobs.running import create, exists, follow, gains, is_running, stop
from tobo.resources.tuning_jobs.searches import Search, budget, resources, searches_of, share
from tobo.resources.tuning_jobs.strategies import History, suggest
from tobo.resources.tuning_jobs.trials import (
    OVER,
    Trial,
    best,
    gain,
    job_name,
    kept,
    not_improving,
    trials_of,
)
from tobo.resources.tuning_jobs.warm_start import standardized
from tobo.store.base import Row

POLL_SECONDS = 0.05
"""Between two looks: half of it is what a trial waits for the next one to begin."""

GIVE_UP = 5
"""Failed trials without a single good one, after which there is no hope for the rest."""


def tune(context: Context, row: Row) -> Outcome:
    """Follows the trials, ends what does badly, decides whether that is all, and plans the next ones."""
    found = searches_of(row)
    before = trials_of(row)
    trials = [follow(context, row, trial, found) if is_running(trial) else trial for trial in before]
    trials = [create(context, row, trial, found) if trial.status == "Planned" else trial for trial in trials]
    trials = _stop_hopeless(context, row, trials, found)
    if (end := _end(row, trials, found, context.clock.now())) is not None:
        event, message = end
        return Happened(event, kept(trials), message)
    planned = _plan(row, trials, found)
    if planned:
        return Again(0.0, kept([*trials, *planned]))
    return Again(POLL_SECONDS, kept(trials) if trials != before else None)


def stop_trials(context: Context, row: Row) -> Outcome:
    """Until none runs any more; what was planned and never created is forgotten."""
    found = searches_of(row)
    before = trials_of(row)
    trials = []
    for trial in before:
        if trial.status == "Planned":
            if not exists(context, row, trial):
                continue
            trial = replace(trial, status="InProgress")
        if is_running(trial):
            trial = stop(context, row, follow(context, row, trial, found))
        if trial.status != "Planned":
            trials.append(trial)
    if not any(is_running(trial) for trial in trials):
        return Happened("stopped", kept(trials))
    return Again(POLL_SECONDS, kept(trials) if trials != before else None)


def _end(row: Row, trials: Sequence[Trial], found: Sequence[Search], now: float) -> tuple[str, str] | None:
    """(event, message) where there is nothing more to do, or nothing more allowed."""
    config = row.asked["HyperParameterTuningJobConfig"]
    over = [trial for trial in trials if trial.status in OVER]
    top = best(trials, found)
    if top is None and (len(over) >= budget(row.asked, found) or len(over) >= GIVE_UP):
        reasons = [trial.reason for trial in over if trial.reason]
        first = reasons[0] if reasons else f"No training job printed '{found[0].objective.metric}' before it ended."
        return "failed", f"No training job of {len(over)} succeeded. The first reason: {first}"
    if len(over) >= budget(row.asked, found):
        return "finished", ""
    if now - row.created > config["ResourceLimits"].get("MaxRuntimeInSeconds", float("inf")):
        return "time_up", "MaxRuntimeInSeconds is over"
    criteria: Mapping[str, Any] = config.get("TuningJobCompletionCriteria", {})
    target = criteria.get("TargetObjectiveMetricValue")
    if top is not None and target is not None and gain(top, found) >= found[top.search].objective.gain(target):
        return "reached", f"The objective has reached {target:g}"
    patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    if patience is not None and not_improving(trials, found) >= patience:
        return "reached", f"The objective has not improved in {patience} training jobs"
    return None


def _plan(row: Row, trials: Sequence[Trial], found: Sequence[Search]) -> list[Trial]:
    """New trials for the free places."""
    config = row.asked["HyperParameterTuningJobConfig"]
    width = config["ResourceLimits"]["MaxParallelTrainingJobs"]
    limit = budget(row.asked, found)
    planned: list[Trial] = []
    while True:
        all_trials = [*trials, *planned]
        active = sum(trial.status not in OVER for trial in all_trials)
        number = len(all_trials)
        if active >= width or number >= limit:
            return planned
        known: Sequence[Trial] = trials
        if "RandomSeed" in config and config["Strategy"] == "Bayesian":
            # The same seed gives the same course only where a suggestion does not depend on which of two ends first.
            known = trials[: max(number - width + 1, 0)]
            if any(trial.status not in OVER for trial in known):
                return planned
        index, place = share(row.asked, found, number)
        history = _history(row, index, known, all_trials, found)
        share_of = -(-limit // len(found))
        seed = row.found["_seed"] + index
        parameters = suggest(config["Strategy"], found[index].axes, place, seed, history, share_of)
        planned.append(Trial(number + 1, index, parameters, job_name(row, number + 1, 0)))


def _history(
    row: Row, index: int, known: Sequence[Trial], all_trials: Sequence[Trial], found: Sequence[Search]
) -> History:
    """Of one search; under TransferLearning its own gains are standardized as those of the parents are."""
    done = [trial for trial in known if trial.search == index and trial.succeeded]
    numbers = {trial.number for trial in known if trial.status in OVER}
    own = [gain(trial, found) for trial in done]
    if row.asked.get("WarmStartConfig", {}).get("WarmStartType") == "TransferLearning":
        own = standardized(own)
    return History(
        observed=[(dict(trial.parameters), value) for trial, value in zip(done, own, strict=True)],
        pending=[
            dict(trial.parameters) for trial in all_trials if trial.search == index and trial.number not in numbers
        ],
        inherited=[(parameters, value) for parameters, value in row.found.get("_inherited", [])],
    )


def _stop_hopeless(context: Context, row: Row, trials: Sequence[Trial], found: Sequence[Search]) -> list[Trial]:
    """Stops running trials by the median rule or at a rung of Hyperband, when they have printed a new value."""
    config = row.asked["HyperParameterTuningJobConfig"]
    by_median = config.get("TrainingJobEarlyStoppingType") == "Auto"
    by_rung = config["Strategy"] == "Hyperband"
    if not by_median and not by_rung:
        return list(trials)
    looked = []
    for trial in trials:
        if trial.status == "InProgress":
            search = found[trial.search]
            own = gains(context, row, trial, search)
            if len(own) > trial.epochs:
                hopeless = (
                    _cut(context, row, trial, own, trials, found)
                    if by_rung
                    else behind_median(own, _finished(context, row, trial, trials, search))
                )
                trial = replace(stop(context, row, trial) if hopeless else trial, epochs=len(own))
        looked.append(trial)
    return looked


def _finished(context: Context, row: Row, trial: Trial, trials: Sequence[Trial], search: Search) -> list[list[float]]:
    others = [other for other in trials if other.search == trial.search and other.status == "Completed"]
    return [values for other in others if (values := gains(context, row, other, search))]


def _cut(
    context: Context,
    row: Row,
    trial: Trial,
    own: Sequence[float],
    trials: Sequence[Trial],
    found: Sequence[Search],
) -> bool:
    search = found[trial.search]
    least, most = resources(row.asked["HyperParameterTuningJobConfig"], search)
    count = brackets(least, most)

    def bracket(of: Trial) -> int:
        return share(row.asked, found, of.number - 1)[1] % count

    rivals = [
        gains(context, row, other, search)
        for other in trials
        if other.number != trial.number and other.search == trial.search and bracket(other) == bracket(trial)
    ]
    return cut_at_rung(trial.epochs, own, rivals, rungs(least, most, bracket(trial)))


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(tune, stop_trials),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, now, message),
    )
)

"""The operations on tuning jobs. Source of members and errors: API reference, Create/Describe/...HyperParameterTuningJob."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_rows, page_of
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.tuning_jobs import states
from tobo.resources.tuning_jobs.listing import listed
from tobo.resources.tuning_jobs.named import made_algorithms
from tobo.resources.tuning_jobs.running import resource_config
from tobo.resources.tuning_jobs.searches import MADE, Search, check_request, searches, searches_of
from tobo.resources.tuning_jobs.trials import best, counters, gain, not_improving, summary, trials_of
from tobo.resources.tuning_jobs.warm_start import inherit
from tobo.store.base import Row

KIND = "hyper-parameter-tuning-job"

OBJECTIVE = "_tuning_objective_metric"
"""A static hyperparameter that SageMaker adds to what was asked."""


@operation("sagemaker", "CreateHyperParameterTuningJob")
def create_tuning_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the controller does the rest. Raises Fault ResourceInUse, ResourceNotFound, ValidationException."""
    made = made_algorithms(call, asked)
    check_request(asked, made)
    config = asked["HyperParameterTuningJobConfig"]
    found: dict[str, Any] = {"_seed": config.get("RandomSeed", secrets.randbits(31))}
    if made:
        found[MADE] = made
    if warm := asked.get("WarmStartConfig"):
        names = [parent.get("HyperParameterTuningJobName", "") for parent in warm["ParentHyperParameterTuningJobs"]]
        parents = [known_row(call, KIND, name, _missing) for name in names]
        found |= inherit(warm, parents, searches(asked, made))
    row = add_row(
        call,
        KIND,
        asked["HyperParameterTuningJobName"],
        asked,
        _taken,
        state="Tuning",
        status="InProgress",
        found=found,
        todo=("tune",),
    )
    return {"HyperParameterTuningJobArn": row.arn}


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe_tuning_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read; counters and the best job are reckoned from the trials that the row keeps."""
    row = JOBS.row(call, asked)
    found, trials = searches_of(row), trials_of(row)
    told = {**row.asked, **row.found, **_definitions(row, found), **_head(row)}
    config = row.asked["HyperParameterTuningJobConfig"]
    told["HyperParameterTuningJobConfig"] = {"TrainingJobEarlyStoppingType": "Off", **config}
    told["TuningJobCompletionDetails"] = {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(trials, found)}
    end = row.found.get("HyperParameterTuningEndTime", call.now)
    told["ConsumedResources"] = {"RuntimeInSeconds": max(round(end - row.created), 0)}
    if (top := best(trials, found)) is not None:
        told["BestTrainingJob"] = summary(row, top, found)
    told |= _overall_best(row, told.get("BestTrainingJob"), gain(top, found) if top else float("-inf"))
    return told


@operation("sagemaker", "ListHyperParameterTuningJobs")
def list_tuning_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name and descending unless asked otherwise, as the API reference says."""
    asked = {"SortBy": "Name", **asked}
    return list_rows(call, KIND, asked, "HyperParameterTuningJobSummaries", _summary)


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_trials(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The training jobs that were created, by name and ascending unless asked otherwise."""
    row = JOBS.row(call, asked)
    found = searches_of(row)
    page, more = page_of(listed(trials_of(row), asked), "tuning-trials", asked, 10)
    return {"TrainingJobSummaries": [summary(row, trial, found) for trial in page], **more}


@operation("sagemaker", "StopHyperParameterTuningJob")
def stop_tuning_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Stops the running training jobs; what is over stays. Stopping a stopping job changes nothing."""
    return JOBS.stop(call, asked)


@operation("sagemaker", "DeleteHyperParameterTuningJob")
def delete_tuning_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Forgets a tuning job that is over; its training jobs, models and logs stay. Raises Fault ResourceInUse."""
    return JOBS.delete(call, asked)


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"There is a hyperparameter tuning job of this name already ({arn}); choose another.")


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"There is no hyperparameter tuning job {arn}; list them for their names.")


def _overall_best(row: Row, own: dict[str, Any] | None, own_gain: float) -> dict[str, Any]:
    """The best of this job and of its parents, where they had the same data and algorithm."""
    if row.asked.get("WarmStartConfig", {}).get("WarmStartType") != "IdenticalDataAndAlgorithm":
        return {}
    theirs = row.found.get("_parents_best")
    if theirs is not None and row.found["_parents_gain"] > own_gain:
        return {"OverallBestTrainingJob": theirs}
    return {"OverallBestTrainingJob": own} if own else {}


def _definitions(row: Row, found: Sequence[Search]) -> dict[str, Any]:
    several = "TrainingJobDefinitions" in row.asked
    told = [_definition(search) for search in found]
    return {"TrainingJobDefinitions": told} if several else {"TrainingJobDefinition": told[0]}


def _definition(search: Search) -> dict[str, Any]:
    """A training-job definition as asked, with what HyperparameterTuner.attach of the SDK indexes without asking."""
    asked = search.definition
    specification = asked["AlgorithmSpecification"]
    if search.algorithm is not None:
        printed = [{"Name": metric.name, "Regex": metric.regex} for metric in search.algorithm.metrics]
        specification = {**specification, "MetricDefinitions": printed}
    return {
        **asked,
        "AlgorithmSpecification": specification,
        "StaticHyperParameters": {**asked.get("StaticHyperParameters", {}), OBJECTIVE: search.objective.metric},
        "OutputDataConfig": {"KmsKeyId": "", **asked["OutputDataConfig"]},
        **resource_config(asked),
    }


def _head(row: Row) -> dict[str, Any]:
    return {**JOBS.head(row), **counters(trials_of(row))}


def _summary(row: Row) -> dict[str, Any]:
    config = row.asked["HyperParameterTuningJobConfig"]
    name = "HyperParameterTuningEndTime"
    end = {name: row.found[name]} if name in row.found else {}
    return {**_head(row), "Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"], **end}


JOBS = Jobs("HyperParameterTuningJob", KIND, "tuning job", states.TERMINAL, _missing)

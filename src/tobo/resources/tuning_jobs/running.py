"""Trials as training jobs: created, followed and stopped through the training jobs' own operations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.resources.tuning_jobs.searches import Search, static_hyperparameters
from tobo.resources.tuning_jobs.trials import RUNNING, Trial, interrupted, job_name
from tobo.store.base import Row
from tobo.telemetry.base import MetricName

NAMESPACE = "/aws/sagemaker/TrainingJobs"
"""Where the metrics of training jobs are, with the dimension TrainingJobName."""

_COPIED = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)


def create(context: Context, row: Row, trial: Trial, searches: Sequence[Search]) -> Trial:
    """The planned trial's training job; safe to repeat, since its name is the trial's own.

    A request that is refused makes a failed trial with the refusal as its reason.
    """
    asked = training_request(row, trial, searches[trial.search])
    try:
        _sagemaker(context, row, "CreateTrainingJob", **asked)
    except Fault as fault:
        if fault.code != "ResourceInUse":
            at = context.clock.now()
            arn = row.arn.replace(f":hyper-parameter-tuning-job/{row.key.name}", f":training-job/{trial.job}")
            times = {"CreationTime": at, "TrainingEndTime": at}
            return replace(trial, status="Failed", arn=arn, times=times, reason=fault.message[:1024])
    return follow(context, row, replace(trial, status="InProgress"), searches)


def follow(context: Context, row: Row, trial: Trial, searches: Sequence[Search]) -> Trial:
    """What the trial's training job has come to; one that was interrupted is planned again under the same number."""
    try:
        job = _sagemaker(context, row, "DescribeTrainingJob", TrainingJobName=trial.job)
    except Fault:
        ended = {"CreationTime": context.clock.now(), **trial.times, "TrainingEndTime": context.clock.now()}
        return replace(trial, status="Failed", times=ended, reason=f"The training job '{trial.job}' was deleted.")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    times = ("CreationTime", "TrainingStartTime", "TrainingEndTime")
    metric = searches[trial.search].objective.metric
    reason = job.get("FailureReason", "")
    if job["TrainingJobStatus"] == "Completed" and metric not in metrics:
        reason = f"The objective metric '{metric}' was not found in the log of the training job '{trial.job}'."
    followed = replace(
        trial,
        status=job["TrainingJobStatus"],
        arn=job["TrainingJobArn"],
        times={name: job[name] for name in times if name in job},
        value=metrics.get(metric),
        reason=reason,
    )
    attempts = searches[trial.search].definition.get("RetryStrategy", {}).get("MaximumRetryAttempts", 1)
    if interrupted(followed) and trial.attempt < attempts:
        again = trial.attempt + 1
        return Trial(trial.number, trial.search, trial.parameters, job_name(row, trial.number, again), again, epochs=0)
    return followed


def stop(context: Context, row: Row, trial: Trial) -> Trial:
    """Asks the trial's training job to stop; one that is over stays as it is."""
    if trial.status != "InProgress":
        return trial
    try:
        _sagemaker(context, row, "StopTrainingJob", TrainingJobName=trial.job)
    except Fault:
        return trial  # it is over: the next look says how
    return replace(trial, status="Stopping")


def exists(context: Context, row: Row, trial: Trial) -> bool:
    """Whether a planned trial's training job was created already."""
    try:
        _sagemaker(context, row, "DescribeTrainingJob", TrainingJobName=trial.job)
    except Fault:
        return False
    return True


def gains(context: Context, row: Row, trial: Trial, search: Search) -> list[float]:
    """The objective's values so far, one an epoch, the larger the better."""
    series = MetricName(NAMESPACE, search.objective.metric, {"TrainingJobName": trial.job})
    begin = trial.times.get("CreationTime", row.created)
    observed = context.metrics.values(row.key.space, series, begin - 1, context.clock.now() + 1)
    return [search.objective.gain(value.value) for value in observed]


def is_running(trial: Trial) -> bool:
    return trial.status in RUNNING


def training_request(row: Row, trial: Trial, search: Search) -> dict[str, Any]:
    """CreateTrainingJob's members. TuningJobArn is what DescribeTrainingJob answers; no client can send it."""
    definition = search.definition
    asked: dict[str, Any] = {member: definition[member] for member in _COPIED if member in definition}
    asked["TrainingJobName"] = trial.job
    asked["TuningJobArn"] = row.arn
    asked["AlgorithmSpecification"] = dict(definition["AlgorithmSpecification"])
    asked["HyperParameters"] = {**static_hyperparameters(definition), **trial.parameters}
    asked |= resource_config(definition)
    if checkpoint := definition.get("CheckpointConfig"):
        # A folder each: trials that went on from one another's checkpoints would not be compared.
        uri = checkpoint["S3Uri"].rstrip("/")
        asked["CheckpointConfig"] = {**checkpoint, "S3Uri": f"{uri}/{trial.job}"}
    if row.tags:
        asked["Tags"] = [{"Key": key, "Value": value} for key, value in row.tags.items()]
    return asked


def resource_config(definition: Mapping[str, Any]) -> dict[str, Any]:
    """{"ResourceConfig": ...} where the definition gives HyperParameterTuningResourceConfig in its place; {} where not."""
    machine = definition.get("HyperParameterTuningResourceConfig")
    if not machine:
        return {}
    wanted = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    given = {name: machine[name] for name in wanted if name in machine}
    return {"ResourceConfig": {"InstanceCount": 1, "VolumeSizeInGB": 1, **given}}


def _sagemaker(context: Context, row: Row, operation: str, **asked: Any) -> Any:
    space = row.key.space
    return context.as_house(space, "sagemaker", operation, **asked)

"""Tuning jobs as a boto3 user makes them, on the small photo sets of tests/support/jobs.py."""

import time
from typing import Any

from tests.support.jobs import QUICK, training_job

LEARNING_RATE = {"Name": "learning_rate", "MinValue": "0.00001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
MOMENTUM = {"Name": "momentum", "MinValue": "0.8", "MaxValue": "0.99", "ScalingType": "ReverseLogarithmic"}
STATIC = {name: value for name, value in QUICK.items() if name != "learning_rate"} | {"epochs": "1"}


def definition(bucket: str, **changed: Any) -> dict[str, Any]:
    """A HyperParameterTrainingJobDefinition; `changed` replaces members."""
    job = training_job("any", bucket)
    return {
        "AlgorithmSpecification": job["AlgorithmSpecification"],
        "RoleArn": job["RoleArn"],
        "InputDataConfig": job["InputDataConfig"],
        "OutputDataConfig": job["OutputDataConfig"],
        "ResourceConfig": job["ResourceConfig"],
        "StoppingCondition": job["StoppingCondition"],
        "StaticHyperParameters": STATIC,
        **changed,
    }


def tuning_job(name: str, bucket: str, jobs: int = 2, parallel: int = 2, **changed: Any) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob request: the learning rate, at random; `changed` replaces members of the config."""
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
        "ParameterRanges": {"ContinuousParameterRanges": [LEARNING_RATE]},
        **changed,
    }
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition(bucket),
    }


def await_tuning(sagemaker: Any, name: str, seconds: float = 90) -> dict[str, Any]:
    """Describes until the tuning job is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        told: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if told["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped"):
            return told
        time.sleep(0.05)
    raise AssertionError(
        f"{name} is still {told['HyperParameterTuningJobStatus']}: {told['TrainingJobStatusCounters']}"
    )


def trials(sagemaker: Any, name: str, **asked: Any) -> list[dict[str, Any]]:
    """All training jobs of a tuning job, through the paginator."""
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = pages.paginate(HyperParameterTuningJobName=name, **asked)
    return [summary for page in found for summary in page["TrainingJobSummaries"]]

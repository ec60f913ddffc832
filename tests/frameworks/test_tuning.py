"""A tuning job over a script of the user's own: its objective is found by the regular expression that comes with it."""

import time

import pytest
from tests.conftest import Server
from tests.support.jobs import ROLE
from tests.support.own_code import script_job

pytestmark = pytest.mark.xdist_group("own-code")

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--kind")
given = parser.parse_args()
assert given.kind == "a b"
print(f"score={1 - (given.rate - 0.25) ** 2:.4f}")
"""


def test_scripts_are_tuned(server: Server) -> None:
    sagemaker, job = server.client("sagemaker"), script_job(server, "scripted", {"train.py": SCRIPT}, {"kind": "a b"})
    specification = {**job["AlgorithmSpecification"], "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*)"}]}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="scripted",
        HyperParameterTuningJobConfig={
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "rate", "Values": ["0.2", "0.9"]}]},
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": specification,
            "RoleArn": ROLE,
            "StaticHyperParameters": job["HyperParameters"],
            "OutputDataConfig": job["OutputDataConfig"],
            "ResourceConfig": job["ResourceConfig"],
            "StoppingCondition": job["StoppingCondition"],
        },
    )
    deadline = time.monotonic() + 90
    while True:
        tuned = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="scripted")
        if tuned["HyperParameterTuningJobStatus"] != "InProgress":
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert tuned["HyperParameterTuningJobStatus"] == "Completed", tuned.get("FailureReason")
    assert tuned["TrainingJobStatusCounters"]["Completed"] == 2
    assert tuned["BestTrainingJob"]["TunedHyperParameters"] == {"rate": "0.2"}

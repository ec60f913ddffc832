"""Tuning jobs through boto3 against the real server: what is found, told, stopped, refused and survives a kill -9."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import upload_photos, wait_for_line
from tests.support.processes import running, until
from tests.support.tuning import LEARNING_RATE, MOMENTUM, STATIC, await_tuning, definition, trials, tuning_job

pytestmark = pytest.mark.xdist_group("training")
BUCKET = "tuning-photos"


@pytest.fixture
def sagemaker(warm_server: Server) -> Any:
    if BUCKET not in {bucket["Name"] for bucket in warm_server.client("s3").list_buckets()["Buckets"]}:
        upload_photos(warm_server, BUCKET)
    return warm_server.client("sagemaker")


def test_the_talks_case(sagemaker: Any) -> None:
    """learning_rate logarithmic, momentum reverse-logarithmic, 10 jobs, 2 at a time, on accuracy."""
    ranges = {"ContinuousParameterRanges": [LEARNING_RATE, MOMENTUM]}
    asked = tuning_job("talk", BUCKET, 10, 2, Strategy="Bayesian", ParameterRanges=ranges, RandomSeed=1)
    arn = sagemaker.create_hyper_parameter_tuning_job(**asked)["HyperParameterTuningJobArn"]
    told = await_tuning(sagemaker, "talk")
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert told["TrainingJobStatusCounters"] == {
        "Completed": 10,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert told["ObjectiveStatusCounters"] == {"Succeeded": 10, "Pending": 0, "Failed": 0}
    assert told["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"
    # what SageMaker adds, and HyperparameterTuner.attach of the SDK counts on
    definition = told["TrainingJobDefinition"]
    assert definition["StaticHyperParameters"] == {**STATIC, "_tuning_objective_metric": "validation:accuracy"}
    metrics = definition["AlgorithmSpecification"]["MetricDefinitions"]
    assert "validation:accuracy" in [metric["Name"] for metric in metrics]
    listed = trials(sagemaker, "talk", SortBy="FinalObjectiveMetricValue", SortOrder="Descending", MaxResults=3)
    values = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in listed]
    assert len(values) == 10 and values == sorted(values, reverse=True)
    best = told["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == values[0]
    for trial in listed:
        tuned = {name: float(value) for name, value in trial["TunedHyperParameters"].items()}
        assert 1e-5 <= tuned["learning_rate"] <= 0.1 and 0.8 <= tuned["momentum"] <= 0.99
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == arn
    assert job["HyperParameters"] == {**STATIC, **best["TunedHyperParameters"]}
    assert best["TrainingEndTime"] > best["TrainingStartTime"]
    busy = [(trial["CreationTime"], trial["TrainingEndTime"]) for trial in listed]
    assert all(sum(begin <= at < end for begin, end in busy) <= 2 for at, _ in busy)


def test_lists_sort_filter_and_page(sagemaker: Any) -> None:
    for name in ("list-b", "list-a"):
        sagemaker.create_hyper_parameter_tuning_job(**tuning_job(name, BUCKET, 3, 2))
        await_tuning(sagemaker, name)
    for by, key in (("Name", "TrainingJobName"), ("CreationTime", "CreationTime"), ("Status", "TrainingJobStatus")):
        for order, reverse in (("Ascending", False), ("Descending", True)):
            found = [trial[key] for trial in trials(sagemaker, "list-a", SortBy=by, SortOrder=order, MaxResults=2)]
            assert len(found) == 3 and found == sorted(found, reverse=reverse), (by, order)
    assert trials(sagemaker, "list-a", StatusEquals="Failed") == []
    assert len(trials(sagemaker, "list-a", StatusEquals="Completed")) == 3
    page = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="list-", SortOrder="Ascending", MaxResults=1)
    [first] = page["HyperParameterTuningJobSummaries"]
    assert first["HyperParameterTuningJobName"] == "list-a" and first["Strategy"] == "Random"
    assert first["TrainingJobStatusCounters"]["Completed"] == 3
    rest = sagemaker.list_hyper_parameter_tuning_jobs(
        NameContains="list-", SortOrder="Ascending", MaxResults=1, NextToken=page["NextToken"]
    )
    assert [job["HyperParameterTuningJobName"] for job in rest["HyperParameterTuningJobSummaries"]] == ["list-b"]
    request = {"HyperParameterTuningJobName": "list-a", "MaxResults": 1}
    token = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**request)["NextToken"]
    for wrong in ({**request, "NextToken": "no-token"}, {**request, "SortBy": "Status", "NextToken": token}):
        with pytest.raises(ClientError, match="NextToken"):
            sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**wrong)
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="list-b")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="list-b")


def test_stop_stops_the_trials(sagemaker: Any) -> None:
    asked = tuning_job("stopped", BUCKET, 4, 2)
    asked["TrainingJobDefinition"]["StaticHyperParameters"] = {**STATIC, "epochs": "100000"}
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    until(lambda: len(trials(sagemaker, "stopped")) == 2)
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_hyper_parameter_tuning_job(**asked)
    with pytest.raises(ClientError, match="stop it and wait"):
        sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")
    told = await_tuning(sagemaker, "stopped")
    assert told["HyperParameterTuningJobStatus"] == "Stopped"
    assert told["TrainingJobStatusCounters"]["Stopped"] == 2
    assert {trial["TrainingJobStatus"] for trial in trials(sagemaker, "stopped")} == {"Stopped"}
    with pytest.raises(ClientError, match="status Stopped"):
        sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")


def test_the_target_value_ends_it(sagemaker: Any) -> None:
    asked = tuning_job("target", BUCKET, 20, 1, TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.01})
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    told = await_tuning(sagemaker, "target")
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert told["TrainingJobStatusCounters"]["Completed"] < 20


@pytest.mark.parametrize(
    ("name", "changed", "reason"),
    [
        ("no-data", {"InputDataConfig": "s3://tuning-photos/nothing/"}, "there is no object at"),
        ("no-metric", {"validation": False}, "'validation:accuracy' was not found"),
        ("bad-static", {"StaticHyperParameters": {**STATIC, "num_classes": "9"}}, "num_classes=9"),
    ],
)
def test_all_trials_failing_fails_with_the_first_reason(
    sagemaker: Any, name: str, changed: dict[str, Any], reason: str
) -> None:
    asked = tuning_job(name, BUCKET, 2, 2)
    job = asked["TrainingJobDefinition"]
    if "InputDataConfig" in changed:
        job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = changed["InputDataConfig"]
    if "validation" in changed:
        job["InputDataConfig"] = job["InputDataConfig"][:1]
    job["StaticHyperParameters"] = changed.get("StaticHyperParameters", STATIC)
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    told = await_tuning(sagemaker, name)
    assert told["HyperParameterTuningJobStatus"] == "Failed"
    assert reason in told["FailureReason"]
    assert "BestTrainingJob" not in told
    assert told["ObjectiveStatusCounters"]["Failed"] == 2
    assert reason in trials(sagemaker, name)[0]["FailureReason"]


def test_a_grid_over_two_definitions_and_a_warm_start_from_it(sagemaker: Any) -> None:
    objective = {"Type": "Maximize", "MetricName": "validation:accuracy"}
    ranges = {"CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["sgd", "adam"]}]}
    one = definition(BUCKET, DefinitionName="one", TuningObjective=objective, HyperParameterRanges=ranges)
    two = {**one, "DefinitionName": "two", "StaticHyperParameters": {**STATIC, "mini_batch_size": "20"}}
    limits = {"MaxParallelTrainingJobs": 2}
    asked = {
        "HyperParameterTuningJobName": "grid",
        "HyperParameterTuningJobConfig": {"Strategy": "Grid", "ResourceLimits": limits},
        "TrainingJobDefinitions": [one, two],
        "Tags": [{"Key": "line", "Value": "7"}],
    }
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    told = await_tuning(sagemaker, "grid")
    found = [
        (trial["TrainingJobDefinitionName"], trial["TunedHyperParameters"]["optimizer"])
        for trial in trials(sagemaker, "grid")
    ]
    assert found == [("one", "sgd"), ("one", "adam"), ("two", "sgd"), ("two", "adam")]
    tags = sagemaker.list_tags(ResourceArn=trials(sagemaker, "grid")[0]["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "line", "Value": "7"}]

    child = tuning_job("child", BUCKET, 1, 1, Strategy="Bayesian", ParameterRanges=ranges)
    child["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "grid"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    sagemaker.create_hyper_parameter_tuning_job(**child)
    warm = await_tuning(sagemaker, "child")
    assert warm["HyperParameterTuningJobStatus"] == "Completed"
    values = [
        job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for job in (told["BestTrainingJob"], warm["BestTrainingJob"])
    ]
    overall = warm["OverallBestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert overall == max(values)
    child["HyperParameterTuningJobName"] = "orphan"
    child["WarmStartConfig"]["ParentHyperParameterTuningJobs"] = [{"HyperParameterTuningJobName": "nobody"}]
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.create_hyper_parameter_tuning_job(**child)


def test_a_hopeless_trial_is_stopped_early(sagemaker: Any) -> None:
    """Three rates that learn and one that does not: the fourth falls behind the median of the others."""
    rates = {"CategoricalParameterRanges": [{"Name": "learning_rate", "Values": ["0.05", "0.04", "0.06", "0.000001"]}]}
    asked = tuning_job(
        "median",
        BUCKET,
        4,
        1,
        Strategy="Grid",
        ParameterRanges=rates,
        TrainingJobEarlyStoppingType="Auto",
        HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "train:cross_entropy"},
    )
    asked["TrainingJobDefinition"]["StaticHyperParameters"] = {**STATIC, "epochs": "6"}
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    told = await_tuning(sagemaker, "median")
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    listed = trials(sagemaker, "median")
    assert listed[3]["TrainingJobStatus"] == "Stopped"
    assert told["BestTrainingJob"]["TrainingJobStatus"] == "Completed"


def test_hyperband_runs_to_its_end(sagemaker: Any) -> None:
    asked = tuning_job("hyperband", BUCKET, 4, 2, Strategy="Hyperband", RandomSeed=3)
    asked["TrainingJobDefinition"]["StaticHyperParameters"] = {**STATIC, "epochs": "3"}
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    told = await_tuning(sagemaker, "hyperband")
    counts = told["TrainingJobStatusCounters"]
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert counts["Completed"] >= 1 and counts["Completed"] + counts["Stopped"] == 4


def test_an_interrupted_trial_is_run_again_under_its_number(fresh_server: Callable[..., Server]) -> None:
    """Killed together with the process that would have recorded its end, as when the machine is started anew."""
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    sagemaker = server.client("sagemaker")
    asked = tuning_job("again", BUCKET, 1, 1)
    asked["TrainingJobDefinition"]["StaticHyperParameters"] = {**STATIC, "epochs": "100000"}
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    until(lambda: bool(trials(sagemaker, "again")))
    [first] = trials(sagemaker, "again")
    wait_for_line(server, first["TrainingJobName"], "Epoch[0]")
    [pid] = running(server.state, f"/{first['TrainingJobName']}/").values()
    parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(parent, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    until(lambda: trials(sagemaker, "again")[0]["TrainingJobName"] != first["TrainingJobName"])
    [second] = trials(sagemaker, "again")
    assert second["TrainingJobName"].startswith("again-001-")
    assert second["TunedHyperParameters"] == first["TunedHyperParameters"]
    assert second["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="again")
    assert await_tuning(sagemaker, "again")["HyperParameterTuningJobStatus"] == "Stopped"


def test_a_server_killed_in_mid_tuning_comes_to_the_same_best(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, BUCKET)
    ranges = {"ContinuousParameterRanges": [LEARNING_RATE, MOMENTUM]}
    found = []
    for name in ("undisturbed", "killed"):
        asked = tuning_job(name, BUCKET, 4, 2, Strategy="Bayesian", ParameterRanges=ranges, RandomSeed=5)
        server.client("sagemaker").create_hyper_parameter_tuning_job(**asked)
        for reached in (3,) if name == "killed" else ():
            sagemaker = server.client("sagemaker")
            until(lambda client=sagemaker, number=reached: len(trials(client, "killed")) >= number)  # type: ignore[misc]
            server.kill()
            server.start()
        told = await_tuning(server.client("sagemaker"), name)
        assert told["TrainingJobStatusCounters"]["Completed"] == 4
        listed = trials(server.client("sagemaker"), name)
        best = told["BestTrainingJob"]
        found.append(([trial["TunedHyperParameters"] for trial in listed], best["TunedHyperParameters"]))
    assert found[0] == found[1]
    jobs = server.client("sagemaker").list_training_jobs(NameContains="killed-", MaxResults=100)
    assert len(jobs["TrainingJobSummaries"]) == 4

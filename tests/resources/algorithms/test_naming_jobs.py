"""Training and tuning jobs that name an algorithm: what they take from it, and what it does not let them ask."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.algorithms import (
    DEFAULTS,
    REQUIRED,
    algorithm,
    channel_specification,
    hyperparameters,
    named_job,
    training_specification,
)
from tests.support.browser import limited_user
from tests.support.jobs import IMAGE, QUICK, channel, upload_photos, wait
from tests.support.own_code import PYTHON, packed, put
from tests.support.tuning import await_tuning, definition, trials, tuning_job
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")

BUCKET = "named-photos"
GIVEN = {name: QUICK[name] for name in REQUIRED}


@pytest.fixture(scope="module")
def sagemaker(warm_server: Server) -> Any:
    upload_photos(warm_server, BUCKET)
    return warm_server.client("sagemaker")


@pytest.fixture(scope="module")
def made(sagemaker: Any) -> str:
    """An algorithm's ARN."""
    return str(sagemaker.create_algorithm(**algorithm(unique("marbles")))["AlgorithmArn"])


def test_a_job_of_an_algorithm(sagemaker: Any, made: str) -> None:
    name = unique("named")
    sagemaker.create_training_job(**named_job(name, BUCKET, made))
    told = wait(sagemaker, name)
    assert told["TrainingJobStatus"] == "Completed", told
    assert told["HyperParameters"] == {**DEFAULTS, **GIVEN}
    specification = told["AlgorithmSpecification"]
    assert specification["AlgorithmName"] == made and "TrainingImage" not in specification
    assert "validation:accuracy" in [one["Name"] for one in specification["MetricDefinitions"]]  # the built-in image's
    assert {one["MetricName"]: one["Value"] for one in told["FinalMetricDataList"]}["validation:accuracy"] == 1.0
    component = sagemaker.describe_trial_component(TrialComponentName=f"{name}-aws-training-job")
    assert component["InputArtifacts"]["SageMaker.ImageUri"]["Value"] == IMAGE


def test_a_job_outlives_its_algorithm(sagemaker: Any) -> None:
    """What it needs of the algorithm it has taken when it was created."""
    its, name = unique("short-lived"), unique("orphan")
    sagemaker.create_algorithm(**algorithm(its))
    sagemaker.create_training_job(**named_job(name, BUCKET, its))
    sagemaker.delete_algorithm(AlgorithmName=its)
    told = wait(sagemaker, name)
    assert told["TrainingJobStatus"] == "Completed", told
    assert told["AlgorithmSpecification"]["AlgorithmName"] == its
    with pytest.raises(ClientError, match=f"algorithm/{its} does not exist"):
        sagemaker.create_training_job(**named_job(unique("late"), BUCKET, its))


def test_metrics_and_script_of_an_image_of_ones_own(warm_server: Server, sagemaker: Any) -> None:
    """A script is an algorithm: where it lies are defaults, and its metrics are the algorithm's."""
    script = "import sys\nprint('loss=0.25', sys.argv[1:])\n"
    source = put(warm_server, BUCKET, "source/sourcedir.tar.gz", packed({"train.py": script}))
    told = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{source}"', "depth": "3"}
    parameters = [{"Name": name, "Type": "FreeText", "DefaultValue": value} for name, value in told.items()]
    its = unique("script")
    specification = training_specification(
        TrainingImage=PYTHON,
        SupportedHyperParameters=parameters,
        MetricDefinitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        SupportedTuningJobObjectiveMetrics=[],
    )
    sagemaker.create_algorithm(AlgorithmName=its, TrainingSpecification=specification)
    name = unique("scripted")
    sagemaker.create_training_job(**named_job(name, BUCKET, its, HyperParameters={"depth": "4"}))
    job = wait(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job
    assert job["HyperParameters"] == {**told, "depth": "4"}
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == specification["MetricDefinitions"]
    assert [(one["MetricName"], one["Value"]) for one in job["FinalMetricDataList"]] == [("loss", 0.25)]


MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
TRAIN = channel("train", f"s3://{BUCKET}/train/")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"HyperParameters": {**GIVEN, "momentum": "0.9"}}, "'momentum' is not one of {made}'s"),
        ({"HyperParameters": {"num_classes": "2"}}, "'num_training_samples' of {made} is required"),
        ({"HyperParameters": {**GIVEN, "learning_rate": "0.9"}}, "must be from 1e-05 to 0.5"),
        ({"HyperParameters": {**GIVEN, "epochs": "1.5"}}, "must be a whole number"),
        ({"HyperParameters": {**GIVEN, "optimizer": "rmsprop"}}, "must be one of sgd, adam"),
        ({"ResourceConfig": {**MACHINE, "InstanceType": "ml.c5.xlarge"}}, "it supports ml.m5.large, ml.m5.xlarge"),
        ({"ResourceConfig": {**MACHINE, "InstanceCount": 2}}, "does not support distributed training"),
        ({"InputDataConfig": [TRAIN, channel("test", "s3://b/t/")]}, "has no channel 'test' of InputDataConfig"),
        ({"InputDataConfig": [channel("validation", "s3://b/v/")]}, "needs the channel 'train'"),
        ({"InputDataConfig": [{**TRAIN, "ContentType": "text/csv"}]}, "has the ContentType 'text/csv'"),
        ({"InputDataConfig": [{**TRAIN, "InputMode": "Pipe"}]}, "the InputMode 'Pipe'"),
        ({"InputDataConfig": [{**TRAIN, "CompressionType": "Gzip"}]}, "the CompressionType 'Gzip'"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}, "the InputMode 'Pipe'"),
        ({"AlgorithmSpecification": {"TrainingImage": IMAGE}}, "and not both"),
        ({"AlgorithmSpecification": {"AlgorithmName": None}}, "Give either AlgorithmSpecification.TrainingImage or"),
        ({"AlgorithmSpecification": {"AlgorithmName": "nobody"}}, "algorithm/nobody does not exist"),
        ({"AlgorithmSpecification": {"MetricDefinitions": [{"Name": "own", "Regex": "(a)"}]}}, "MetricDefinitions has 'own'"),
    ],
)  # fmt: skip
def test_what_an_algorithm_does_not_allow(sagemaker: Any, made: str, changed: dict[str, Any], said: str) -> None:
    name = unique("refused")
    asked = {**named_job(name, BUCKET, made), **changed}
    if wanted := changed.get("AlgorithmSpecification"):
        whole = {"AlgorithmName": made, "TrainingInputMode": "File", **wanted}
        asked["AlgorithmSpecification"] = {member: value for member, value in whole.items() if value is not None}
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**asked)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert said.format(made=made.rsplit("/", 1)[1]) in error["Message"]


def test_a_key_that_may_train_need_not_look_at_algorithms(warm_server: Server, made: str) -> None:
    name = unique("trained")
    allowed = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
    key, secret = limited_user(warm_server, unique("trainer"), allowed)
    trainer = warm_server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret)
    trainer.create_training_job(**named_job(name, BUCKET, made))
    warm_server.client("sagemaker").stop_training_job(TrainingJobName=name)


def named_tuning(name: str, made: str, **changed: Any) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob request; `changed` replaces members of its config."""
    asked = tuning_job(name, BUCKET, 2, 2, **changed)
    asked["TrainingJobDefinition"] = definition(
        BUCKET,
        AlgorithmSpecification={"AlgorithmName": made, "TrainingInputMode": "File"},
        StaticHyperParameters={**GIVEN, "epochs": "1"},
    )
    return asked


def test_a_search_of_an_algorithm(sagemaker: Any, made: str) -> None:
    name = unique("search")
    sagemaker.create_hyper_parameter_tuning_job(**named_tuning(name, made))
    told = await_tuning(sagemaker, name)
    assert told["HyperParameterTuningJobStatus"] == "Completed", told
    specification = told["TrainingJobDefinition"]["AlgorithmSpecification"]
    assert specification["AlgorithmName"] == made
    assert "validation:accuracy" in [one["Name"] for one in specification["MetricDefinitions"]]
    best = told["BestTrainingJob"]
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["AlgorithmSpecification"]["AlgorithmName"] == made
    assert job["HyperParameters"] == {**DEFAULTS, **GIVEN, "epochs": "1", **best["TunedHyperParameters"]}
    assert len(trials(sagemaker, name)) == 2
    warm = named_tuning(unique("warm"), made)
    parents = [{"HyperParameterTuningJobName": name}]
    warm["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": parents,
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    other = sagemaker.create_algorithm(**algorithm(unique("other")))["AlgorithmArn"]
    warm["TrainingJobDefinition"]["AlgorithmSpecification"]["AlgorithmName"] = other
    with pytest.raises(ClientError, match="has another image or algorithm"):
        sagemaker.create_hyper_parameter_tuning_job(**warm)
    warm["TrainingJobDefinition"]["AlgorithmSpecification"]["AlgorithmName"] = made
    sagemaker.create_hyper_parameter_tuning_job(**warm)
    assert await_tuning(sagemaker, warm["HyperParameterTuningJobName"])["OverallBestTrainingJob"]


MOMENTUM = {"Name": "momentum", "MinValue": "0.1", "MaxValue": "0.9"}
LAYERS = {"Name": "num_layers", "MinValue": "18", "MaxValue": "34"}
TOO_WIDE = {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.9"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ParameterRanges": {"IntegerParameterRanges": [LAYERS]}}, "'num_layers' in ParameterRanges is none that"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [MOMENTUM]}}, "those are learning_rate, optimizer"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [TOO_WIDE]}}, "must be at most 0.5"),
        ({"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:accuracy"}},
         "it supports Maximize validation:accuracy"),
        ({"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "train:accuracy"}},
         "it supports Maximize validation:accuracy"),
        ({"StaticHyperParameters": {}}, "'num_classes' of "),
        ({"StaticHyperParameters": {**GIVEN, "momentum": "0.9"}}, "'momentum' of TrainingJobDefinition is not one of"),
        ({"ResourceConfig": {**MACHINE, "InstanceType": "ml.c5.xlarge"}}, "TrainingJobDefinition.ResourceConfig.InstanceType"),
        ({"InputDataConfig": [channel("test", "s3://b/t/")]}, "of TrainingJobDefinition.InputDataConfig"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingJobDefinition.AlgorithmSpecification.TrainingImage"),
    ],
)  # fmt: skip
def test_searches_that_an_algorithm_does_not_allow(
    sagemaker: Any, made: str, changed: dict[str, Any], said: str
) -> None:
    config = {
        name: value
        for name, value in changed.items()
        if name in ("ParameterRanges", "HyperParameterTuningJobObjective")
    }
    asked = named_tuning(unique("refused"), made, **config)
    asked["TrainingJobDefinition"] |= {name: value for name, value in changed.items() if name not in config}
    with pytest.raises(ClientError) as refused:
        sagemaker.create_hyper_parameter_tuning_job(**asked)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException" and said in error["Message"]


def test_an_algorithm_may_leave_objectives_and_content_types_open(sagemaker: Any) -> None:
    channels = [channel_specification(name, SupportedContentTypes=[]) for name in ("train", "validation")]
    specification = training_specification(
        SupportedHyperParameters=hyperparameters(), TrainingChannels=channels, SupportedTuningJobObjectiveMetrics=[]
    )
    arn = sagemaker.create_algorithm(**algorithm(unique("open"), TrainingSpecification=specification))["AlgorithmArn"]
    objective = {"Type": "Minimize", "MetricName": "train:cross_entropy"}
    asked = named_tuning(unique("open"), arn, HyperParameterTuningJobObjective=objective)
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    name = asked["HyperParameterTuningJobName"]
    assert await_tuning(sagemaker, name)["HyperParameterTuningJobStatus"] == "Completed"

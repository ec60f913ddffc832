"""Algorithms as a boto3 user makes them: the built-in image with a few of its hyperparameters, and a script's image."""

import time
from collections.abc import Callable
from typing import Any

from tests.support.jobs import IMAGE, QUICK, ROLE, training_job

REQUIRED = ("num_classes", "num_training_samples")
DEFAULTS = {name: value for name, value in QUICK.items() if name not in REQUIRED}


def _integer(name: str, low: int, high: int, **more: Any) -> dict[str, Any]:
    span = {"IntegerParameterRangeSpecification": {"MinValue": str(low), "MaxValue": str(high)}}
    return {"Name": name, "Type": "Integer", "Range": span, **more}


def hyperparameters() -> list[dict[str, Any]]:
    """The two that have to be said, and four with defaults, of which two may be tuned."""
    rate = {"ContinuousParameterRangeSpecification": {"MinValue": "0.00001", "MaxValue": "0.5"}}
    kinds = {"CategoricalParameterRangeSpecification": {"Values": ["sgd", "adam"]}}
    return [
        _integer("num_classes", 2, 10, IsRequired=True),
        _integer("num_training_samples", 1, 1000, IsRequired=True),
        _integer("num_layers", 18, 200, DefaultValue=DEFAULTS["num_layers"]),
        {"Name": "image_shape", "Type": "FreeText", "DefaultValue": DEFAULTS["image_shape"]},
        _integer("epochs", 1, 100000, DefaultValue=DEFAULTS["epochs"]),
        _integer("mini_batch_size", 1, 64, DefaultValue=DEFAULTS["mini_batch_size"]),
        {
            "Name": "learning_rate",
            "Type": "Continuous",
            "Range": rate,
            "IsTunable": True,
            "DefaultValue": DEFAULTS["learning_rate"],
        },
        {"Name": "optimizer", "Type": "Categorical", "Range": kinds, "IsTunable": True},
    ]


def channel_specification(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "IsRequired": True,
        "SupportedContentTypes": ["application/x-image"],
        "SupportedCompressionTypes": ["None"],
        "SupportedInputModes": ["File", "FastFile"],
        **changed,
    }


def training_specification(**changed: Any) -> dict[str, Any]:
    return {
        "TrainingImage": IMAGE,
        "SupportedHyperParameters": hyperparameters(),
        "SupportedTrainingInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
        "SupportsDistributedTraining": False,
        "TrainingChannels": [channel_specification("train"), channel_specification("validation", IsRequired=False)],
        "SupportedTuningJobObjectiveMetrics": [{"Type": "Maximize", "MetricName": "validation:accuracy"}],
        **changed,
    }


def algorithm(name: str, **changed: Any) -> dict[str, Any]:
    """A CreateAlgorithm request; `changed` replaces members."""
    return {
        "AlgorithmName": name,
        "AlgorithmDescription": "Whole or not",
        "TrainingSpecification": training_specification(),
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE}],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        **changed,
    }


def transform_definition(bucket: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/validation/"}}
    return {
        "TransformInput": {"DataSource": source, "ContentType": "image/jpeg"},
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/scores", "Accept": "application/json"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


def validation(bucket: str, *, transform: bool = True, **changed: Any) -> dict[str, Any]:
    """A ValidationSpecification of CreateAlgorithm; `changed` replaces members of its training job."""
    job = training_job("any", bucket)
    members = ("InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
    definition = {
        "TrainingInputMode": "File",
        "HyperParameters": {name: QUICK[name] for name in REQUIRED},
        **{member: job[member] for member in members},
        **changed,
    }
    profile = {"ProfileName": "photos", "TrainingJobDefinition": definition}
    if transform:
        profile["TransformJobDefinition"] = transform_definition(bucket)
    return {"ValidationRole": ROLE, "ValidationProfiles": [profile]}


def named_job(name: str, bucket: str, algorithm_name: str, **changed: Any) -> dict[str, Any]:
    """A CreateTrainingJob request that names an algorithm, with the hyperparameters that it has to say."""
    given = {name: QUICK[name] for name in REQUIRED}
    specification = {"AlgorithmName": algorithm_name, "TrainingInputMode": "File"}
    return training_job(name, bucket, **{"AlgorithmSpecification": specification, "HyperParameters": given, **changed})


def await_algorithm(sagemaker: Any, name: str, **options: Any) -> dict[str, Any]:
    """Describes until its validation is over."""
    return _over(lambda: sagemaker.describe_algorithm(AlgorithmName=name), "AlgorithmStatus", **options)


def await_package(sagemaker: Any, name: str, **options: Any) -> dict[str, Any]:
    """The same of a model package, by name or ARN."""
    return _over(lambda: sagemaker.describe_model_package(ModelPackageName=name), "ModelPackageStatus", **options)


def _over(describe: Callable[[], dict[str, Any]], member: str, seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        told = describe()
        if told[member] in ("Completed", "Failed"):
            return told
        time.sleep(0.05)
    raise AssertionError(f"still {told[member]} after {seconds} s: {told[member + 'Details']}")

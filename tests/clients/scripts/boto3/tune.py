"""Two trials of the learning rate and the momentum, and the best of them."""

import time

import boto3

sagemaker = boto3.client("sagemaker")
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
static = {name: value for name, value in job["HyperParameters"].items() if name != "learning_rate"}
sagemaker.create_hyper_parameter_tuning_job(
    HyperParameterTuningJobName="boto3-tune",
    HyperParameterTuningJobConfig={
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {
            "ContinuousParameterRanges": [
                {"Name": "learning_rate", "MinValue": "0.00001", "MaxValue": "0.1", "ScalingType": "Logarithmic"},
                {"Name": "momentum", "MinValue": "0.8", "MaxValue": "0.99", "ScalingType": "ReverseLogarithmic"},
            ]
        },
    },
    TrainingJobDefinition={
        "AlgorithmSpecification": {
            "TrainingImage": job["AlgorithmSpecification"]["TrainingImage"],
            "TrainingInputMode": "File",
        },
        "RoleArn": job["RoleArn"],
        "InputDataConfig": job["InputDataConfig"],
        "OutputDataConfig": {"S3OutputPath": job["OutputDataConfig"]["S3OutputPath"]},
        "ResourceConfig": job["ResourceConfig"],
        "StoppingCondition": job["StoppingCondition"],
        "StaticHyperParameters": {**static, "epochs": "1"},
    },
)
while True:
    told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="boto3-tune")
    if told["HyperParameterTuningJobStatus"] != "InProgress":
        break
    time.sleep(1)
assert told["HyperParameterTuningJobStatus"] == "Completed", told
trials = [
    trial
    for page in sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName="boto3-tune",
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 1},
    )
    for trial in page["TrainingJobSummaries"]
]
values = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials]
assert len(values) == 2 and values == sorted(values, reverse=True)
assert told["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == values[0]

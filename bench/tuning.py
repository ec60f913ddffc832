"""Tuning: ten trials of a head over features that are computed once, and what the tuner adds to a trial."""

import time

from bench.rows import Row
from bench.servers import Tobo, tobo
from bench.training import BUCKET, channel, train, upload
from tobo.line.marbles import jpeg, photos

TRIALS, TRAINED, UNSEEN = 10, 640, 160
_ROLE = "arn:aws:iam::111122223333:role/service-role/bench"
_MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
_HEAD = {
    "num_classes": 2,
    "num_training_samples": TRAINED,
    "image_shape": "3,96,96",
    "backbone": "mobilenet_v2",
    "train_layers": "head",
    "use_pretrained_model": 1,
}


def run() -> list[Row]:
    with tobo(warm=True) as server:
        upload(server, [*_marbles(TRAINED, 1, "train"), *_marbles(UNSEEN, 2, "validation")])
        begin = time.time()
        best = _tune(server, "heads", TRIALS, 2, ("0.001", "10"))
        seconds = time.time() - begin
        alone = [train(server, f"alone-{n}", ["train", "validation"], _HEAD)["seconds"] for n in range(TRIALS)]
        begin = time.time()
        _tune(server, "one-by-one", TRIALS, 1, ("0.299", "0.301"))  # as good as the default that those alone have
        overhead = (time.time() - begin - sum(alone)) / TRIALS * 1000
    return [
        Row(f"{TRIALS} head trials on {TRAINED} marbles, 2 at a time", seconds, "s", aim=60, note=f"best {best:.3f}"),
        Row("what the tuner adds to a trial", overhead, "ms", aim=50, note="against the same jobs one by one"),
    ]


def _marbles(count: int, seed: int, name: str) -> list[tuple[str, bytes]]:
    return [
        (f"{name}/{photo.label}/{number:04d}.jpg", jpeg(photo)) for number, photo in enumerate(photos(count, seed=seed))
    ]


def _tune(server: Tobo, name: str, trials: int, parallel: int, head_c: tuple[str, str]) -> float:
    """The best objective of a tuning job of `head_c` in a range."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "RandomSeed": 1,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": parallel},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "head_c", "MinValue": head_c[0], "MaxValue": head_c[1], "ScalingType": "Logarithmic"}
                ]
            },
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {key: str(value) for key, value in _HEAD.items()},
            "AlgorithmSpecification": {"TrainingImage": "image-classification:1", "TrainingInputMode": "File"},
            "RoleArn": _ROLE,
            "InputDataConfig": [channel(each) for each in ("train", "validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuned"},
            "ResourceConfig": _MACHINE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(0.05)
    if job["TrainingJobStatusCounters"]["Completed"] != trials:
        raise RuntimeError(f"{name}: {job['TrainingJobStatusCounters']} {job.get('FailureReason', '')}")
    return float(job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])

"""Two trials of the learning rate and the momentum; the best of them, and all as a table."""

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.resources import HyperParameterTuningJob, TrainingJob
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.tuner import HyperparameterTuner

session = Session()
photos = f"s3://{session.default_bucket()}/sdk3/photos"
summary = next(iter(TrainingJob.get_all(name_contains="sdk3-train", status_equals="Completed")))
static = {
    name: value
    for name, value in TrainingJob.get(summary.training_job_name).hyper_parameters.items()
    if name != "learning_rate"
}
trainer = ModelTrainer(
    training_image=image_uris.retrieve("image-classification", session.boto_region_name),
    base_job_name="sdk3-trial",
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
    hyperparameters={**static, "epochs": 1},
)
tuner = HyperparameterTuner(
    trainer,
    "validation:accuracy",
    {
        "learning_rate": ContinuousParameter(1e-5, 0.1, scaling_type="Logarithmic"),
        "momentum": ContinuousParameter(0.8, 0.99, scaling_type="ReverseLogarithmic"),
    },
    max_jobs=2,
    max_parallel_jobs=1,
    random_seed=1,
)
tuner.tune(
    inputs=[
        InputData(channel_name=name, data_source=f"{photos}/{name}", content_type="application/x-image")
        for name in ("train", "validation")
    ],
    job_name="sdk3-tune",
)
assert tuner.describe().hyper_parameter_tuning_job_status == "Completed"
table = tuner.analytics().dataframe()
print(table)
assert len(table) == 2
assert set(table.columns) >= {"learning_rate", "momentum", "FinalObjectiveValue", "TrainingElapsedTimeSeconds"}
assert table["FinalObjectiveValue"].notna().all()
assert tuner.best_training_job() in set(table["TrainingJobName"])
best = TrainingJob.get(tuner.best_training_job())
assert best.model_artifacts.s3_model_artifacts
again = HyperParameterTuningJob.get("sdk3-tune")
assert again.best_training_job.training_job_name == best.training_job_name
assert len(list(again.get_all_training_jobs())) == 2

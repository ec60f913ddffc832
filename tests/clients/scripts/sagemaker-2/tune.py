"""Two trials of the learning rate; the best of them, and all as a table."""

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

estimator = Estimator.attach("sdk2-train")
photos = f"s3://{estimator.sagemaker_session.default_bucket()}/sdk2/photos"
tuner = HyperparameterTuner(
    estimator,
    "validation:accuracy",
    {
        "learning_rate": ContinuousParameter(1e-5, 0.1, scaling_type="Logarithmic"),
        "momentum": ContinuousParameter(0.8, 0.99, scaling_type="ReverseLogarithmic"),
    },
    max_jobs=2,
    max_parallel_jobs=1,
    random_seed=1,
)
channels = {
    name: TrainingInput(f"{photos}/{name}", content_type="application/x-image") for name in ("train", "validation")
}
tuner.fit(channels, job_name="sdk2-tune")
assert tuner.describe()["HyperParameterTuningJobStatus"] == "Completed"
table = tuner.analytics().dataframe()
print(table)
assert len(table) == 2
assert set(table.columns) >= {"learning_rate", "momentum", "FinalObjectiveValue", "TrainingElapsedTimeSeconds"}
assert table["FinalObjectiveValue"].notna().all()
best = table.sort_values("FinalObjectiveValue")["TrainingJobName"].iloc[-1]
assert tuner.best_training_job() in set(table["TrainingJobName"]), best
assert tuner.best_estimator().model_data
assert HyperparameterTuner.attach("sdk2-tune").best_training_job() == tuner.best_training_job()

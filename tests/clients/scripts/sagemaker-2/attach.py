"""Come back to a training job of yesterday: its artefact, its log, its metrics as a table."""

from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.estimator import Estimator

estimator = Estimator.attach("sdk2-train")
assert estimator.latest_training_job.describe()["TrainingJobStatus"] == "Completed"
assert estimator.hyperparameters()["image_shape"] == "3,32,32"
estimator.logs()
table = TrainingJobAnalytics("sdk2-train", ["validation:accuracy"]).dataframe()
print(table)
assert list(table.columns) == ["timestamp", "metric_name", "value"]
assert len(table) > 0
assert 0 <= table["value"].iloc[-1] <= 1
assert len(estimator.training_job_analytics.dataframe()) >= len(table)

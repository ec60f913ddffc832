"""Come back to a training job of yesterday: find it, read it, its metrics as a table."""

from sagemaker.core.analytics import TrainingJobAnalytics
from sagemaker.core.resources import TrainingJob

found = list(TrainingJob.get_all(name_contains="sdk3-train", status_equals="Completed", sort_by="CreationTime"))
job = TrainingJob.get(found[0].training_job_name)
assert job.training_job_status == "Completed"
assert job.hyper_parameters["image_shape"] == "3,32,32"
assert [metric.metric_name for metric in job.final_metric_data_list]
job.wait(logs=True)
table = TrainingJobAnalytics(job.training_job_name, ["validation:accuracy"]).dataframe()
print(table)
assert list(table.columns) == ["timestamp", "metric_name", "value"]
assert len(table) > 0
assert 0 <= table["value"].iloc[-1] <= 1

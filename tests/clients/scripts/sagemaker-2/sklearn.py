"""Script mode: train a scikit-learn script of one's own, read its metric, deploy it, predict."""

import numpy as np
import sagemaker
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.sklearn import SKLearn

session = sagemaker.Session()
data = session.upload_data("points", key_prefix="sdk2/points")
estimator = SKLearn(
    entry_point="train.py",
    source_dir="sklearn_source",
    framework_version="1.2-1",
    role=sagemaker.get_execution_role(),
    instance_type="ml.m5.large",
    hyperparameters={"C": 0.5},
    metric_definitions=[{"Name": "train:accuracy", "Regex": r"train_accuracy=([0-9.]+);"}],
)
estimator.fit({"train": data}, job_name="sdk2-sklearn")
table = TrainingJobAnalytics("sdk2-sklearn", ["train:accuracy"]).dataframe()
assert table["value"].iloc[-1] > 0.9, table
predictor = estimator.deploy(initial_instance_count=1, instance_type="ml.t2.medium", endpoint_name="sdk2-sklearn")
assert predictor.predict(np.array([[-2.0, -2.0], [2.0, 2.0]])).tolist() == [0.0, 1.0]
predictor.delete_model()
predictor.delete_endpoint()

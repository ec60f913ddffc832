"""Script mode: train a PyTorch script of one's own, deploy it, predict."""

import numpy as np
import sagemaker
from sagemaker.pytorch import PyTorch

session = sagemaker.Session()
data = session.upload_data("points", key_prefix="sdk2/points")
estimator = PyTorch(
    entry_point="train.py",
    source_dir="pytorch_source",
    framework_version="2.1",
    py_version="py310",
    role=sagemaker.get_execution_role(),
    instance_type="ml.m5.large",
    instance_count=1,
    hyperparameters={"epochs": 30},
)
estimator.fit({"train": data}, job_name="sdk2-pytorch")
predictor = estimator.deploy(initial_instance_count=1, instance_type="ml.t2.medium", endpoint_name="sdk2-pytorch")
scores = predictor.predict(np.array([[-2.0, -2.0], [2.0, 2.0]], dtype=np.float32))
assert np.array(scores).argmax(axis=1).tolist() == [0, 1]
predictor.delete_model()
predictor.delete_endpoint()

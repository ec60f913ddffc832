"""Script mode: train a scikit-learn script of one's own, read its metric, deploy it, predict."""

import io

import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.analytics import TrainingJobAnalytics
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

session = Session()
code = SourceCode(source_dir="sklearn_source", entry_script="train.py")
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")
trainer = ModelTrainer(
    training_image=image,
    source_code=code,
    role=get_execution_role(session),
    base_job_name="sdk3-sklearn",
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
    hyperparameters={"C": 0.5},
).with_metric_definitions([{"name": "train:accuracy", "regex": r"train_accuracy=([0-9.]+);"}])
trainer.train(input_data_config=[InputData(channel_name="train", data_source="points")])
job = trainer._latest_training_job
table = TrainingJobAnalytics(job.training_job_name, ["train:accuracy"]).dataframe()
assert table["value"].iloc[-1] > 0.9, table
builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    source_code=code,
    role_arn=job.role_arn,
    instance_type="ml.t2.medium",
)
model = builder.build(model_name="sdk3-sklearn")
endpoint = builder.deploy(endpoint_name="sdk3-sklearn", initial_instance_count=1)
question = io.BytesIO()
np.save(question, np.array([[-2.0, -2.0], [2.0, 2.0]]))
answer = endpoint.invoke(
    body=question.getvalue(), content_type="application/x-npy", accept="application/x-npy"
).body.read()
assert np.load(io.BytesIO(answer)).tolist() == [0.0, 1.0]
endpoint.delete()
model.delete()

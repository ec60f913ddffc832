"""Script mode: train a PyTorch script of one's own, deploy it, predict."""

import json

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

session = Session()
code = SourceCode(source_dir="pytorch_source", entry_script="train.py")


def image(scope: str) -> str:
    return image_uris.retrieve(
        "pytorch",
        session.boto_region_name,
        version="2.1",
        py_version="py310",
        instance_type="ml.m5.large",
        image_scope=scope,
    )


trainer = ModelTrainer(
    training_image=image("training"),
    source_code=code,
    role=get_execution_role(session),
    base_job_name="sdk3-pytorch",
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
    hyperparameters={"epochs": 30},
)
trainer.train(input_data_config=[InputData(channel_name="train", data_source="points")])
job = trainer._latest_training_job
builder = ModelBuilder(
    image_uri=image("inference"),
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    source_code=code,
    role_arn=job.role_arn,
    instance_type="ml.t2.medium",
)
model = builder.build(model_name="sdk3-pytorch")
endpoint = builder.deploy(endpoint_name="sdk3-pytorch", initial_instance_count=1)
answer = endpoint.invoke(
    body=json.dumps([[-2.0, -2.0], [2.0, 2.0]]), content_type="application/json", accept="application/json"
)
scores = json.loads(answer.body.read())
assert [row.index(max(row)) for row in scores] == [0, 1]
endpoint.delete()
model.delete()

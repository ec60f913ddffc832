"""Score a folder of photos without an endpoint."""

import json

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
from sagemaker.serve import ModelBuilder

session = Session()
bucket = session.default_bucket()
summary = next(iter(TrainingJob.get_all(name_contains="sdk3-train", status_equals="Completed")))
job = TrainingJob.get(summary.training_job_name)
builder = ModelBuilder(
    image_uri=image_uris.retrieve("image-classification", session.boto_region_name),
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=job.role_arn,
)
model = builder.build(model_name="sdk3-transform")
transformer = builder.transformer(
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/sdk3/scores",
    accept="application/json",
    max_concurrent_transforms=4,
)
transformer.transform(
    f"s3://{bucket}/sdk3/photos/validation", content_type="image/jpeg", job_name="sdk3-transform", wait=True, logs=True
)
outputs = session.list_s3_files(bucket, "sdk3/scores")
assert len(outputs) == 10, outputs
for key in outputs:
    assert key.endswith(".jpg.out")
    scores = json.loads(session.read_s3_file(bucket, key))
    assert ("ko", "ok")[scores.index(max(scores))] == key.split("/")[-2]
model.delete()

"""An asynchronous endpoint: answers come into S3."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.inference_config import AsyncInferenceConfig
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
    instance_type="ml.t2.medium",
)
model = builder.build(model_name="sdk3-asynchronous")
endpoint = builder.deploy(
    endpoint_name="sdk3-asynchronous",
    initial_instance_count=1,
    inference_config=AsyncInferenceConfig(output_path=f"s3://{bucket}/sdk3/answers"),
)
photo = min(Path("photos/validation/ok").glob("*.jpg"))
sent = session.upload_data(str(photo), key_prefix="sdk3/questions")
answer = endpoint.invoke_async(input_location=sent, content_type="image/jpeg")
place = urlsplit(answer.output_location)
session.boto_session.client("s3").get_waiter("object_exists").wait(
    Bucket=place.netloc, Key=place.path[1:], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
)
scores = json.loads(session.read_s3_file(place.netloc, place.path[1:]))
assert scores.index(max(scores)) == 1
endpoint.delete()
model.delete()

"""Deploy the trained model, classify, change its endpoint while it serves, and take it away again."""

import json
from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, TrainingJob
from sagemaker.core.shapes import ProductionVariant
from sagemaker.serve import ModelBuilder

session = Session()
summary = next(iter(TrainingJob.get_all(name_contains="sdk3-train", status_equals="Completed")))
job = TrainingJob.get(summary.training_job_name)
builder = ModelBuilder(
    image_uri=image_uris.retrieve("image-classification", session.boto_region_name),
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=job.role_arn,
    instance_type="ml.t2.medium",
)
model = builder.build(model_name="sdk3-deploy")
endpoint = builder.deploy(endpoint_name="sdk3-deploy", initial_instance_count=1)


def classified(endpoint: Endpoint) -> None:
    for photo in sorted(Path("photos/validation").glob("*/*.jpg")):
        answer = endpoint.invoke(body=photo.read_bytes(), content_type="image/jpeg")
        scores = json.loads(answer.body.read())
        assert len(scores) == 2
        assert ("ko", "ok")[scores.index(max(scores))] == photo.parent.name


classified(endpoint)
again = Endpoint.get("sdk3-deploy")
assert again.endpoint_status == "InService"
classified(again)
first = EndpointConfig.get(again.endpoint_config_name)
variant = ProductionVariant(
    variant_name="AllTraffic", model_name="sdk3-deploy", instance_type="ml.t2.medium", initial_instance_count=2
)
second = EndpointConfig.create(endpoint_config_name="sdk3-deploy-2", production_variants=[variant])
again.endpoint_config_name = second.endpoint_config_name
again.update()
again.wait_for_status("InService")
assert again.production_variants[0].current_instance_count == 2
classified(again)
again.delete()
again.wait_for_delete()
first.delete()
second.delete()
model.delete()

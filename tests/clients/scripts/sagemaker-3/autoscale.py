"""An endpoint that scales: a policy that follows its load, and a plan that needs two instances from now on."""

import time
from datetime import UTC, datetime, timedelta

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
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
model = builder.build(model_name="sdk3-autoscale")
endpoint = builder.deploy(endpoint_name="sdk3-autoscale", initial_instance_count=1)
endpoint.refresh()
variant = endpoint.production_variants[0].variant_name
scaling = session.boto_session.client("application-autoscaling")
target = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/sdk3-autoscale/variant/{variant}",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
scaling.put_scaling_policy(
    **target,
    PolicyName="follow-the-load",
    PolicyType="TargetTrackingScaling",
    TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    },
)
scaling.put_scheduled_action(
    **target,
    ScheduledActionName="two-from-now-on",
    Schedule=f"at({datetime.now(UTC) + timedelta(seconds=10):%Y-%m-%dT%H:%M:%S})",
    ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 2},
)
for _ in range(60):
    endpoint.refresh()
    if endpoint.production_variants[0].current_instance_count == 2:
        break
    time.sleep(1)
assert endpoint.production_variants[0].current_instance_count == 2
scaling.deregister_scalable_target(**target)
endpoint.wait_for_status("InService")
endpoint.delete()
model.delete()

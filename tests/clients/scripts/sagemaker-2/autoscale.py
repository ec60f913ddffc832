"""An endpoint that scales: a policy that follows its load, and a plan that needs two instances from now on."""

import time
from datetime import UTC, datetime, timedelta

from sagemaker.estimator import Estimator

estimator = Estimator.attach("sdk2-train")
predictor = estimator.deploy(initial_instance_count=1, instance_type="ml.t2.medium", endpoint_name="sdk2-autoscale")
session = estimator.sagemaker_session
scaling = session.boto_session.client("application-autoscaling")
target = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/sdk2-autoscale/variant/AllTraffic",
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
    described = session.sagemaker_client.describe_endpoint(EndpointName="sdk2-autoscale")
    if described["ProductionVariants"][0]["CurrentInstanceCount"] == 2:
        break
    time.sleep(1)
assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2, described
scaling.deregister_scalable_target(**target)
session.wait_for_endpoint("sdk2-autoscale")
predictor.delete_model()
predictor.delete_endpoint()

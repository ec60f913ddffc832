"""An endpoint that scales: a policy that follows its load, and a plan that needs two instances from now on."""

import time
from datetime import UTC, datetime, timedelta

import boto3

sagemaker, scaling = boto3.client("sagemaker"), boto3.client("application-autoscaling")
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
image = job["AlgorithmSpecification"]["TrainingImage"]
name = "boto3-autoscale"
sagemaker.create_model(
    ModelName=name,
    ExecutionRoleArn=job["RoleArn"],
    PrimaryContainer={"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
)
variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})

target = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{name}/variant/AllTraffic",
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
[policy] = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
assert policy["PolicyName"] == "follow-the-load"
scaling.put_scheduled_action(
    **target,
    ScheduledActionName="two-from-now-on",
    Schedule=f"at({datetime.now(UTC) + timedelta(seconds=10):%Y-%m-%dT%H:%M:%S})",
    ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 2},
)
for _ in range(60):
    described = sagemaker.describe_endpoint(EndpointName=name)
    if described["ProductionVariants"][0]["CurrentInstanceCount"] == 2:
        break
    time.sleep(1)
assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2, described
assert scaling.describe_scaling_activities(**target)["ScalingActivities"]
scaling.deregister_scalable_target(**target)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
sagemaker.delete_endpoint(EndpointName=name)
sagemaker.delete_endpoint_config(EndpointConfigName=name)
sagemaker.delete_model(ModelName=name)

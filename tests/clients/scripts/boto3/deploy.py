"""Deploy the trained model, classify, change its endpoint while it serves, and take it away again."""

import json
from pathlib import Path

import boto3

sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
sagemaker.create_model(
    ModelName="boto3-deploy",
    ExecutionRoleArn=job["RoleArn"],
    PrimaryContainer={
        "Image": job["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    },
)


def configure(name: str, instances: int) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": "boto3-deploy", "InstanceType": "ml.t2.medium"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": instances}]
    )


def classified() -> None:
    for photo in sorted(Path("photos/validation").glob("*/*.jpg")):
        answer = runtime.invoke_endpoint(
            EndpointName="boto3-deploy", ContentType="image/jpeg", Accept="application/json", Body=photo.read_bytes()
        )
        scores = json.loads(answer["Body"].read())
        assert ("ko", "ok")[scores.index(max(scores))] == photo.parent.name


configure("boto3-deploy", 1)
configure("boto3-deploy-2", 2)
sagemaker.create_endpoint(EndpointName="boto3-deploy", EndpointConfigName="boto3-deploy")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="boto3-deploy", WaiterConfig={"Delay": 1})
classified()
sagemaker.update_endpoint(EndpointName="boto3-deploy", EndpointConfigName="boto3-deploy-2")
classified()
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="boto3-deploy", WaiterConfig={"Delay": 1})
described = sagemaker.describe_endpoint(EndpointName="boto3-deploy")
assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
classified()
sagemaker.delete_endpoint(EndpointName="boto3-deploy")
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="boto3-deploy", WaiterConfig={"Delay": 1})
sagemaker.delete_endpoint_config(EndpointConfigName="boto3-deploy")
sagemaker.delete_endpoint_config(EndpointConfigName="boto3-deploy-2")
sagemaker.delete_model(ModelName="boto3-deploy")

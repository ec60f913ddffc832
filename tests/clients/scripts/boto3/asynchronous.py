"""An asynchronous endpoint: answers come into S3."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import boto3

sagemaker, runtime, s3 = (boto3.client(name) for name in ("sagemaker", "sagemaker-runtime", "s3"))
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
bucket = f"boto3-{boto3.client('sts').get_caller_identity()['Account']}"
image = job["AlgorithmSpecification"]["TrainingImage"]
sagemaker.create_model(
    ModelName="boto3-asynchronous",
    ExecutionRoleArn=job["RoleArn"],
    PrimaryContainer={"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
)
sagemaker.create_endpoint_config(
    EndpointConfigName="boto3-asynchronous",
    ProductionVariants=[
        {
            "VariantName": "AllTraffic",
            "ModelName": "boto3-asynchronous",
            "InstanceType": "ml.t2.medium",
            "InitialInstanceCount": 1,
        }
    ],
    AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{bucket}/answers"}},
)
sagemaker.create_endpoint(EndpointName="boto3-asynchronous", EndpointConfigName="boto3-asynchronous")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="boto3-asynchronous", WaiterConfig={"Delay": 1})
for kind, photo in ((kind, min(Path(f"photos/validation/{kind}").glob("*.jpg"))) for kind in ("ko", "ok")):
    answer = runtime.invoke_endpoint_async(
        EndpointName="boto3-asynchronous", InputLocation=f"s3://{bucket}/{photo}", ContentType="image/jpeg"
    )
    place = urlsplit(answer["OutputLocation"])
    key = place.path.lstrip("/")
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    scores = json.loads(s3.get_object(Bucket=place.netloc, Key=key)["Body"].read())
    assert ("ko", "ok")[scores.index(max(scores))] == kind
sagemaker.delete_endpoint(EndpointName="boto3-asynchronous")
sagemaker.delete_endpoint_config(EndpointConfigName="boto3-asynchronous")
sagemaker.delete_model(ModelName="boto3-asynchronous")

"""Score a folder of photos without an endpoint."""

import json

import boto3

sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
bucket = f"boto3-{boto3.client('sts').get_caller_identity()['Account']}"
sagemaker.create_model(
    ModelName="boto3-transform",
    ExecutionRoleArn=job["RoleArn"],
    PrimaryContainer={
        "Image": job["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    },
)
sagemaker.create_transform_job(
    TransformJobName="boto3-transform",
    ModelName="boto3-transform",
    TransformInput={
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/photos/validation/"}},
        "ContentType": "image/jpeg",
    },
    TransformOutput={"S3OutputPath": f"s3://{bucket}/scores", "Accept": "application/json"},
    TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
)
sagemaker.get_waiter("transform_job_completed_or_stopped").wait(
    TransformJobName="boto3-transform", WaiterConfig={"Delay": 1, "MaxAttempts": 200}
)
told = sagemaker.describe_transform_job(TransformJobName="boto3-transform")
assert told["TransformJobStatus"] == "Completed", told.get("FailureReason")
found = s3.list_objects_v2(Bucket=bucket, Prefix="scores/")["Contents"]
assert len(found) == 10, found
for item in found:
    scores = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
    assert ("ko", "ok")[scores.index(max(scores))] == item["Key"].split("/")[-2]
sagemaker.delete_model(ModelName="boto3-transform")

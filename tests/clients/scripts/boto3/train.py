"""Upload photos, train the built-in image classifier, and read its log."""

from pathlib import Path

import boto3

s3, sagemaker, logs = (boto3.client(name) for name in ("s3", "sagemaker", "logs"))
account = boto3.client("sts").get_caller_identity()["Account"]
bucket = f"boto3-{account}"
s3.create_bucket(Bucket=bucket)
s3.get_waiter("bucket_exists").wait(Bucket=bucket)
for photo in sorted(Path("photos").glob("*/*/*.jpg")):
    s3.upload_file(str(photo), bucket, str(photo))
iam = boto3.client("iam")
role = next(
    role["Arn"]
    for page in iam.get_paginator("list_roles").paginate()
    for role in page["Roles"]
    if "ExecutionRole" in role["RoleName"]
)
sagemaker.create_training_job(
    TrainingJobName="boto3-train",
    RoleArn=role,
    AlgorithmSpecification={
        "TrainingImage": "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
        "TrainingInputMode": "File",
    },
    HyperParameters={
        "num_classes": "2",
        "num_training_samples": "40",
        "num_layers": "20",
        "image_shape": "3,32,32",
        "epochs": "2",
        "mini_batch_size": "8",
        "learning_rate": "0.05",
    },
    InputDataConfig=[
        {
            "ChannelName": name,
            "ContentType": "application/x-image",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/photos/{name}/"}},
        }
        for name in ("train", "validation")
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(
    TrainingJobName="boto3-train", WaiterConfig={"Delay": 1, "MaxAttempts": 200}
)
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
lines = [
    event["message"]
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="boto3-train/"
    )
    for event in page["events"]
]
print(*lines, sep="\n")
assert any("Validation-accuracy" in line for line in lines)

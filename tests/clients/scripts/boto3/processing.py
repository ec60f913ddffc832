"""A processing job: one's own script over one's own data."""

import json

import boto3

sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
role = sagemaker.describe_training_job(TrainingJobName="boto3-train")["RoleArn"]
bucket = f"boto3-{boto3.client('sts').get_caller_identity()['Account']}"
s3.upload_file("count.py", bucket, "code/count.py")
s3.upload_file("points/points.csv", bucket, "points/points.csv")


def source(name: str, prefix: str, folder: str) -> dict[str, object]:
    address = {"S3Uri": f"s3://{bucket}/{prefix}", "LocalPath": f"/opt/ml/processing/{folder}"}
    return {"InputName": name, "S3Input": {**address, "S3DataType": "S3Prefix", "S3InputMode": "File"}}


sagemaker.create_processing_job(
    ProcessingJobName="boto3-processing",
    RoleArn=role,
    AppSpecification={
        "ImageUri": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/count.py"],
    },
    ProcessingInputs=[source("code", "code/count.py", "code"), source("points", "points/", "input")],
    ProcessingOutputConfig={
        "Outputs": [
            {
                "OutputName": "counts",
                "S3Output": {
                    "S3Uri": f"s3://{bucket}/counts",
                    "LocalPath": "/opt/ml/processing/output",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}},
)
sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
    ProcessingJobName="boto3-processing", WaiterConfig={"Delay": 1, "MaxAttempts": 200}
)
job = sagemaker.describe_processing_job(ProcessingJobName="boto3-processing")
assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
counts = s3.get_object(Bucket=bucket, Key="counts/counts.json")["Body"].read()
assert json.loads(counts) == {"0.0": 20, "1.0": 20}

"""Script mode without an SDK: a scikit-learn script in a tar archive, trained, deployed, asked."""

import json
import tarfile

import boto3

sagemaker, runtime, s3 = (boto3.client(name) for name in ("sagemaker", "sagemaker-runtime", "s3"))
role = sagemaker.describe_training_job(TrainingJobName="boto3-train")["RoleArn"]
bucket = f"boto3-{boto3.client('sts').get_caller_identity()['Account']}"
image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
with tarfile.open("sourcedir.tar.gz", "w:gz") as archive:
    archive.add("sklearn_source/train.py", "train.py")
s3.upload_file("sourcedir.tar.gz", bucket, "sklearn/sourcedir.tar.gz")
s3.upload_file("points/points.csv", bucket, "sklearn/points/points.csv")
code = f"s3://{bucket}/sklearn/sourcedir.tar.gz"
sagemaker.create_training_job(
    TrainingJobName="boto3-sklearn",
    RoleArn=role,
    AlgorithmSpecification={
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "train:accuracy", "Regex": r"train_accuracy=([0-9.]+);"}],
    },
    HyperParameters={
        "C": "0.5",
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(code),
    },
    InputDataConfig=[
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/sklearn/points/"}},
        }
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(
    TrainingJobName="boto3-sklearn", WaiterConfig={"Delay": 1, "MaxAttempts": 200}
)
job = sagemaker.describe_training_job(TrainingJobName="boto3-sklearn")
assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
assert job["FinalMetricDataList"][0]["Value"] > 0.9
sagemaker.create_model(
    ModelName="boto3-sklearn",
    ExecutionRoleArn=role,
    PrimaryContainer={
        "Image": image,
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        "Environment": {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code},
    },
)
sagemaker.create_endpoint_config(
    EndpointConfigName="boto3-sklearn",
    ProductionVariants=[
        {
            "VariantName": "AllTraffic",
            "ModelName": "boto3-sklearn",
            "InstanceType": "ml.t2.medium",
            "InitialInstanceCount": 1,
        }
    ],
)
sagemaker.create_endpoint(EndpointName="boto3-sklearn", EndpointConfigName="boto3-sklearn")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="boto3-sklearn", WaiterConfig={"Delay": 1})
answer = runtime.invoke_endpoint(
    EndpointName="boto3-sklearn", ContentType="text/csv", Accept="application/json", Body=b"-2,-2\n2,2\n"
)
assert json.loads(answer["Body"].read()) == [0.0, 1.0]
sagemaker.delete_endpoint(EndpointName="boto3-sklearn")
sagemaker.delete_endpoint_config(EndpointConfigName="boto3-sklearn")
sagemaker.delete_model(ModelName="boto3-sklearn")

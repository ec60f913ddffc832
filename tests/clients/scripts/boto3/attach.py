"""Come back to a training job of yesterday: its artefact, its last metrics, their course."""

from urllib.parse import urlsplit

import boto3

sagemaker, s3, cloudwatch = (boto3.client(name) for name in ("sagemaker", "s3", "cloudwatch"))
job = sagemaker.describe_training_job(TrainingJobName="boto3-train")
artifact = urlsplit(job["ModelArtifacts"]["S3ModelArtifacts"])
assert s3.head_object(Bucket=artifact.netloc, Key=artifact.path.lstrip("/"))["ContentLength"] > 0
final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
course = cloudwatch.get_metric_statistics(
    Namespace="/aws/sagemaker/TrainingJobs",
    MetricName="validation:accuracy",
    Dimensions=[{"Name": "TrainingJobName", "Value": "boto3-train"}],
    StartTime=job["TrainingStartTime"],
    EndTime=job["TrainingEndTime"],
    Period=60,
    Statistics=["Average", "Maximum"],
)["Datapoints"]
assert max(point["Maximum"] for point in course) >= final["validation:accuracy"]

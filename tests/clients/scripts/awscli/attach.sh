# Come back to a training job of yesterday: its artefact and its last metrics.
artifact=$(aws sagemaker describe-training-job --training-job-name awscli-train --query ModelArtifacts.S3ModelArtifacts --output text)
aws s3 cp --quiet "$artifact" model.tar.gz
tar tzf model.tar.gz
aws sagemaker describe-training-job --training-job-name awscli-train \
    --query "FinalMetricDataList[?MetricName=='validation:accuracy'].Value" --output text | grep -E '^[01]\.[0-9]+'
aws sagemaker list-training-jobs --name-contains awscli-train --status-equals Completed --output json | grep awscli-train

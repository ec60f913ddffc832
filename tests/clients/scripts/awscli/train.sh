# Upload photos, train the built-in image classifier, and read its log.
bucket=awscli-$(aws sts get-caller-identity --query Account --output text)
role=$(aws iam list-roles --query "Roles[?contains(RoleName, 'ExecutionRole')].Arn | [0]" --output text)
aws s3 mb "s3://$bucket"
aws s3 sync --quiet photos "s3://$bucket/photos"
test "$(aws s3 ls --recursive "s3://$bucket/photos/" | wc -l)" = 50
channel() {
    echo "ChannelName=$1,ContentType=application/x-image,DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$bucket/photos/$1/}}"
}
aws sagemaker create-training-job \
    --training-job-name awscli-train \
    --role-arn "$role" \
    --algorithm-specification "TrainingImage=811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1,TrainingInputMode=File" \
    --hyper-parameters '{"num_classes": "2", "num_training_samples": "40", "num_layers": "20", "image_shape": "3,32,32", "epochs": "2", "mini_batch_size": "8", "learning_rate": "0.05"}' \
    --input-data-config "$(channel train)" "$(channel validation)" \
    --output-data-config "S3OutputPath=s3://$bucket/models" \
    --resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=10 \
    --stopping-condition MaxRuntimeInSeconds=600
aws sagemaker wait training-job-completed-or-stopped --training-job-name awscli-train
test "$(aws sagemaker describe-training-job --training-job-name awscli-train --query TrainingJobStatus --output text)" = Completed
aws logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix awscli-train/ \
    --query 'events[].message' --output text | grep Validation-accuracy

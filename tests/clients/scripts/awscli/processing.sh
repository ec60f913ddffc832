# A processing job: one's own script over one's own data.
bucket=awscli-$(aws sts get-caller-identity --query Account --output text)
role=$(aws sagemaker describe-training-job --training-job-name awscli-train --query RoleArn --output text)
aws s3 cp --quiet count.py "s3://$bucket/code/count.py"
aws s3 cp --quiet --recursive points "s3://$bucket/points"
input() {
    echo "InputName=$1,S3Input={S3Uri=s3://$bucket/$2,LocalPath=/opt/ml/processing/$3,S3DataType=S3Prefix,S3InputMode=File}"
}
aws sagemaker create-processing-job --processing-job-name awscli-processing --role-arn "$role" \
    --app-specification ImageUri=683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3,ContainerEntrypoint=python3,/opt/ml/processing/code/count.py \
    --processing-inputs "$(input code code/count.py code)" "$(input points points/ input)" \
    --processing-output-config "Outputs=[{OutputName=counts,S3Output={S3Uri=s3://$bucket/counts,LocalPath=/opt/ml/processing/output,S3UploadMode=EndOfJob}}]" \
    --processing-resources ClusterConfig='{InstanceCount=1,InstanceType=ml.m5.large,VolumeSizeInGB=10}'
aws sagemaker wait processing-job-completed-or-stopped --processing-job-name awscli-processing
test "$(aws s3 cp "s3://$bucket/counts/counts.json" -)" = '{"0.0": 20, "1.0": 20}'

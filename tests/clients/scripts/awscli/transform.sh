# Score a folder of photos without an endpoint.
bucket=awscli-$(aws sts get-caller-identity --query Account --output text)
described() { aws sagemaker describe-training-job --training-job-name awscli-train --query "$1" --output text; }
aws sagemaker create-model --model-name awscli-transform --execution-role-arn "$(described RoleArn)" \
    --primary-container "Image=$(described AlgorithmSpecification.TrainingImage),ModelDataUrl=$(described ModelArtifacts.S3ModelArtifacts)"
aws sagemaker create-transform-job --transform-job-name awscli-transform --model-name awscli-transform \
    --transform-input "ContentType=image/jpeg,DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$bucket/photos/validation/}}" \
    --transform-output "S3OutputPath=s3://$bucket/scores,Accept=application/json" \
    --transform-resources InstanceType=ml.m5.large,InstanceCount=1
aws sagemaker wait transform-job-completed-or-stopped --transform-job-name awscli-transform
test "$(aws sagemaker describe-transform-job --transform-job-name awscli-transform --query TransformJobStatus --output text)" = Completed
aws s3 sync --quiet "s3://$bucket/scores" scores
test "$(find scores -name '*.jpg.out' | wc -l)" = 10
python - <<'PYTHON'
import json, pathlib

for file in pathlib.Path("scores").rglob("*.out"):
    scores = json.loads(file.read_text())
    assert ("ko", "ok")[scores.index(max(scores))] == file.parent.name
PYTHON
aws sagemaker delete-model --model-name awscli-transform

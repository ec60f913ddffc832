# An asynchronous endpoint: answers come into S3.
bucket=awscli-$(aws sts get-caller-identity --query Account --output text)
described() { aws sagemaker describe-training-job --training-job-name awscli-train --query "$1" --output text; }
aws sagemaker create-model --model-name awscli-asynchronous --execution-role-arn "$(described RoleArn)" \
    --primary-container "Image=$(described AlgorithmSpecification.TrainingImage),ModelDataUrl=$(described ModelArtifacts.S3ModelArtifacts)"
aws sagemaker create-endpoint-config --endpoint-config-name awscli-asynchronous \
    --production-variants VariantName=AllTraffic,ModelName=awscli-asynchronous,InstanceType=ml.t2.medium,InitialInstanceCount=1 \
    --async-inference-config "OutputConfig={S3OutputPath=s3://$bucket/answers}"
aws sagemaker create-endpoint --endpoint-name awscli-asynchronous --endpoint-config-name awscli-asynchronous
aws sagemaker wait endpoint-in-service --endpoint-name awscli-asynchronous
photo=$(ls photos/validation/ok/*.jpg | head -1)
answer=$(aws sagemaker-runtime invoke-endpoint-async --endpoint-name awscli-asynchronous --content-type image/jpeg \
    --input-location "s3://$bucket/$photo" --query OutputLocation --output text)
aws s3api wait object-exists --bucket "$bucket" --key "${answer#s3://$bucket/}"
aws s3 cp "$answer" - | python -c "import json, sys; scores = json.load(sys.stdin); assert scores.index(max(scores)) == 1"
aws sagemaker delete-endpoint --endpoint-name awscli-asynchronous
aws sagemaker delete-endpoint-config --endpoint-config-name awscli-asynchronous
aws sagemaker delete-model --model-name awscli-asynchronous

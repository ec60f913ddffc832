# Deploy the trained model, classify, change its endpoint while it serves, and take it away again.
described() { aws sagemaker describe-training-job --training-job-name awscli-train --query "$1" --output text; }
aws sagemaker create-model --model-name awscli-deploy --execution-role-arn "$(described RoleArn)" \
    --primary-container "Image=$(described AlgorithmSpecification.TrainingImage),ModelDataUrl=$(described ModelArtifacts.S3ModelArtifacts)"
configure() {
    aws sagemaker create-endpoint-config --endpoint-config-name "$1" \
        --production-variants "VariantName=AllTraffic,ModelName=awscli-deploy,InstanceType=ml.t2.medium,InitialInstanceCount=$2"
}
classified() {
    for class in ko ok; do
        photo=$(ls photos/validation/$class/*.jpg | head -1)
        aws sagemaker-runtime invoke-endpoint --endpoint-name awscli-deploy --content-type image/jpeg \
            --body "fileb://$photo" scores.json
        python -c "import json; scores = json.load(open('scores.json')); assert ('ko', 'ok')[scores.index(max(scores))] == '$class', scores"
    done
}
configure awscli-deploy 1
configure awscli-deploy-2 2
aws sagemaker create-endpoint --endpoint-name awscli-deploy --endpoint-config-name awscli-deploy
aws sagemaker wait endpoint-in-service --endpoint-name awscli-deploy
classified
aws sagemaker update-endpoint --endpoint-name awscli-deploy --endpoint-config-name awscli-deploy-2
aws sagemaker wait endpoint-in-service --endpoint-name awscli-deploy
test "$(aws sagemaker describe-endpoint --endpoint-name awscli-deploy --query 'ProductionVariants[0].CurrentInstanceCount')" = 2
classified
aws sagemaker delete-endpoint --endpoint-name awscli-deploy
aws sagemaker wait endpoint-deleted --endpoint-name awscli-deploy
aws sagemaker delete-endpoint-config --endpoint-config-name awscli-deploy
aws sagemaker delete-endpoint-config --endpoint-config-name awscli-deploy-2
aws sagemaker delete-model --model-name awscli-deploy

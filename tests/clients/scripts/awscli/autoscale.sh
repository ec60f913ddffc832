# An endpoint that scales: a policy that follows its load, and a plan that needs two instances from now on.
described() { aws sagemaker describe-training-job --training-job-name awscli-train --query "$1" --output text; }
aws sagemaker create-model --model-name awscli-autoscale --execution-role-arn "$(described RoleArn)" \
    --primary-container "Image=$(described AlgorithmSpecification.TrainingImage),ModelDataUrl=$(described ModelArtifacts.S3ModelArtifacts)"
aws sagemaker create-endpoint-config --endpoint-config-name awscli-autoscale \
    --production-variants VariantName=AllTraffic,ModelName=awscli-autoscale,InstanceType=ml.t2.medium,InitialInstanceCount=1
aws sagemaker create-endpoint --endpoint-name awscli-autoscale --endpoint-config-name awscli-autoscale
aws sagemaker wait endpoint-in-service --endpoint-name awscli-autoscale
scaling() {
    command=$1
    shift
    aws application-autoscaling "$command" --service-namespace sagemaker \
        --resource-id endpoint/awscli-autoscale/variant/AllTraffic \
        --scalable-dimension sagemaker:variant:DesiredInstanceCount "$@"
}
scaling register-scalable-target --min-capacity 1 --max-capacity 2
scaling put-scaling-policy --policy-name follow-the-load --policy-type TargetTrackingScaling \
    --target-tracking-scaling-policy-configuration \
    '{"TargetValue": 70.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}'
scaling put-scheduled-action --scheduled-action-name two-from-now-on \
    --schedule "at($(python -c 'import datetime as d; print((d.datetime.now(d.UTC) + d.timedelta(seconds=10)).strftime("%Y-%m-%dT%H:%M:%S"))'))" \
    --scalable-target-action MinCapacity=2,MaxCapacity=2
for _ in $(seq 60); do
    instances=$(aws sagemaker describe-endpoint --endpoint-name awscli-autoscale --query 'ProductionVariants[0].CurrentInstanceCount')
    test "$instances" = 2 && break
    sleep 1
done
test "$instances" = 2
test -n "$(scaling describe-scaling-activities --query 'ScalingActivities[0].ActivityId' --output text)"
scaling deregister-scalable-target
aws sagemaker wait endpoint-in-service --endpoint-name awscli-autoscale
aws sagemaker delete-endpoint --endpoint-name awscli-autoscale
aws sagemaker delete-endpoint-config --endpoint-config-name awscli-autoscale
aws sagemaker delete-model --model-name awscli-autoscale

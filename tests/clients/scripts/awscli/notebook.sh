# Notebook instances: every operation, from the lifecycle configuration to the deletion.
role=$(aws iam list-roles --query 'Roles[0].Arn' --output text)
reached() {
    until [ "$(aws sagemaker describe-notebook-instance --notebook-instance-name awscli --query NotebookInstanceStatus --output text)" = "$1" ]; do sleep 0.2; done
}
aws sagemaker create-notebook-instance-lifecycle-config --notebook-instance-lifecycle-config-name awscli \
    --on-start "Content=$(printf 'echo started > SageMaker/told' | base64)"
aws sagemaker update-notebook-instance-lifecycle-config --notebook-instance-lifecycle-config-name awscli \
    --on-create "Content=$(printf 'echo made' | base64)"
test "$(aws sagemaker describe-notebook-instance-lifecycle-config --notebook-instance-lifecycle-config-name awscli --query 'OnCreate[0].Content' --output text | base64 -d)" = "echo made"
test "$(aws sagemaker list-notebook-instance-lifecycle-configs --query 'length(NotebookInstanceLifecycleConfigs)')" = 1
aws sagemaker create-code-repository --code-repository-name awscli --git-config RepositoryUrl=https://git.example.com/marbles.git
aws sagemaker update-code-repository --code-repository-name awscli \
    --git-config SecretArn=arn:aws:secretsmanager:us-east-1:111122223333:secret:git
test "$(aws sagemaker describe-code-repository --code-repository-name awscli --query GitConfig.RepositoryUrl --output text)" = https://git.example.com/marbles.git
test "$(aws sagemaker list-code-repositories --query 'CodeRepositorySummaryList[].CodeRepositoryName' --output text)" = awscli
aws sagemaker delete-code-repository --code-repository-name awscli

aws sagemaker create-notebook-instance --notebook-instance-name awscli --instance-type ml.t3.medium --role-arn "$role" \
    --lifecycle-config-name awscli --tags Key=tobo:idle-stop-minutes,Value=60
reached InService
aws sagemaker create-presigned-notebook-instance-url --notebook-instance-name awscli --query AuthorizedUrl --output text |
    grep -q '^http://awscli\.notebook\.us-east-1\.localhost:.*/notebook/awscli/?authToken='
aws logs get-log-events --log-group-name /aws/sagemaker/NotebookInstances --log-stream-name awscli/LifecycleConfigOnCreate \
    --query 'events[].message' --output text | grep -q made
test "$(aws sagemaker list-notebook-instances --status-equals InService --query 'NotebookInstances[].NotebookInstanceName' --output text)" = awscli
aws sagemaker stop-notebook-instance --notebook-instance-name awscli
reached Stopped
aws sagemaker update-notebook-instance --notebook-instance-name awscli --instance-type ml.t3.large --disassociate-lifecycle-config
reached Stopped
aws sagemaker start-notebook-instance --notebook-instance-name awscli
reached InService
test "$(aws sagemaker describe-notebook-instance --notebook-instance-name awscli --query InstanceType --output text)" = ml.t3.large
aws sagemaker stop-notebook-instance --notebook-instance-name awscli
reached Stopped
aws sagemaker delete-notebook-instance-lifecycle-config --notebook-instance-lifecycle-config-name awscli
aws sagemaker delete-notebook-instance --notebook-instance-name awscli
aws sagemaker wait notebook-instance-deleted --notebook-instance-name awscli

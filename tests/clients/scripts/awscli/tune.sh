# Two trials of the learning rate, and the best of them.
aws sagemaker describe-training-job --training-job-name awscli-train --output json > job.json
python - > tuning.json <<'PYTHON'
import json

job = json.load(open("job.json"))
static = {name: value for name, value in job["HyperParameters"].items() if name != "learning_rate"}
print(
    json.dumps(
        {
            "HyperParameterTuningJobName": "awscli-tune",
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [{"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1"}]
                },
            },
            "TrainingJobDefinition": {
                "AlgorithmSpecification": {
                    "TrainingImage": job["AlgorithmSpecification"]["TrainingImage"],
                    "TrainingInputMode": "File",
                },
                "RoleArn": job["RoleArn"],
                "InputDataConfig": job["InputDataConfig"],
                "OutputDataConfig": job["OutputDataConfig"],
                "ResourceConfig": job["ResourceConfig"],
                "StoppingCondition": job["StoppingCondition"],
                "StaticHyperParameters": {**static, "epochs": "1"},
            },
        }
    )
)
PYTHON
aws sagemaker create-hyper-parameter-tuning-job --cli-input-json file://tuning.json
status() {
    aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name awscli-tune \
        --query HyperParameterTuningJobStatus --output text
}
while test "$(status)" = InProgress; do sleep 2; done
test "$(status)" = Completed
best=$(aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name awscli-tune \
    --query BestTrainingJob.TrainingJobName --output text)
aws sagemaker list-training-jobs-for-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name awscli-tune \
    --sort-by FinalObjectiveMetricValue --sort-order Descending --page-size 1 \
    --query 'TrainingJobSummaries[].TrainingJobName' --output text | tee trials.txt
test "$(wc -w < trials.txt)" = 2
grep -w -e "$best" trials.txt

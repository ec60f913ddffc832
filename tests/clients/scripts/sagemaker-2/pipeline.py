"""A pipeline of the SDK: clean, train, judge, register; started, awaited, updated, retried and deleted."""

from pathlib import Path

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingOutput
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

session = PipelineSession()
role = sagemaker.get_execution_role()
epochs = ParameterInteger("Epochs", default_value=2)
least = ParameterFloat("Least", default_value=0.5)

Path("count.py").write_text(
    "import json\nopen('/opt/ml/processing/counts/counts.json', 'w').write(json.dumps({'photos': {'train': 40}}))\n"
)
counts = PropertyFile(name="Counts", output_name="counts", path="counts.json")
processor = SKLearnProcessor(
    "1.2-1", role=role, instance_type="ml.t3.medium", instance_count=1, sagemaker_session=session
)
count = ProcessingStep(
    "Count",
    step_args=processor.run(
        code="count.py", outputs=[ProcessingOutput(output_name="counts", source="/opt/ml/processing/counts")]
    ),
    property_files=[counts],
)

photos = session.upload_data("photos", bucket=session.default_bucket(), key_prefix="sdk2-pipeline/photos")
estimator = Estimator(
    sagemaker.image_uris.retrieve("image-classification", session.boto_region_name),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    sagemaker_session=session,
    hyperparameters={
        "num_classes": 2,
        "num_training_samples": JsonGet(step_name=count.name, property_file=counts, json_path="photos.train"),
        "num_layers": 20,
        "image_shape": "3,32,32",
        "epochs": epochs,
        "mini_batch_size": 8,
        "learning_rate": 0.05,
    },
)
channels = {
    name: TrainingInput(f"{photos}/{name}", content_type="application/x-image") for name in ("train", "validation")
}
train = TrainingStep("Train", step_args=estimator.fit(channels))

model = sagemaker.Model(
    image_uri=estimator.training_image_uri(),
    model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
    role=role,
    sagemaker_session=session,
)
register = ModelStep(
    "Register",
    step_args=model.register(
        content_types=["application/x-image"],
        response_types=["application/json"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="sdk2-pipeline",
        approval_status="PendingManualApproval",
    ),
)
accuracy = train.properties.FinalMetricDataList["validation:accuracy"].Value
judge = ConditionStep(
    "GoodEnough",
    conditions=[ConditionGreaterThanOrEqualTo(left=accuracy, right=least)],
    if_steps=[register],
    else_steps=[FailStep("TooBad", error_message=Join(on=" ", values=["accuracy is below", least]))],
)
pipeline = Pipeline("sdk2-pipeline", parameters=[epochs, least], steps=[count, train, judge], sagemaker_session=session)
pipeline.upsert(role_arn=role)
pipeline.upsert(role_arn=role, description="once more")

execution = pipeline.start(parameters={"Epochs": 1})
execution.wait(delay=1, max_attempts=300)
steps = {step["StepName"]: step for step in execution.list_steps()}
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert list(steps) == ["Register-RegisterModel", "GoodEnough", "Train", "Count"], list(steps)
package = steps["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
told = boto3.client("sagemaker").describe_model_package(ModelPackageName=package)
assert told["ModelApprovalStatus"] == "PendingManualApproval"
job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
given = boto3.client("sagemaker").describe_training_job(TrainingJobName=job)["HyperParameters"]
assert (given["epochs"], given["num_training_samples"]) == ("1", "40"), given

execution = pipeline.start(parameters={"Least": 2.0, "Epochs": 1})
try:
    execution.wait(delay=1, max_attempts=300)
    raise AssertionError("it was to fail")
except Exception as error:
    assert "Waiter" in type(error).__name__, error
assert "accuracy is below 2.0" in execution.describe()["FailureReason"]
assert {one["Name"]: one["Value"] for one in execution.list_parameters()["PipelineParameters"]}["Least"] == "2.0"
pipeline.delete()

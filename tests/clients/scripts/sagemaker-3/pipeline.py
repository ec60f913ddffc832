"""A pipeline of the SDK: count, train, judge; started, awaited, updated and deleted."""

from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

session = PipelineSession()
role = get_execution_role(session)
epochs = ParameterInteger("Epochs", default_value=2)
least = ParameterFloat("Least", default_value=0.5)

Path("count.py").write_text(
    "import json\nopen('/opt/ml/processing/counts/counts.json', 'w').write(json.dumps({'photos': {'train': 40}}))\n"
)
counts = PropertyFile(name="Counts", output_name="counts", path="counts.json")
processor = ScriptProcessor(
    image_uri=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large"),
    command=["python3"],
    role=role,
    instance_type="ml.t3.medium",
    instance_count=1,
    sagemaker_session=session,
)
target = ProcessingS3Output(
    s3_uri=f"s3://{session.default_bucket()}/sdk3-pipeline/counts",
    local_path="/opt/ml/processing/counts",
    s3_upload_mode="EndOfJob",
)
count = ProcessingStep(
    "Count",
    step_args=processor.run(code="count.py", outputs=[ProcessingOutput(output_name="counts", s3_output=target)]),
    property_files=[counts],
)

photos = session.upload_data("photos", bucket=session.default_bucket(), key_prefix="sdk3-pipeline/photos")
trainer = ModelTrainer(
    training_image=image_uris.retrieve("image-classification", session.boto_region_name),
    role=role,
    sagemaker_session=session,
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
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
train = TrainingStep(
    "Train",
    step_args=trainer.train(
        input_data_config=[
            InputData(channel_name=name, data_source=f"{photos}/{name}", content_type="application/x-image")
            for name in ("train", "validation")
        ]
    ),
)
accuracy = train.properties.FinalMetricDataList["validation:accuracy"].Value
judge = ConditionStep(
    "GoodEnough",
    conditions=[ConditionGreaterThanOrEqualTo(left=accuracy, right=least)],
    if_steps=[],
    else_steps=[FailStep("TooBad", error_message=Join(on=" ", values=["accuracy is below", least]))],
)
pipeline = Pipeline("sdk3-pipeline", parameters=[epochs, least], steps=[count, train, judge], sagemaker_session=session)
pipeline.upsert(role_arn=role)
pipeline.upsert(role_arn=role, description="once more")

execution = pipeline.start(parameters={"Epochs": 1})
execution.wait(delay=1, max_attempts=300)
steps = {step["StepName"]: step for step in execution.list_steps()}
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert list(steps) == ["GoodEnough", "Train", "Count"], list(steps)
pipeline.delete()

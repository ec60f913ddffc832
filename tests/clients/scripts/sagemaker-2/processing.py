"""A processing job: one's own script over one's own data."""

import json

import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn.processing import SKLearnProcessor

session = sagemaker.Session()
bucket = session.default_bucket()
processor = SKLearnProcessor(
    framework_version="1.2-1",
    role=sagemaker.get_execution_role(),
    instance_type="ml.m5.large",
    instance_count=1,
)
processor.run(
    code="count.py",
    inputs=[ProcessingInput(source="points", destination="/opt/ml/processing/input")],
    outputs=[ProcessingOutput(source="/opt/ml/processing/output", destination=f"s3://{bucket}/sdk2/counts")],
    job_name="sdk2-processing",
)
assert processor.latest_job.describe()["ProcessingJobStatus"] == "Completed"
assert json.loads(session.read_s3_file(bucket, "sdk2/counts/counts.json")) == {"0.0": 20, "1.0": 20}

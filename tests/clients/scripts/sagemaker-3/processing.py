"""A processing job: one's own script over one's own data."""

import json

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output

session = Session()
bucket = session.default_bucket()
processor = ScriptProcessor(
    image_uri=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large"),
    command=["python3"],
    role=get_execution_role(session),
    instance_type="ml.m5.large",
    instance_count=1,
)
source = ProcessingS3Input(
    s3_uri="points", local_path="/opt/ml/processing/input", s3_data_type="S3Prefix", s3_input_mode="File"
)
target = ProcessingS3Output(
    s3_uri=f"s3://{bucket}/sdk3/counts", local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
)
processor.run(
    code="count.py",
    inputs=[ProcessingInput(input_name="points", s3_input=source)],
    outputs=[ProcessingOutput(output_name="counts", s3_output=target)],
    job_name="sdk3-processing",
)
processor.latest_job.refresh()
assert processor.latest_job.processing_job_status == "Completed"
assert json.loads(session.read_s3_file(bucket, "sdk3/counts/counts.json")) == {"0.0": 20, "1.0": 20}

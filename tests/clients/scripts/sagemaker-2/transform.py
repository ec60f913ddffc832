"""Score a folder of photos without an endpoint."""

import json

from sagemaker.estimator import Estimator

estimator = Estimator.attach("sdk2-train")
session = estimator.sagemaker_session
bucket = session.default_bucket()
transformer = estimator.transformer(
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/sdk2/scores",
    accept="application/json",
    max_concurrent_transforms=4,
)
transformer.transform(
    f"s3://{bucket}/sdk2/photos/validation", content_type="image/jpeg", job_name="sdk2-transform", wait=True, logs=True
)
outputs = session.list_s3_files(bucket, "sdk2/scores")
assert len(outputs) == 10, outputs
for key in outputs:
    assert key.endswith(".jpg.out")
    scores = json.loads(session.read_s3_file(bucket, key))
    assert ("ko", "ok")[scores.index(max(scores))] == key.split("/")[-2]
transformer.delete_model()

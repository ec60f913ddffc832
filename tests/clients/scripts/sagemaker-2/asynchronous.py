"""An asynchronous endpoint: answers come into S3."""

import json
from pathlib import Path

from sagemaker.async_inference import AsyncInferenceConfig, WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.serializers import IdentitySerializer

estimator = Estimator.attach("sdk2-train")
session = estimator.sagemaker_session
bucket = session.default_bucket()
predictor = estimator.deploy(
    initial_instance_count=1,
    instance_type="ml.t2.medium",
    endpoint_name="sdk2-asynchronous",
    async_inference_config=AsyncInferenceConfig(output_path=f"s3://{bucket}/sdk2/answers"),
    serializer=IdentitySerializer("image/jpeg"),
    deserializer=JSONDeserializer(),
)
photo = min(Path("photos/validation/ok").glob("*.jpg"))
response = predictor.predict_async(photo.read_bytes())
scores = response.get_result(WaiterConfig(max_attempts=60, delay=1))
assert scores.index(max(scores)) == 1
sent = session.upload_data(str(photo), key_prefix="sdk2/questions")
response = predictor.predict_async(input_path=sent, initial_args={"ContentType": "image/jpeg"})
assert response.get_result(WaiterConfig(max_attempts=60, delay=1)) == scores
answer = session.read_s3_file(bucket, response.output_path.split("/", 3)[3])
assert json.loads(answer) == scores
predictor.delete_model()
predictor.delete_endpoint()

"""Deploy the trained model, classify, change its endpoint while it serves, and take it away again."""

from pathlib import Path

from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.predictor import Predictor
from sagemaker.serializers import IdentitySerializer

predictor = Estimator.attach("sdk2-train").deploy(
    initial_instance_count=1,
    instance_type="ml.t2.medium",
    endpoint_name="sdk2-deploy",
    serializer=IdentitySerializer("image/jpeg"),
    deserializer=JSONDeserializer(),
)


def classified(predictor: Predictor) -> None:
    for photo in sorted(Path("photos/validation").glob("*/*.jpg")):
        scores = predictor.predict(photo.read_bytes())
        assert len(scores) == 2
        assert ("ko", "ok")[scores.index(max(scores))] == photo.parent.name


classified(predictor)
again = Predictor("sdk2-deploy", serializer=IdentitySerializer("image/jpeg"), deserializer=JSONDeserializer())
classified(again)
predictor.update_endpoint(initial_instance_count=2, instance_type="ml.t2.medium")
described = predictor.sagemaker_session.sagemaker_client.describe_endpoint(EndpointName="sdk2-deploy")
assert described["EndpointStatus"] == "InService"
assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
classified(predictor)
predictor.delete_model()
predictor.delete_endpoint(delete_endpoint_config=True)

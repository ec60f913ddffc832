"""An algorithm of one's own: trained by its name, tuned, and served by a model package that is made from it."""

import json
import pathlib

import sagemaker
from sagemaker import AlgorithmEstimator, ModelPackage
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import IdentitySerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

session = sagemaker.Session()
role = sagemaker.get_execution_role()
image = sagemaker.image_uris.retrieve("image-classification", session.boto_region_name)
photos = session.upload_data("photos", bucket=session.default_bucket(), key_prefix="sdk2/algorithm")
channels = {
    name: TrainingInput(f"{photos}/{name}", content_type="application/x-image") for name in ("train", "validation")
}


def integer(name, low, high, **more):
    span = {"IntegerParameterRangeSpecification": {"MinValue": str(low), "MaxValue": str(high)}}
    return {"Name": name, "Type": "Integer", "Range": span, **more}


rate = {"ContinuousParameterRangeSpecification": {"MinValue": "0.00001", "MaxValue": "0.1"}}
arn = session.sagemaker_client.create_algorithm(
    AlgorithmName="sdk2-marbles",
    TrainingSpecification={
        "TrainingImage": image,
        "SupportedHyperParameters": [
            integer("num_classes", 2, 10, IsRequired=True),
            integer("num_training_samples", 1, 1000, IsRequired=True),
            integer("num_layers", 20, 50, DefaultValue="20"),
            integer("epochs", 1, 10, DefaultValue="2"),
            integer("mini_batch_size", 1, 64, DefaultValue="8"),
            {"Name": "image_shape", "Type": "FreeText", "DefaultValue": "3,32,32"},
            {"Name": "learning_rate", "Type": "Continuous", "Range": rate, "IsTunable": True, "DefaultValue": "0.05"},
        ],
        "SupportedTrainingInstanceTypes": ["ml.m5.large"],
        "TrainingChannels": [
            {
                "Name": name,
                "IsRequired": True,
                "SupportedContentTypes": ["application/x-image"],
                "SupportedInputModes": ["File", "Pipe"],
            }
            for name in ("train", "validation")
        ],
        "SupportedTuningJobObjectiveMetrics": [{"Type": "Maximize", "MetricName": "validation:accuracy"}],
    },
    InferenceSpecification={
        "Containers": [{"Image": image}],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"],
    },
)["AlgorithmArn"]

estimator = AlgorithmEstimator(arn, role, 1, "ml.m5.large")
estimator.set_hyperparameters(num_classes=2, num_training_samples=40)
estimator.fit(channels, job_name="sdk2-algorithm", logs=False)
assert estimator.latest_training_job.describe()["AlgorithmSpecification"]["AlgorithmName"] == arn
attached = AlgorithmEstimator.attach("sdk2-algorithm")
assert attached.algorithm_arn == arn and attached.hyperparameters()["image_shape"] == "3,32,32"

tuner = HyperparameterTuner(
    estimator, "validation:accuracy", {"learning_rate": ContinuousParameter(1e-4, 0.1)}, max_jobs=2, max_parallel_jobs=2
)
tuner.fit(channels, job_name="sdk2-algorithm-tune")
assert tuner.describe()["HyperParameterTuningJobStatus"] == "Completed"
assert tuner.best_training_job()

model = estimator.create_model(role=role, serializer=IdentitySerializer("image/jpeg"))
predictor = model.deploy(1, "ml.m5.large", endpoint_name="sdk2-algorithm")
scores = json.loads(predictor.predict(pathlib.Path("photos/validation/ko/40.jpg").read_bytes()))
assert scores[0] > scores[1], scores
predictor.delete_endpoint()
again = ModelPackage(role=role, model_package_arn=model.model_package_arn, sagemaker_session=session)
again._create_sagemaker_model()
container = session.sagemaker_client.describe_model(ModelName=again.name)["PrimaryContainer"]
assert container["ModelDataUrl"] == estimator.model_data

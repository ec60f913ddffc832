"""Upload photos, train the built-in image classifier, and follow its log."""

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

session = sagemaker.Session()
role = sagemaker.get_execution_role()
photos = session.upload_data("photos", bucket=session.default_bucket(), key_prefix="sdk2/photos")
channels = {
    name: TrainingInput(f"{photos}/{name}", content_type="application/x-image") for name in ("train", "validation")
}
estimator = Estimator(
    sagemaker.image_uris.retrieve("image-classification", session.boto_region_name),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    hyperparameters={
        "num_classes": 2,
        "num_training_samples": 40,
        "num_layers": 20,
        "image_shape": "3,32,32",
        "epochs": 2,
        "mini_batch_size": 8,
        "learning_rate": 0.05,
    },
)
estimator.fit(channels, job_name="sdk2-train")
assert estimator.model_data.endswith("/sdk2-train/output/model.tar.gz")
assert session.default_bucket() in estimator.model_data

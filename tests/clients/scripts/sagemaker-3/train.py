"""Upload photos, train the built-in image classifier, and follow its log."""

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

session = Session()
photos = session.upload_data("photos", bucket=session.default_bucket(), key_prefix="sdk3/photos")
trainer = ModelTrainer(
    training_image=image_uris.retrieve("image-classification", session.boto_region_name),
    role=get_execution_role(session),
    base_job_name="sdk3-train",
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
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
trainer.train(
    input_data_config=[
        InputData(channel_name=name, data_source=f"{photos}/{name}", content_type="application/x-image")
        for name in ("train", "validation")
    ]
)
job = trainer._latest_training_job
job.refresh()
assert job.training_job_status == "Completed"
assert session.default_bucket() in job.model_artifacts.s3_model_artifacts

"""Image classification: SageMaker's built-in algorithm of that name, in our own code. Loads nothing heavy."""

from tobo.algorithms.image_classification.hyperparameters import HYPERPARAMETERS
from tobo.kit.algorithm import Algorithm, Channel, Metric

_PICTURES = ("application/x-image", "application/x-recordio", "application/jsonlines", "image/jpeg", "image/png")
_LIST = ("application/x-image", "text/plain", "text/tab-separated-values")

ALGORITHM = Algorithm(
    name="image-classification",
    repositories=("image-classification", "image-classification-neo"),
    hyperparameters=HYPERPARAMETERS,
    metrics=(
        Metric("train:accuracy", r"Epoch\[\d+\] Train-accuracy=([0-9.]+)"),
        Metric("validation:accuracy", r"Epoch\[\d+\] Validation-accuracy=([0-9.]+)"),
        Metric("train:cross_entropy", r"Epoch\[\d+\] Train-cross-entropy=([0-9.]+)"),
        Metric("validation:cross_entropy", r"Epoch\[\d+\] Validation-cross-entropy=([0-9.]+)"),
        Metric("train:top_k_accuracy", r"Epoch\[\d+\] Train-top_k_accuracy_\d+=([0-9.]+)"),
        Metric("validation:top_k_accuracy", r"Epoch\[\d+\] Validation-top_k_accuracy_\d+=([0-9.]+)"),
    ),
    channels=(
        Channel("train", _PICTURES, required=True, description="RecordIO, pictures, a manifest, or a folder a class."),
        Channel("validation", _PICTURES, description="Unseen pictures; they choose the best epoch."),
        Channel("train_lst", _LIST, description="Lines of `index \\t label \\t path` below train."),
        Channel("validation_lst", _LIST, description="The same for validation."),
        Channel("model", ("application/x-sagemaker-model",), description="A model to train further."),
    ),
    train="tobo.algorithms.image_classification.train:main",
    serve="tobo.inference.server:main",
    preload=(
        "torch",
        "torch._dynamo",
        "torch.fx",
        "onnx",
        "onnxruntime",
        "numpy",
        "PIL.Image",
        "safetensors.torch",
        "tobo.algorithms.image_classification.train",
    ),
)

"""Framework images: the user's own code with scikit-learn, XGBoost, PyTorch and others, in training and in serving.

Repository names and framework modules are those of AWS's published images (SageMaker Developer Guide, "Docker Registry
Paths"; AWS Deep Learning Containers). A guest: what is here runs in the job's process and knows `kit` and `inference`.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec

from tobo.kit.algorithm import repository_of


@dataclass(frozen=True)
class Framework:
    """A framework whose images run here.

    `patterns` match the repository names of its images; `modules` are what must be importable, with the distribution
    that brings each; `framework_module` is what SM_FRAMEWORK_MODULE says; `defaults` is the module with the functions
    that serve where the user's code has none.
    """

    name: str
    patterns: tuple[str, ...]
    modules: tuple[tuple[str, str], ...]
    framework_module: str
    defaults: str = "tobo.frameworks.defaults"

    def missing(self) -> str:
        """The pip command's arguments that would make it run here, "" where it does."""
        return " ".join(distribution for module, distribution in self.modules if not _there(module))


FRAMEWORKS = (
    Framework(
        "scikit-learn",
        ("sagemaker-scikit-learn",),
        (("sklearn", "scikit-learn"),),
        "sagemaker_sklearn_container.training:main",
    ),
    Framework(
        "XGBoost",
        ("sagemaker-xgboost",),
        (("xgboost", "xgboost-cpu"),),
        "sagemaker_xgboost_container.training:main",
        "tobo.frameworks.xgboost_defaults",
    ),
    Framework(
        "PyTorch",
        ("pytorch-training*", "pytorch-inference*", "sagemaker-pytorch*"),
        (("torch", "torch"),),
        "sagemaker_pytorch_container.training:main",
        "tobo.frameworks.pytorch_defaults",
    ),
    Framework(
        "Hugging Face",
        ("huggingface-pytorch-training*", "huggingface-pytorch-inference*"),
        (("torch", "torch"), ("transformers", "transformers")),
        "sagemaker_pytorch_container.training:main",
    ),
    Framework(
        "TensorFlow",
        ("tensorflow-*", "sagemaker-tensorflow*", "huggingface-tensorflow-*"),
        (("tensorflow", "tensorflow"),),
        "sagemaker_tensorflow_container.training:main",
    ),
    Framework(
        "MXNet",
        ("mxnet-*", "sagemaker-mxnet*"),
        (("mxnet", "mxnet"),),
        "sagemaker_mxnet_container.training:main",
    ),
    Framework("Python", ("sagemaker-base-python*", "sagemaker-data-science*", "sagemaker-distribution*"), (), ""),
)


@cache
def find_framework(image_uri: str) -> Framework | None:
    """The framework that an image URI means, whether it is installed or not, or None."""
    repository = repository_of(image_uri)
    for framework in FRAMEWORKS:
        if any(fnmatchcase(repository, pattern) for pattern in framework.patterns):
            return framework
    return None


def _there(module: str) -> bool:
    return find_spec(module) is not None

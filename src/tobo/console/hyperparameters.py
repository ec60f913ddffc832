"""What the built-in algorithms declare of their hyperparameters, as fields of a form."""

from tobo.algorithms import find_algorithm
from tobo.kit.algorithm import Hyperparameter

BASIC = (
    *("epochs", "learning_rate", "mini_batch_size", "optimizer", "image_shape", "backbone", "num_layers"),
    *("use_pretrained_model", "augmentation_type", "train_layers", "lr_scheduler", "weight_decay"),
)
"""What is looked at first; the others are folded away."""


def declared(image: str) -> tuple[list[Hyperparameter], list[Hyperparameter]]:
    """(first, others) of the algorithm whose image it is, required ones first; nothing of images that are not ours."""
    found = find_algorithm(image)
    if found is None:
        return [], []
    required = [one for one in found.hyperparameters if one.required]
    basic = [one for one in found.hyperparameters if one.name in BASIC and not one.required]
    rest = [one for one in found.hyperparameters if not one.required and one.name not in BASIC]
    return required + sorted(basic, key=lambda one: BASIC.index(one.name)), rest

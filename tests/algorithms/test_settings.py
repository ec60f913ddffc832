"""Hyperparameters as they travel become settings; what cannot be is refused by name."""

import pytest

from tobo.algorithms.image_classification import ALGORITHM
from tobo.algorithms.image_classification.settings import Settings, parse
from tobo.kit.guest import UserError

REQUIRED = {"num_classes": "4", "num_training_samples": "100"}


def test_defaults_are_the_contracts() -> None:
    settings = parse(REQUIRED)
    assert (settings.num_layers, settings.epochs, settings.mini_batch_size) == (152, 30, 32)
    assert (settings.channels, settings.height, settings.width) == (3, 224, 224)
    assert (settings.optimizer, settings.learning_rate, settings.momentum, settings.weight_decay) == (
        "sgd",
        0.1,
        0.9,
        1e-4,
    )
    assert (settings.beta_1, settings.beta_2, settings.eps, settings.gamma) == (0.9, 0.999, 1e-8, 0.9)
    assert (settings.early_stopping, settings.early_stopping_min_epochs, settings.early_stopping_patience) == (
        False,
        10,
        5,
    )
    assert settings.resize is None and settings.top_k is None and settings.augmentation_type is None


@pytest.mark.parametrize(
    ("sent", "attribute", "expected"),
    [
        ({"num_layers": "18"}, "architecture", "resnet18"),
        ({"num_layers": "110"}, "architecture", "resnet110_cifar"),
        ({"backbone": "mobilenet_v2", "num_layers": "18"}, "architecture", "mobilenetv2_100"),
        ({"image_shape": "1, 28,32"}, "channels", 1),
        ({"image_shape": "1, 28,32"}, "width", 32),
        ({"lr_scheduler_step": "10, 20"}, "lr_scheduler_step", (10, 20)),
        ({"early_stopping": "True"}, "early_stopping", True),
        ({"early_stopping": "false"}, "early_stopping", False),
        ({"use_pretrained_model": "1"}, "use_pretrained_model", True),
        ({"multi_label": "0"}, "multi_label", False),
        ({"resize": "256"}, "resize", 256),
        ({"eps": "1e-6"}, "eps", 1e-6),
        ({"kv_store": "dist_sync"}, "seed", 0),
    ],
)
def test_values_are_read(sent: dict[str, str], attribute: str, expected: object) -> None:
    assert getattr(parse(REQUIRED | sent), attribute) == expected


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"epochs": "ten"}, "epochs='ten' is not a whole number"),
        ({"learning_rate": "fast"}, "learning_rate='fast' is not a number"),
        ({"learning_rate": "2"}, "learning_rate=2 is not in 0 to 1"),
        ({"learning_rate": "nan"}, "learning_rate=nan is not in 0 to 1"),
        ({"epochs": "0"}, "epochs=0 is not in 1 to inf"),
        ({"optimizer": "lion"}, "optimizer='lion' is none of sgd, "),
        ({"num_layers": "19"}, "num_layers='19' is none of 18, "),
        ({"image_shape": "3,224"}, "image_shape='3,224' has to hold 3"),
        ({"image_shape": "2,24,24"}, "2 channels; 1 and 3"),
        ({"resize": "100"}, "resize=100 is smaller than image_shape's side of 224"),
        ({"checkpoint_frequency": "31"}, "checkpoint_frequency=31 is larger than epochs=30"),
        ({"top_k": "5"}, "top_k=5 is larger than num_classes=4"),
        ({"num_classes": "1"}, "num_classes=1 leaves nothing"),
    ],
)
def test_what_cannot_be_is_refused_by_name(sent: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse(REQUIRED | sent)


def test_a_required_one_is_missed_by_name() -> None:
    with pytest.raises(UserError, match="'num_classes' is required"):
        parse({"num_training_samples": "1"})


def test_every_declared_hyperparameter_is_read() -> None:
    """Declared and unread would be a promise not kept: each is a field of Settings, or documented as unused."""
    renamed = {"image_shape": "height", "kv_store": "seed"}
    fields = Settings.__dataclass_fields__
    assert [h.name for h in ALGORITHM.hyperparameters if renamed.get(h.name, h.name) not in fields] == []


def test_the_declaration_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys; from tobo.algorithms.image_classification import ALGORITHM; print({'torch', 'numpy', 'PIL'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"

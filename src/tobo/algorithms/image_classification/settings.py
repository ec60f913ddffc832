"""hyperparameters.json, typed and checked against itself."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tobo.algorithms.image_classification.hyperparameters import CIFAR_LAYERS, HYPERPARAMETERS
from tobo.kit.algorithm import Hyperparameter
from tobo.kit.guest import UserError


@dataclass(frozen=True)
class Settings:
    """The hyperparameters of one job; hyperparameters.py says what each means."""

    num_classes: int
    num_training_samples: int
    num_layers: int
    use_pretrained_model: bool
    channels: int
    height: int
    width: int
    epochs: int
    mini_batch_size: int
    learning_rate: float
    optimizer: str
    momentum: float
    weight_decay: float
    beta_1: float
    beta_2: float
    eps: float
    gamma: float
    lr_scheduler: str
    lr_scheduler_factor: float
    lr_scheduler_step: tuple[int, ...]
    augmentation_type: str | None
    resize: int | None
    early_stopping: bool
    early_stopping_min_epochs: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    checkpoint_frequency: int | None
    multi_label: bool
    use_weighted_loss: bool
    top_k: int | None
    precision_dtype: str
    backbone: str
    train_layers: str
    pretrained_weights: str | None
    head_c: float
    label_smoothing: float
    weight_averaging: float
    seed: int

    @property
    def architecture(self) -> str:
        """The published name: resnet18, resnet20_cifar, mobilenetv2_100."""
        if self.backbone == "mobilenet_v2":
            return "mobilenetv2_100"
        return f"resnet{self.num_layers}_cifar" if self.num_layers in CIFAR_LAYERS else f"resnet{self.num_layers}"


def load(file: Path) -> Settings:
    """Reads hyperparameters.json; raises UserError naming the hyperparameter."""
    try:
        sent = json.loads(file.read_text())
    except FileNotFoundError:
        raise UserError(f"There is no {file.name}; it holds the hyperparameters as a JSON object of strings.") from None
    except ValueError as error:
        raise UserError(f"{file.name} is not JSON ({error}).") from None
    return parse({str(name): str(value) for name, value in sent.items()})


def parse(sent: Mapping[str, str]) -> Settings:
    """Settings of hyperparameters as they travel (strings); raises UserError naming the hyperparameter."""
    value: dict[str, str] = {h.name: h.default for h in HYPERPARAMETERS if h.default is not None}
    value |= {name: text.strip() for name, text in sent.items()}
    for declared in HYPERPARAMETERS:
        if declared.name in value:
            _check_declared(declared, value[declared.name])
        elif declared.required:
            raise UserError(f"The hyperparameter '{declared.name}' is required.")

    def whole(name: str) -> int:
        return int(_number(name, value[name], whole=True))

    def real(name: str) -> float:
        return _number(name, value[name])

    def flag(name: str) -> bool:
        return value[name].lower() in ("1", "true")

    channels, height, width = _numbers("image_shape", value["image_shape"], 3)
    if channels not in (1, 3):
        raise UserError(f"image_shape '{value['image_shape']}' has {channels} channels; 1 and 3 are possible.")
    settings = Settings(
        num_classes=whole("num_classes"),
        num_training_samples=whole("num_training_samples"),
        num_layers=whole("num_layers"),
        use_pretrained_model=flag("use_pretrained_model"),
        channels=channels,
        height=height,
        width=width,
        epochs=whole("epochs"),
        mini_batch_size=whole("mini_batch_size"),
        learning_rate=real("learning_rate"),
        optimizer=value["optimizer"],
        momentum=real("momentum"),
        weight_decay=real("weight_decay"),
        beta_1=real("beta_1"),
        beta_2=real("beta_2"),
        eps=real("eps"),
        gamma=real("gamma"),
        lr_scheduler=value["lr_scheduler"],
        lr_scheduler_factor=real("lr_scheduler_factor"),
        lr_scheduler_step=_numbers("lr_scheduler_step", value.get("lr_scheduler_step", "")),
        augmentation_type=value.get("augmentation_type"),
        resize=whole("resize") if "resize" in value else None,
        early_stopping=flag("early_stopping"),
        early_stopping_min_epochs=whole("early_stopping_min_epochs"),
        early_stopping_patience=whole("early_stopping_patience"),
        early_stopping_tolerance=real("early_stopping_tolerance"),
        checkpoint_frequency=whole("checkpoint_frequency") if "checkpoint_frequency" in value else None,
        multi_label=flag("multi_label"),
        use_weighted_loss=flag("use_weighted_loss"),
        top_k=whole("top_k") if "top_k" in value else None,
        precision_dtype=value["precision_dtype"],
        backbone=value["backbone"],
        train_layers=value["train_layers"],
        pretrained_weights=value.get("pretrained_weights"),
        head_c=real("head_c"),
        label_smoothing=real("label_smoothing"),
        weight_averaging=real("weight_averaging"),
        seed=whole("seed"),
    )
    _check(settings)
    return settings


def _check_declared(declared: Hyperparameter, text: str) -> None:
    """The server has checked this already; a job that is started by hand has not been."""
    if declared.choices and text not in declared.choices:
        raise UserError(f"The hyperparameter {declared.name}='{text}' is none of {', '.join(declared.choices)}.")
    if declared.kind in ("int", "float"):
        low = -math.inf if declared.low is None else declared.low
        high = math.inf if declared.high is None else declared.high
        if not low <= _number(declared.name, text, whole=declared.kind == "int") <= high:
            raise UserError(f"The hyperparameter {declared.name}={text} is not in {low:g} to {high:g}.")


def _check(settings: Settings) -> None:
    """What no single hyperparameter can be blamed for."""
    side = max(settings.height, settings.width)
    if settings.resize is not None and settings.resize < side:
        raise UserError(
            f"resize={settings.resize} is smaller than image_shape's side of {side}; raise it to {side} or more."
        )
    if settings.checkpoint_frequency is not None and settings.checkpoint_frequency > settings.epochs:
        raise UserError(
            f"checkpoint_frequency={settings.checkpoint_frequency} is larger than epochs={settings.epochs}; lower it."
        )
    if settings.top_k is not None and settings.top_k > settings.num_classes:
        raise UserError(f"top_k={settings.top_k} is larger than num_classes={settings.num_classes}; lower it.")
    if settings.num_classes < 2 and not settings.multi_label:
        raise UserError("num_classes=1 leaves nothing to tell apart; use 2 or more, or multi_label=1.")


def _number(name: str, text: str, whole: bool = False) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise UserError(f"The hyperparameter {name}='{text}' is not {kind}.") from None


def _numbers(name: str, text: str, count: int | None = None) -> tuple[int, ...]:
    """'10,20' -> (10, 20)."""
    numbers = tuple(int(_number(name, part.strip(), whole=True)) for part in text.split(",") if part.strip())
    if count is not None and len(numbers) != count:
        raise UserError(f"The hyperparameter {name}='{text}' has to hold {count} whole numbers, separated by commas.")
    return numbers

"""A backbone between its normalisation and its scores: what is trained, exported and golden-tested as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tobo.algorithms.image_classification import models
from tobo.algorithms.image_classification.settings import Settings

GREY = (0.299, 0.587, 0.114)
"""Luma weights of ITU-R BT.601."""


@dataclass(frozen=True)
class Preprocessing:
    """How a backbone wants its input: (x / 255 - mean) / deviation a channel, and which padding its weights know."""

    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    deviation: tuple[float, float, float] = (0.5, 0.5, 0.5)
    same_padding: bool = False


class Normalise(nn.Module):
    """uint8 [n, h, w, 3] -> float [n, channels, h, w]; one channel is luma."""

    grey: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, preprocessing: Preprocessing, channels: int) -> None:
        super().__init__()
        self.channels = channels
        mean, deviation = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.deviation)
        if channels == 1:
            mean, deviation = mean.mean()[None], deviation.mean()[None]
        self.register_buffer("grey", torch.tensor(GREY), persistent=False)
        self.register_buffer("scale", 1 / (255 * deviation), persistent=False)
        self.register_buffer("shift", -mean / deviation, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        if self.channels == 1:
            x = x @ self.grey[:, None]
        return (x * self.scale + self.shift).permute(0, 3, 1, 2)


class MeanAndDeviation(nn.Module):
    """float [n, c, h, w] -> [n, 2c]: mean and standard deviation over space."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        deviation = ((x - mean) ** 2).mean((2, 3)).sqrt()
        return torch.cat((mean.flatten(1), deviation), 1)


class Classifier(nn.Module):
    """uint8 RGB [n, h, w, 3] -> logits [n, classes]."""

    def __init__(self, backbone: nn.Module, preprocessing: Preprocessing, channels: int) -> None:
        super().__init__()
        self.normalise = Normalise(preprocessing, channels)
        self.backbone = backbone

    def forward(self, x: Tensor) -> Tensor:
        return self.backbone(self.normalise(x))  # type: ignore[no-any-return]


class HeadClassifier(nn.Module):
    """A linear layer over mean and deviation of a backbone's maps at every depth; the same input and output."""

    def __init__(self, backbone: nn.Module, preprocessing: Preprocessing, channels: int, classes: int) -> None:
        super().__init__()
        self.normalise = Normalise(preprocessing, channels)
        self.backbone = backbone
        self.pool = MeanAndDeviation()
        depths: Sequence[int] = backbone.depths  # type: ignore[assignment]
        self.head = nn.Linear(2 * sum(depths), classes)

    def features(self, x: Tensor) -> Tensor:
        """[n, 2 * sum of depths]."""
        maps: list[Tensor] = self.backbone.features(self.normalise(x))  # type: ignore[operator]
        return torch.cat([self.pool(each) for each in maps], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]


def build(settings: Settings, preprocessing: Preprocessing) -> Classifier | HeadClassifier:
    """A fresh classifier; train_layers=head puts the linear layer over all depths."""
    channels, classes, side = settings.channels, settings.num_classes, min(settings.height, settings.width)
    backbone = models.create(settings.architecture, channels, classes, side, preprocessing.same_padding)
    if settings.train_layers == "all":
        return Classifier(backbone, preprocessing, channels)
    setattr(backbone, str(backbone.classifier_name), nn.Identity())
    return HeadClassifier(backbone, preprocessing, channels, classes)


def scores(logits: Tensor, multi_label: bool) -> Tensor:
    """Probabilities: each class for itself with multi_label, otherwise summing to 1."""
    return torch.sigmoid(logits) if multi_label else torch.softmax(logits, 1)

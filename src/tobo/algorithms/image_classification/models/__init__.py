"""The backbones, by published name."""

from typing import Protocol

from torch import Tensor, nn

from tobo.algorithms.image_classification.models import cifar_resnet, mobilenet_v2, resnet
from tobo.kit.guest import UserError


class Backbone(Protocol):
    """A network that gives its feature maps at several depths, the last one being what its classifier pools."""

    depths: tuple[int, ...]
    """Channels of each map of `features`."""
    classifier_name: str
    """The attribute that holds the last linear layer: `fc` or `classifier`."""

    def features(self, x: Tensor) -> list[Tensor]: ...


def create(name: str, channels: int, classes: int, side: int, same_padding: bool = False) -> nn.Module:
    """A freshly initialised backbone: float [n, channels, h, w] -> logits [n, classes]; `side` is the shorter of h and w."""
    if name == "mobilenetv2_100":
        return mobilenet_v2.MobileNetV2(channels, classes, same_padding)
    if name in cifar_resnet.BLOCKS:
        return cifar_resnet.CifarResNet(cifar_resnet.BLOCKS[name], channels, classes, side)
    if name in resnet.LAYERS:
        return resnet.ResNet(*resnet.LAYERS[name], channels, classes)
    raise UserError(f"There is no network named '{name}'.")

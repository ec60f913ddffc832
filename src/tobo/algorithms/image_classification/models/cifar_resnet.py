"""ResNet for small pictures (He et al. 2015, section 4.2): stages of 16, 32 and 64 channels, full resolution first."""

from torch import Tensor, nn

from tobo.algorithms.image_classification.models.resnet import BasicBlock, initialise, stage

BLOCKS = {f"resnet{layers}_cifar": (layers - 2) // 6 for layers in (20, 32, 44, 56, 110)}


HALVED_FROM = 64
"""Pixels a side from which on the first convolution halves the picture: four times the epochs in the same time. The
paper's pictures have 32; the weights have the same shapes either way."""


class CifarResNet(nn.Module):
    """float [n, channels, h, w] -> logits [n, classes]; maps at strides 1, 2, 4 of what the first convolution leaves."""

    classifier_name = "fc"
    depths = (16, 32, 64)

    def __init__(self, blocks: int, channels: int, classes: int, side: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1 if side < HALVED_FROM else 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = stage(BasicBlock, 16, 16, blocks, 1)
        self.layer2 = stage(BasicBlock, 16, 32, blocks, 2)
        self.layer3 = stage(BasicBlock, 32, 64, blocks, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, classes)
        initialise(self)

    def features(self, x: Tensor) -> list[Tensor]:
        x = self.relu(self.bn1(self.conv1(x)))
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3):
            x = layer(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.features(x)[-1]).flatten(1))  # type: ignore[no-any-return]

"""MobileNetV2 1.0 (Sandler et al. 2018, arXiv:1801.04381), state-dict names as timm's mobilenetv2_100 publishes them.

With `same_padding` a strided convolution pads as TensorFlow's "SAME": the smaller half in front.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""(expansion, channels, blocks, stride) of stages 0 to 6: the paper's table 2."""


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's "SAME" padding: output ceil(input / stride), odd remainder behind."""

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += (total // 2, total - total // 2)
        return functional.conv2d(functional.pad(x, pads), self.weight, self.bias, self.stride, 0, 1, self.groups)


def convolution(inputs: int, outputs: int, kernel: int, stride: int, groups: int, same: bool) -> nn.Conv2d:
    """A biasless convolution with either padding."""
    if same and stride > 1:
        return SameConv2d(inputs, outputs, kernel, stride, 0, groups=groups, bias=False)
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


class DepthwiseSeparable(nn.Module):
    """The first stage's block: depthwise 3x3, then 1x1 without activation."""

    def __init__(self, inputs: int, outputs: int, stride: int, same: bool) -> None:
        super().__init__()
        self.conv_dw = convolution(inputs, inputs, 3, stride, inputs, same)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.act1 = nn.ReLU6(inplace=True)
        self.conv_pw = convolution(inputs, outputs, 1, 1, 1, same)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn2(self.conv_pw(self.act1(self.bn1(self.conv_dw(x)))))  # type: ignore[no-any-return]


class InvertedResidual(nn.Module):
    """1x1 up, depthwise 3x3, 1x1 down without activation; a shortcut where shapes allow it."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, same: bool) -> None:
        super().__init__()
        middle = inputs * expansion
        self.conv_pw = convolution(inputs, middle, 1, 1, 1, same)
        self.bn1 = nn.BatchNorm2d(middle)
        self.act1 = nn.ReLU6(inplace=True)
        self.conv_dw = convolution(middle, middle, 3, stride, middle, same)
        self.bn2 = nn.BatchNorm2d(middle)
        self.act2 = nn.ReLU6(inplace=True)
        self.conv_pwl = convolution(middle, outputs, 1, 1, 1, same)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act1(self.bn1(self.conv_pw(x)))
        y = self.act2(self.bn2(self.conv_dw(y)))
        y = self.bn3(self.conv_pwl(y))
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """float [n, channels, h, w] -> logits [n, classes]; maps after stages 1 to 5 and after the last convolution."""

    classifier_name = "classifier"
    depths = (24, 32, 64, 96, 160, 1280)

    def __init__(self, channels: int, classes: int, same_padding: bool = False) -> None:
        super().__init__()
        same = same_padding
        self.conv_stem = convolution(channels, 32, 3, 2, 1, same)
        self.bn1 = nn.BatchNorm2d(32)
        self.act1 = nn.ReLU6(inplace=True)
        stages: list[nn.Module] = []
        inputs = 32
        for expansion, outputs, count, stride in STAGES:
            blocks: OrderedDict[str, nn.Module] = OrderedDict()
            for number in range(count):
                step = stride if number == 0 else 1
                blocks[str(number)] = (
                    DepthwiseSeparable(inputs, outputs, step, same)
                    if expansion == 1
                    else InvertedResidual(inputs, outputs, step, expansion, same)
                )
                inputs = outputs
            stages.append(nn.Sequential(blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = convolution(inputs, 1280, 1, 1, 1, same)
        self.bn2 = nn.BatchNorm2d(1280)
        self.act2 = nn.ReLU6(inplace=True)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1280, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def features(self, x: Tensor) -> list[Tensor]:
        x = self.act1(self.bn1(self.conv_stem(x)))
        maps = []
        for number, stage in enumerate(self.blocks):
            x = stage(x)
            if 1 <= number <= 5:
                maps.append(x)
        return [*maps, self.act2(self.bn2(self.conv_head(x)))]

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.global_pool(self.features(x)[-1]).flatten(1))  # type: ignore[no-any-return]

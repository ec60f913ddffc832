"""A network as an ONNX graph, written node by node from its traced modules, BatchNorm folded into convolutions.

Operators: https://onnx.ai/onnx/operators/, opset 18 (the first with an antialiased Resize).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import fx, nn

from tobo.algorithms.image_classification.classifier import MeanAndDeviation, Normalise
from tobo.algorithms.image_classification.models.mobilenet_v2 import SameConv2d

OPSET = 18
IR_VERSION = 9


@dataclass
class Graph:
    """Nodes and constants as they are collected; names are given by count."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def node(self, operator: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name."""
        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: npt.NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def model(self, source: tuple[str, Sequence[int | str]], result: tuple[str, int, Sequence[int | str]]) -> bytes:
        """The serialised model: uint8 input (name, shape) and one output (name, element type, shape)."""
        graph = helper.make_graph(
            self.nodes,
            "image-classification",
            [helper.make_tensor_value_info(source[0], TensorProto.UINT8, source[1])],
            [helper.make_tensor_value_info(*result)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="tobo")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


class _Tracer(fx.Tracer):
    """Stops at torch's own modules and at ours that have an ONNX form of their own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        own = isinstance(m, SameConv2d | MeanAndDeviation | Normalise)
        return own or super().is_leaf_module(m, module_qualified_name)


def add_network(graph: Graph, network: nn.Module, source: str) -> str:
    """Adds a network in eval mode, reading `source`; returns the name of its output (logits)."""
    traced = _Tracer().trace(network)
    modules = dict(network.named_modules())
    names: dict[fx.Node, str] = {}
    folded: dict[fx.Node, nn.BatchNorm2d] = {}
    for node in traced.nodes:
        inputs = [names[argument] for argument in node.all_input_nodes] if node.op != "output" else []
        if node.op == "placeholder":
            names[node] = source
        elif node.op == "call_module":
            module = modules[str(node.target)]
            if isinstance(module, nn.BatchNorm2d) and node.args[0] in folded:
                names[node] = inputs[0]
                continue
            norm = _norm_behind(node, modules) if isinstance(module, nn.Conv2d) else None
            if norm is not None:
                folded[node] = norm
            names[node] = _module(graph, module, inputs[0], norm)
        elif node.op in ("call_function", "call_method"):
            names[node] = _function(graph, node, inputs)
        elif node.op == "output":
            return names[node.all_input_nodes[0]]
        else:
            raise NotImplementedError(f"{node.op} {node.target}")
    raise AssertionError("a traced network has an output")


def _norm_behind(node: fx.Node, modules: dict[str, nn.Module]) -> nn.BatchNorm2d | None:
    users = list(node.users)
    if len(users) == 1 and users[0].op == "call_module":
        module = modules[str(users[0].target)]
        if isinstance(module, nn.BatchNorm2d):
            return module
    return None


def _module(graph: Graph, module: nn.Module, source: str, norm: nn.BatchNorm2d | None) -> str:
    match module:
        case nn.Conv2d():
            return _convolution(graph, module, source, norm)
        case nn.ReLU():
            return graph.node("Relu", [source])
        case nn.ReLU6():
            return graph.node(
                "Clip", [source, graph.constant(np.array(0, np.float32)), graph.constant(np.array(6, np.float32))]
            )
        case nn.MaxPool2d():
            size, stride, pad = module.kernel_size, module.stride, module.padding
            return graph.node("MaxPool", [source], kernel_shape=[size] * 2, strides=[stride] * 2, pads=[pad] * 4)
        case nn.AdaptiveAvgPool2d():
            return graph.node("GlobalAveragePool", [source])
        case nn.Linear():
            weight, bias = graph.constant(_array(module.weight)), graph.constant(_array(module.bias))
            return graph.node("Gemm", [source, weight, bias], transB=1)
        case nn.Identity():
            return source
        case Normalise():
            return _normalise(graph, module, source)
        case MeanAndDeviation():
            return _mean_and_deviation(graph, source)
    raise NotImplementedError(type(module).__name__)


def _convolution(graph: Graph, module: nn.Conv2d, source: str, norm: nn.BatchNorm2d | None) -> str:
    weight = module.weight.detach().double()
    bias = torch.zeros(module.out_channels) if module.bias is None else module.bias.detach()
    if norm is not None and norm.running_mean is not None and norm.running_var is not None:
        scale = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = weight * scale[:, None, None, None]
        bias = norm.bias.detach().double() + (bias.double() - norm.running_mean.double()) * scale
    shape: dict[str, Any] = {
        "kernel_shape": list(module.kernel_size),
        "strides": list(module.stride),
        "group": module.groups,
    }
    if isinstance(module, SameConv2d):
        shape["auto_pad"] = "SAME_UPPER"
    else:
        shape["pads"] = [int(pad) for pad in module.padding] * 2
    return graph.node("Conv", [source, graph.constant(_array(weight)), graph.constant(_array(bias))], **shape)


def _normalise(graph: Graph, module: Normalise, source: str) -> str:
    """uint8 [n, h, w, 3] -> float [n, c, h, w], as one affine map a channel.

    BatchNormalization and not Mul and Add: ONNX Runtime moves those to the other side of the Transpose, where a quantised
    network likes its pixels, and multiplies them by three numbers in turn there, at ten times the cost.
    """
    if module.channels == 1:
        grey = graph.node("Cast", [source], to=TensorProto.FLOAT)
        grey = graph.node("MatMul", [grey, graph.constant(_array(module.grey)[:, None])])
        planes = graph.node("Transpose", [grey], perm=[0, 3, 1, 2])
    else:
        planes = graph.node("Cast", [graph.node("Transpose", [source], perm=[0, 3, 1, 2])], to=TensorProto.FLOAT)
    scale, shift = graph.constant(_array(module.scale)), graph.constant(_array(module.shift))
    zeros = graph.constant(np.zeros(module.channels, np.float32))
    ones = graph.constant(np.ones(module.channels, np.float32))
    return graph.node("BatchNormalization", [planes, scale, shift, zeros, ones], epsilon=0.0)


def _mean_and_deviation(graph: Graph, source: str) -> str:
    axes = graph.integers(2, 3)
    mean = graph.node("ReduceMean", [source, axes], keepdims=1)
    away = graph.node("Sub", [source, mean])
    variance = graph.node("ReduceMean", [graph.node("Mul", [away, away]), axes], keepdims=0)
    deviation = graph.node("Sqrt", [variance])
    return graph.node("Concat", [graph.node("Flatten", [mean], axis=1), deviation], axis=1)


def _function(graph: Graph, node: fx.Node, inputs: list[str]) -> str:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if name in ("add", "iadd"):
        return graph.node("Add", inputs)
    if name == "flatten":
        return graph.node("Flatten", inputs, axis=1)
    if name == "cat":
        return graph.node("Concat", inputs, axis=1)
    raise NotImplementedError(name)


def _array(tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().float().numpy()

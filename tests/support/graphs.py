"""Small ONNX graphs and archives, as training and other people's exporters write them."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

LABELS = ("a", "b", "c")
SIDE = 16

Array = npt.NDArray[Any]


def picture(number: int, height: int = 24, width: int = 20) -> npt.NDArray[np.uint8]:
    """uint8 [height, width, 3]: noise, brighter to one side or the other, and of one colour more than the others."""
    random = np.random.default_rng(number)
    slope = np.linspace(0, 90, width)[:: (-1) ** number][None, :, None]
    colour = np.eye(3)[number % 3] * 45
    return (random.integers(0, 120, (height, width, 3)) + slope + colour).astype(np.uint8)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def weights(seed: int = 3, channels: int = 8) -> list[Array]:
    """Two convolutions and a head."""
    random = np.random.default_rng(seed)
    shapes = ((channels, 3, 3, 3), (16, channels, 3, 3), (16, len(LABELS)))
    return [random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32) for shape in shapes]


def fragile_weights() -> list[Array]:
    """The class is the small difference of two large numbers, which int8 cannot tell apart."""
    first, second, head = weights()
    first[:] = second[:] = head[:] = 0
    first[:, :, 1, 1] = 2000.0
    for channel in range(1, 4):
        first[channel, channel - 1, 1, 1] += 1.0
        second[channel - 1, channel, 1, 1] = 1.0
        second[channel - 1, 0, 1, 1] = -1.0
        head[channel - 1, channel - 1] = 40.0
    return [first, second, head]


def classifier(given: Sequence[Array] | None = None, side: int = SIDE) -> bytes:
    """uint8 pictures of any size -> resized, normalised, two convolutions, scores of three classes."""
    first, second, head = weights() if given is None else given
    constants = {
        "size": np.array([side, side, 3], np.int64),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "scale": np.full(3, 1 / 127.5, np.float32),
        "shift": np.full(3, -1, np.float32),
        "zeros": np.zeros(3, np.float32),
        "ones": np.ones(3, np.float32),
        "first": first,
        "second": second,
        "head": head,
    }
    make = helper.make_node
    nodes = [
        make("Shape", ["pictures"], ["shape"]),
        make("Slice", ["shape", "zero", "one"], ["count"]),
        make("Concat", ["count", "size"], ["sizes"], axis=0),
        make("Resize", ["pictures", "", "", "sizes"], ["resized"], mode="linear", antialias=1, exclude_outside=1),
        make("Transpose", ["resized"], ["planes"], perm=[0, 3, 1, 2]),
        make("Cast", ["planes"], ["float"], to=TensorProto.FLOAT),
        make("BatchNormalization", ["float", "scale", "shift", "zeros", "ones"], ["normal"], epsilon=0.0),
        make("Conv", ["normal", "first"], ["c1"], pads=[1] * 4, kernel_shape=[3, 3]),
        make("Relu", ["c1"], ["r1"]),
        make("Conv", ["r1", "second"], ["c2"], pads=[1] * 4, kernel_shape=[3, 3], strides=[2, 2]),
        make("Relu", ["c2"], ["r2"]),
        make("GlobalAveragePool", ["r2"], ["pooled"]),
        make("Flatten", ["pooled"], ["flat"]),
        make("MatMul", ["flat", "head"], ["logits"]),
        make("Softmax", ["logits"], ["scores"]),
    ]
    return graph(nodes, constants, ("pictures", TensorProto.UINT8, ["n", "h", "w", 3]), ("scores", ["n", len(LABELS)]))


def convolution(shape: Sequence[int | str], operator: str = "Relu", domain: str = "") -> bytes:
    """Somebody's graph: float input `x` -> a convolution, `operator`, the mean of each of three maps."""
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3], pads=[1] * 4),
        make(operator, ["c"], ["r"], domain=domain),
        make("GlobalAveragePool", ["r"], ["pooled"]),
        make("Flatten", ["pooled"], ["y"]),
    ]
    kernel = np.random.default_rng(1).normal(0, 0.4, (3, 3, 3, 3)).astype(np.float32)
    return graph(nodes, {"w": kernel}, ("x", TensorProto.FLOAT, shape), ("y", ["n", 3]), domain)


def graph(
    nodes: Sequence[Any],
    constants: Mapping[str, Array],
    source: tuple[str, int, Sequence[int | str]],
    result: tuple[str, Sequence[int | str]],
    domain: str = "",
) -> bytes:
    """A serialised model; `domain` is that of operators that are not ONNX's."""
    made = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(*source)],
        [helper.make_tensor_value_info(result[0], TensorProto.FLOAT, result[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model: onnx.ModelProto = helper.make_model(made, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def archive(
    model: bytes, golden: int = 24, calibration: int = 16, side: int = SIDE, multi_label: bool = False
) -> dict[str, bytes]:
    """The files of a training job's model archive around a `classifier`; the truth is what its scores say."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    files = {"model.onnx": model}
    scores: dict[str, list[float]] = {}
    for number in range(golden):
        pixels = picture(number)
        files[f"golden/{number:03}.png"] = png(pixels)
        scores[f"{number:03}.png"] = session.run(None, {"pictures": pixels[None]})[0][0].tolist()
    for number in range(calibration):
        files[f"calibration/{number:03}.png"] = png(picture(1000 + number))
    right = {name: int(np.argmax(row)) for name, row in scores.items()}
    truth: dict[str, Any] = (
        {name: [int(i == at) for i in range(3)] for name, at in right.items()} if multi_label else right
    )
    about = {
        "algorithm": "image-classification",
        "image_shape": [3, side, side],
        "resize": None,
        "preprocessing": {"mean": [0.5] * 3, "deviation": [0.5] * 3, "same_padding": False},
        "labels": LABELS,
        "multi_label": multi_label,
    }
    told = {"model.json": about, "labels.json": LABELS, "golden/scores.json": scores, "golden/labels.json": truth}
    return files | {name: json.dumps(value).encode() for name, value in told.items()}

"""The one resize: ONNX nodes that the exported graph begins with and that training runs by themselves.

Training sees exactly what serving will see, because both run these nodes. ONNX Runtime's antialiased linear Resize of
uint8, whose filter leaves out what lies outside of the picture, is Pillow's BILINEAR to the bit when it scales down, and
OpenVINO's BILINEAR_PILLOW within one grey level.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto

from tobo.algorithms.image_classification.onnx_graph import Graph
from tobo.algorithms.image_classification.settings import Settings
from tobo.inference.pictures import Pixels


def add_resize(graph: Graph, source: str, settings: Settings) -> str:
    """uint8 [n, any, any, 3] -> the shortest side `resize` long, or, without `resize`, [n, height, width, 3]."""
    shape = graph.node("Shape", [source])
    count = graph.node("Slice", [shape, graph.integers(0), graph.integers(1)])
    fixed = graph.integers(settings.height, settings.width)
    target = fixed if settings.resize is None else _scaled_sides(graph, shape, settings.resize)
    sizes = graph.node("Concat", [count, target, graph.integers(3)], axis=0)
    return graph.node("Resize", [source, "", "", sizes], mode="linear", antialias=1, exclude_outside=1)


def _scaled_sides(graph: Graph, shape: str, resize: int) -> str:
    """(side * resize + shortest // 2) // shortest for both sides, in whole numbers: the same on every machine."""
    sides = graph.node("Slice", [shape, graph.integers(1), graph.integers(3)])
    shortest = graph.node("ReduceMin", [sides], keepdims=1)
    half = graph.node("Div", [shortest, graph.integers(2)])
    scaled = graph.node("Add", [graph.node("Mul", [sides, graph.integers(resize)]), half])
    return graph.node("Div", [scaled, shortest])


def add_centre_crop(graph: Graph, source: str, settings: Settings) -> str:
    """uint8 [n, h, w, 3] -> the middle [n, height, width, 3]; see `centre_crop`."""
    if settings.resize is None:
        return source
    crop = graph.integers(settings.height, settings.width)
    shape = graph.node("Shape", [source])
    sides = graph.node("Slice", [shape, graph.integers(1), graph.integers(3)])
    start = graph.node("Div", [graph.node("Sub", [sides, crop]), graph.integers(2)])
    return graph.node("Slice", [source, start, graph.node("Add", [start, crop]), graph.integers(1, 2)])


def centre_crop(pixels: Pixels, height: int, width: int) -> Pixels:
    """The middle of [h, w, 3]; an odd remainder falls to the lower right."""
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


class Resizer:
    """`add_resize` as a function of one picture; may be called from several threads."""

    def __init__(self, settings: Settings) -> None:
        graph = Graph()
        resized = add_resize(graph, "pictures", settings)
        model = graph.model(("pictures", ("n", "h", "w", 3)), (resized, TensorProto.UINT8, ("n", "y", "x", 3)))
        self._session = session(model)

    def __call__(self, pixels: Pixels) -> Pixels:
        """uint8 [h, w, 3] -> uint8 [y, x, 3]."""
        resized: Pixels = self._session.run(None, {"pictures": np.ascontiguousarray(pixels[None])})[0][0]
        return resized


def session(model: bytes) -> onnxruntime.InferenceSession:
    """A single-threaded ONNX Runtime session."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

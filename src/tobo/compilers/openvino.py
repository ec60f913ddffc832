"""OpenVINO: the graph as its intermediate representation, single precision or with an int8 network.

int8 is ONNX Runtime's quantised graph (onnx_runtime.py), whose QDQ nodes OpenVINO turns into int8 kernels of its own.
Source: docs.openvino.ai, "CPU Device".
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import CalibrationMethod

from tobo.compilers.base import Built
from tobo.compilers.model import Run, Source
from tobo.compilers.onnx_runtime import last_line, quantize
from tobo.compilers.targets import Precision, Runtime
from tobo.inference.openvino_graph import import_openvino, load_graph
from tobo.kit.guest import UserError

GRAPH, WEIGHTS = "model.xml", "model.bin"
REQUIREMENTS = ("numpy", "pillow", "openvino>=2024.0")


class OpenVino:
    """`details` says on which of its devices (CPU, GPU) the graph is meant to run; here it always runs on the CPU.

    With a `method`, by which the activations' ranges are found, in int8.
    """

    runtime: Runtime = "openvino"

    def __init__(self, details: Mapping[str, Any], method: CalibrationMethod | None = None) -> None:
        self.details, self.method = details, method
        self.precision: Precision = "fp32" if method is None else "int8"
        self.variant = "" if method is None else method.name.lower()

    def compile(self, source: Source, folder: Path) -> Built:
        if source.trees:
            raise UserError("OpenVINO has no operator for decision trees.")
        core = _core()
        graph, between = source.graph, folder / "between.onnx"
        if self.method is not None:
            quantize(source, between, self.method, reduce_range=True)
            graph = between
        try:
            model = core.read_model(str(graph))
            if source.pictures:
                _resize_as_pillow(model)
            _openvino().save_model(model, str(folder / GRAPH), compress_to_fp16=False)
        except Exception as error:  # its exceptions have no common class of their own
            raise UserError(f"OpenVINO refuses the graph: {last_line(error)}") from None
        finally:
            between.unlink(missing_ok=True)
        return Built(self.runtime, self.precision, GRAPH, (GRAPH, WEIGHTS), REQUIREMENTS, self.details)

    def load(self, folder: Path, built: Built) -> Run:
        _openvino()
        try:
            return load_graph(folder / built.graph)
        except Exception as error:
            raise UserError(f"OpenVINO refuses the graph: {last_line(error)}") from None


def _resize_as_pillow(model: Any) -> None:
    """Gives antialiased Resizes of [n, height, width, 3] a form that OpenVINO knows.

    It reads ONNX's antialias and then leaves it out; its BILINEAR_PILLOW is that filter (docs.openvino.ai, Interpolate-11).
    """
    ops = import_module("openvino.opset13")
    for node in model.get_ops():
        if node.get_type_name() == "Interpolate" and node.get_attributes().get("antialias"):
            axes = ops.constant(np.array([1, 2], np.int64))
            sizes = ops.gather(node.input_value(1), axes, ops.constant(np.int64(0)))
            resized = ops.interpolate(node.input_value(0), sizes, "bilinear_pillow", "sizes", axes=axes)
            node.output(0).replace(resized.output(0))
    model.validate_nodes_and_infer_types()


def _core() -> Any:
    return _openvino().Core()


def _openvino() -> Any:
    """Raises UserError where it is not installed."""
    try:
        return import_openvino()
    except ModuleNotFoundError:
        raise UserError("OpenVINO is not installed: pip install 'tobo[compile]' in the server's environment.") from None

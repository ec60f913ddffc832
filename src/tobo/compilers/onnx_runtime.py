"""ONNX Runtime: the graph as it is (fp32), or with its network quantised to int8.

int8 is static quantisation in QDQ form: activations uint8 in the ranges that the calibration samples give (calibration.py),
weights int8 and symmetric, one scale an output channel. That pair is what ONNX Runtime's kernels are fast with on
x86-64 as well as on arm64 (int8 activations take three times as long on x86-64). Weights have all 8 bits where dot
products are accumulated without saturation (arm64; x86-64 with VNNI) and 7 bits for x86-64, which may lack it
(onnxruntime.ai, "Quantize ONNX Models", reduce_range). A machine without VNNI that compiles for arm64 sees its saturation
when it tries the graph, and judges it more strictly than the device would.
"""

import contextlib
import io
import logging
from itertools import takewhile
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

from tobo.compilers.base import Built
from tobo.compilers.calibration import calibrate
from tobo.compilers.model import Array, Feeds, Run, Source
from tobo.compilers.targets import Precision, Runtime
from tobo.kit.guest import UserError

GRAPH = "model.onnx"
OLDEST = "1.17"
"""The ONNX Runtime that is known to run what training exports (opset 18, IR version 9), quantised, too."""

_CONVOLUTIONAL = ("Conv", "Add", "MaxPool", "Relu", "Clip")
"""What is computed in int8 where there are convolutions. What comes behind them, statistics of their maps and a head of a
few numbers, takes next to no time and stays exact."""

_PRODUCTS = ("Gemm", "MatMul", "Add", "Relu")
"""The same of a network without convolutions."""


class OnnxRuntime:
    """The graph itself, in single precision."""

    runtime: Runtime = "onnxruntime"
    precision: Precision = "fp32"
    variant = ""

    def compile(self, source: Source, folder: Path) -> Built:
        (folder / GRAPH).write_bytes(source.graph.read_bytes())
        return Built(self.runtime, self.precision, GRAPH, (GRAPH,), requirements(source))

    def load(self, folder: Path, built: Built) -> Run:
        return load(folder / built.graph)


class OnnxRuntimeInt8:
    """`method` finds the activations' ranges; `reduce_range`: 7-bit weights, for processors whose dot products saturate."""

    runtime: Runtime = "onnxruntime"
    precision: Precision = "int8"

    def __init__(self, method: CalibrationMethod, reduce_range: bool) -> None:
        self.variant = method.name.lower()
        self.method, self.reduce_range = method, reduce_range

    def compile(self, source: Source, folder: Path) -> Built:
        quantize(source, folder / GRAPH, self.method, self.reduce_range)
        return Built(self.runtime, self.precision, GRAPH, (GRAPH,), requirements(source))

    def load(self, folder: Path, built: Built) -> Run:
        return load(folder / built.graph)


def requirements(source: Source) -> tuple[str, ...]:
    """pip's. Somebody's own graph may need as new an ONNX Runtime as the one that it was tried with."""
    least = OLDEST if source.pictures else ".".join(onnxruntime.__version__.split(".")[:2])
    return ("numpy", "pillow", f"onnxruntime>={least}")


def load(graph: Path) -> Run:
    """A session on one thread; raises UserError where ONNX Runtime refuses the graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common class of their own
        raise UserError(f"ONNX Runtime refuses the graph: {last_line(error)}") from None

    def run(feeds: Feeds) -> list[Array]:
        try:
            answers: list[Array] = session.run(None, dict(feeds))
        except Exception as error:
            raise UserError(f"ONNX Runtime cannot run the graph: {last_line(error)}") from None
        return answers

    return run


def last_line(error: Exception) -> str:
    """What a runtime's exception says in the end, as the end of a sentence: before it stands where in its code that was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")[:400] + "."


def quantize(source: Source, file: Path, method: CalibrationMethod, reduce_range: bool) -> None:
    """Writes the quantised graph; raises UserError where there is nothing to quantise, or nothing to calibrate with."""
    graph = onnx.load(str(source.graph))
    there = {node.op_type for node in graph.graph.node}
    if source.trees or not there & {"Conv", "Gemm", "MatMul"}:
        raise UserError("int8 needs convolutions or matrix products, of which the model has none; use precision fp32.")
    if not len(source.calibration):
        raise UserError(
            "int8 needs samples to calibrate with: put pictures or .npz files into the archive's folder calibration/, or "
            'name some with CompilerOptions {"calibration": "s3://bucket/prefix/"}, or use precision fp32.'
        )
    operators = list(_CONVOLUTIONAL if "Conv" in there else _PRODUCTS)
    kept = _name_nodes(graph)
    named, ranges = file.with_name("named.onnx"), file.with_name("ranges.json")
    onnx.save(graph, str(named))
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it recommends a preprocessing that the runtime does by itself
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it counts the bins of its histograms
            calibrate(named, operators, source.calibration, method, ranges)
        quantize_static(
            named,
            file,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=operators,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=reduce_range,
            nodes_to_exclude=kept,
            calibrate_method=method,
            calibration_cache_path=ranges,
            extra_options={"WeightSymmetric": True},
        )
    except UserError:
        raise
    except Exception as error:  # the tools' own, which have no common class
        raise UserError(f"ONNX Runtime cannot quantise the graph: {last_line(error)}") from None
    finally:
        logging.disable(before)
        named.unlink()
        ranges.unlink(missing_ok=True)


def _name_nodes(model: Any) -> list[str]:
    """Names every node; gives the names of those before the first convolution of a graph of pictures: its preprocessing."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    if not any(value.type.tensor_type.elem_type == onnx.TensorProto.UINT8 for value in model.graph.input):
        return []
    return [node.name for node in takewhile(lambda node: node.op_type != "Conv", model.graph.node)]

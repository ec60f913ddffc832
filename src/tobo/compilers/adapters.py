"""Which compilers build a runtime and a precision for a target."""

from collections.abc import Sequence

from tobo.compilers.base import Compiler
from tobo.compilers.calibration import METHODS
from tobo.compilers.ncnn import Ncnn
from tobo.compilers.onnx_runtime import OnnxRuntime, OnnxRuntimeInt8
from tobo.compilers.openvino import OpenVino
from tobo.compilers.targets import Precision, Runtime, Target


def find_compilers(runtime: Runtime, precision: Precision, target: Target) -> Sequence[Compiler]:
    """One, or one for each way to calibrate."""
    if runtime == "openvino":
        methods = METHODS if precision == "int8" else (None,)
        return [OpenVino(target.details, method) for method in methods]
    if runtime == "ncnn":
        return [Ncnn()]
    if precision == "fp32":
        return [OnnxRuntime()]
    return [OnnxRuntimeInt8(method, reduce_range=target.arch == "x86_64") for method in METHODS]

"""Which compiler builds a runtime and a precision for a target."""

from tobo.compilers.base import Compiler
from tobo.compilers.onnx_runtime import OnnxRuntime, OnnxRuntimeInt8
from tobo.compilers.openvino import OpenVino
from tobo.compilers.targets import Precision, Runtime, Target


def find_compiler(runtime: Runtime, precision: Precision, target: Target) -> Compiler:
    """The adapter."""
    if runtime == "openvino":
        return OpenVino(precision, target.details)
    if precision == "int8":
        return OnnxRuntimeInt8(reduce_range=target.arch == "x86_64")
    return OnnxRuntime()

"""Targets: which of AWS's target devices and platforms are built here, by what, and why the others are not. Pure.

The names are those of the API reference, OutputConfig (TargetDevice, TargetPlatform).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tobo.kit.guest import UserError

Precision = Literal["int8", "fp32"]
Runtime = Literal["onnxruntime", "openvino", "ncnn"]


@dataclass(frozen=True)
class Target:
    """What a model is compiled for. `name` is TargetDevice, or "<os>_<arch>[_<accelerator>]" in lower case.

    `runtimes` are the candidates, of which the faster one is shipped, `others` those that are built when asked for;
    `precisions` those that can be built, the first that keeps the decisions is taken. `details` are what the device's
    runtime has to be told.
    """

    name: str
    arch: Literal["arm64", "x86_64"]
    runtimes: tuple[Runtime, ...]
    precisions: tuple[Precision, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Runtime, ...] = ()


_TENSORRT = {"providers": ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]}
"""ONNX Runtime's execution providers in their order of preference (onnxruntime.ai, "TensorRT Execution Provider")."""


def _edge(name: str) -> Target:
    return Target(name, "arm64", ("onnxruntime",), ("int8", "fp32"), others=("ncnn",))


def _arm_server(name: str) -> Target:
    return Target(name, "arm64", ("onnxruntime",), ("fp32", "int8"))


def _x86(name: str) -> Target:
    others: tuple[Runtime, ...] = ("ncnn",) if name == "linux_x86_64" else ()
    return Target(name, "x86_64", ("openvino", "onnxruntime"), ("fp32", "int8"), others=others)


def _intel(name: str, device: str) -> Target:
    return Target(name, "x86_64", ("openvino",), ("fp32", "int8"), {"device": device})


def _nvidia(name: str, arch: Literal["arm64", "x86_64"]) -> Target:
    return Target(name, arch, ("onnxruntime",), ("fp32",), _TENSORRT)


_TARGETS = (
    *map(_edge, ("rasp3b", "rasp4b", "aisage", "rk3399", "imx8qm", "imx8mplus", "linux_arm64")),
    *map(_arm_server, ("ml_m6g", "ml_c6g")),
    *map(_x86, ("ml_m4", "ml_m5", "ml_c4", "ml_c5", "lambda", "x86_win64", "linux_x86_64")),
    _intel("deeplens", "CPU"),
    _intel("linux_x86_64_intel_graphics", "GPU"),
    *(_nvidia(name, "arm64") for name in ("jetson_tx1", "jetson_tx2", "jetson_nano", "jetson_xavier")),
    *(_nvidia(name, "x86_64") for name in ("ml_p2", "ml_p3", "ml_g4dn")),
    _nvidia("linux_arm64_nvidia", "arm64"),
    _nvidia("linux_x86_64_nvidia", "x86_64"),
    Target("android_arm64", "arm64", ("ncnn",), ("fp32",)),
)

BUILT: Mapping[str, Target] = {target.name: target for target in _TARGETS}
"""By name."""

_PLATFORM_PREFIX = ("linux_", "android_")


def find_target(output: Mapping[str, Any]) -> Target:
    """The target of an OutputConfig; raises UserError that lists what is built."""
    device, platform = output.get("TargetDevice"), output.get("TargetPlatform")
    if (device is None) == (platform is None):
        raise UserError("OutputConfig needs either a TargetDevice or a TargetPlatform, not both and not neither.")
    name = str(device) if platform is None else platform_name(platform)
    if name in BUILT and (platform is None) == (not name.startswith(_PLATFORM_PREFIX)):
        return BUILT[name]
    asked = f"OutputConfig.TargetDevice '{device}'" if platform is None else f"OutputConfig.TargetPlatform '{name}'"
    raise UserError(f"{asked} is not built here; {_listed()}.")


def platform_name(platform: Mapping[str, Any]) -> str:
    """{"Os": "LINUX", "Arch": "ARM64", "Accelerator": "NVIDIA"} -> "linux_arm64_nvidia"."""
    words = (platform["Os"], platform["Arch"], platform.get("Accelerator"))
    return "_".join(word.lower() for word in words if word)


def _listed() -> str:
    devices = ", ".join(name for name in BUILT if not name.startswith(_PLATFORM_PREFIX))
    platforms = ", ".join(name for name in BUILT if name.startswith(_PLATFORM_PREFIX))
    return f"those that are: the devices {devices}; the platforms (os_arch_accelerator) {platforms}"

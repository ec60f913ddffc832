"""What a compilation is asked: frameworks, DataInputConfig and CompilerOptions, read and checked. Pure.

Source of the forms: API reference, InputConfig (DataInputConfig) and OutputConfig (CompilerOptions).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tobo.compilers.targets import Precision, Runtime, Target
from tobo.kit.guest import UserError

CONFIGURATION = "compilation.json"
"""The file in which a job finds InputConfig and OutputConfig."""

MODEL, CALIBRATION = "model", "calibration"
"""The channels of the unpacked archive and of calibration samples."""

FRAMEWORKS = ("ONNX", "PYTORCH", "XGBOOST")

_EXPORTS = {
    "TENSORFLOW": "tf2onnx",
    "KERAS": "tf2onnx",
    "TFLITE": "tf2onnx --tflite",
    "MXNET": "mxnet.onnx.export_model",
    "DARKNET": "the converter of your Darknet's fork",
    "SKLEARN": "skl2onnx",
}
"""What turns a model of a framework that is not compiled here into ONNX."""

NEO_OPTIONS = ("dtype", "mcpu", "mattr", "gpu-code", "trt-ver", "cuda-ver", "ANDROID_PLATFORM", "class_labels")
"""Options of Neo's; those that ask for code of one processor change nothing, for the runtime chooses that on the device."""

OUR_OPTIONS = ("precision", "calibration", "tolerance", "thresholds", "runtime")

TOLERANCE = 0.01
"""Share of decisions that may flip on the way from the trained model to the compiled one."""


@dataclass(frozen=True)
class Options:
    """CompilerOptions. `precision` None: the target's first that keeps the decisions; `runtime` None: its faster one.

    `calibration` is an s3:// prefix.
    `thresholds` travel with the model: label -> score from which it counts. `neo` are the options of Neo's.
    """

    precision: Precision | None = None
    calibration: str | None = None
    tolerance: float = TOLERANCE
    thresholds: Mapping[str, float] = field(default_factory=dict)
    neo: Mapping[str, Any] = field(default_factory=dict)
    runtime: Runtime | None = None


def check_framework(framework: str) -> None:
    """Raises UserError naming what to export instead."""
    if framework not in FRAMEWORKS:
        raise UserError(
            f"InputConfig.Framework {framework} is not compiled here: export the model to ONNX "
            f"({_EXPORTS[framework]}) and give Framework ONNX; the others are PYTORCH and XGBOOST."
        )


def read_options(text: str | None, target: Target) -> Options:
    """Raises UserError naming the option."""
    place = "OutputConfig.CompilerOptions"
    if not text:
        return Options()
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UserError(f'{place} is not JSON ({error}); write {{"precision": "int8"}}, with double quotes.') from None
    if not isinstance(given, dict):
        raise UserError(f'{place} is no JSON object; write {{"precision": "int8"}}.')
    known = (*OUR_OPTIONS, *NEO_OPTIONS)
    if unknown := next((name for name in given if name not in known), None):
        raise UserError(f"{place} has no option '{unknown}'; there are {', '.join(known)}.")
    runtime = _runtime(given.get("runtime"), target, place)
    return Options(
        precision=_precision(given.get("precision"), runtime, target, place),
        runtime=runtime,
        calibration=_address(given.get("calibration"), place),
        tolerance=_share(given.get("tolerance", TOLERANCE), f"{place}.tolerance"),
        thresholds=_thresholds(given.get("thresholds", {}), place),
        neo={name: value for name, value in given.items() if name in NEO_OPTIONS},
    )


def read_shapes(text: str | None) -> dict[str, tuple[int, ...]] | None:
    """The shapes of a DataInputConfig by input name ("" for a list's, which have none); None where there is none.

    Forms: {"input": [1, 3, 224, 224]}, [[1, 3, 224, 224]], {"input": {"shape": [1, 3, 224, 224]}}. Raises UserError.
    """
    if text is None:
        return None
    place = "InputConfig.DataInputConfig"
    mend = 'write {"input": [1, 3, 224, 224]}: each input\'s name and shape'
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UserError(f"{place} is not JSON ({error}); {mend}.") from None
    pairs = list(given.items()) if isinstance(given, dict) else [("", one) for one in _list(given, place, mend)]
    shapes = {f"{name}" if name else f"#{number}": _shape(one, place, mend) for number, (name, one) in enumerate(pairs)}
    if not shapes:
        raise UserError(f"{place} names no input; {mend}.")
    return shapes


def is_named(name: str) -> bool:
    """Whether a shape of `read_shapes` came with its input's name and not by its place in a list."""
    return not name.startswith("#")


def _list(given: object, place: str, mend: str) -> list[Any]:
    if not isinstance(given, list):
        raise UserError(f"{place} is neither an object nor a list; {mend}.")
    return given


def _shape(given: object, place: str, mend: str) -> tuple[int, ...]:
    if isinstance(given, dict):
        given = given.get("shape")
    whole = isinstance(given, list) and all(type(side) is int and side > 0 for side in given)
    if not isinstance(given, list) or not given or not whole:
        raise UserError(f"{place} has a shape {json.dumps(given)}, which is no list of whole numbers above 0; {mend}.")
    return tuple(given)


def _runtime(given: object, target: Target, place: str) -> Runtime | None:
    if given is None:
        return None
    if isinstance(given, str) and given.lower() in ("tflite", "litert"):
        raise UserError(
            f"{place}.runtime is {json.dumps(given)}, which is not built: its converters need an environment of their own "
            f"(litert-torch converts a PyTorch model there); here {_runtimes(target)}."
        )
    found = next((runtime for runtime in (*target.runtimes, *target.others) if runtime == given), None)
    if found is None:
        raise UserError(f"{place}.runtime is {json.dumps(given)}; {_runtimes(target)}.")
    return found


def _runtimes(target: Target) -> str:
    return f"{target.name} is built for {' or '.join((*target.runtimes, *target.others))}"


def _precision(given: object, runtime: Runtime | None, target: Target, place: str) -> Precision | None:
    if runtime == "ncnn" and given not in (None, "fp32"):
        raise UserError(f"{place}.precision is {json.dumps(given)}; the runtime ncnn is built in fp32.")
    if given is None:
        return "fp32" if runtime == "ncnn" else None
    found = next((precision for precision in target.precisions if precision == given), None)
    if found is None:
        raise UserError(
            f"{place}.precision is {json.dumps(given)}; {target.name} is built in {' and '.join(target.precisions)}."
        )
    return found


def _address(given: object, place: str) -> str | None:
    if given is not None and not (isinstance(given, str) and given.startswith("s3://")):
        raise UserError(f"{place}.calibration is {json.dumps(given)}; give the s3:// prefix of some pictures.")
    return given


def _share(given: object, place: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise UserError(f"{place} is {json.dumps(given)}; give a share from 0 to 1, such as {TOLERANCE}.")
    return float(given)


def _thresholds(given: object, place: str) -> dict[str, float]:
    if not isinstance(given, dict):
        raise UserError(f'{place}.thresholds is {json.dumps(given)}; write {{"ok": 0.8}}: label and least score.')
    return {str(label): _share(value, f"{place}.thresholds['{label}']") for label, value in given.items()}

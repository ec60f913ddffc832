"""A graph in OpenVINO on one thread, and OpenVINO itself, imported without the telemetry that it comes with."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]

_OPTIONS = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
"""One thread, and single precision even where the processor has bfloat16 (docs.openvino.ai, "CPU Device")."""


def import_openvino() -> Any:
    """The package. Raises ModuleNotFoundError where it is not installed.

    Its import alone reports to an address on the internet, through a package of its own; where that cannot be imported it
    goes on without (openvino/tools/ovc/telemetry_utils.py).
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: an import of it fails
    import openvino

    return openvino


def load_graph(graph: Path, threads: int = 1) -> Callable[[Mapping[str, Array]], list[Array]]:
    """What runs an .onnx or .xml file: inputs by name -> outputs in the graph's order. Raises what OpenVINO raises."""
    options = {**_OPTIONS, "INFERENCE_NUM_THREADS": threads}
    model = import_openvino().Core().compile_model(str(graph), "CPU", options)
    request = model.create_infer_request()
    outputs = list(model.outputs)

    def run(feeds: Mapping[str, Array]) -> list[Array]:
        answers = request.infer(dict(feeds))
        return [answers[output].copy() for output in outputs]

    return run

"""Calibration: the range of each activation of a graph, from samples, as ONNX Runtime's quantisation takes it."""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

from tobo.compilers.model import Sample, Samples

METHODS = (CalibrationMethod.MinMax, CalibrationMethod.Percentile)
"""All values from the least to the greatest, or all but the outermost: one outlier among millions costs all others their
precision, and yet may be what a network's head looks at. Which is better is a matter of the network: both are tried."""

PERCENTILE = 99.999

_AT_ONCE = 4
"""Samples whose activations, all of them, are in memory at a time."""


def calibrate(graph: Path, operators: list[str], samples: Samples, method: CalibrationMethod, ranges: Path) -> None:
    """Writes the ranges of what goes in and out of a graph's `operators`, for quantize_static's calibration_cache_path."""
    options = {"percentile": PERCENTILE} if method is CalibrationMethod.Percentile else {}
    with tempfile.TemporaryDirectory(dir=ranges.parent) as folder:
        calibrator = create_calibrator(
            graph,
            operators,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=method,
            extra_options=options,
        )
        left = iter(samples)
        while some := list(islice(left, _AT_ONCE)):
            calibrator.collect_data(_Reader(iter(some)))
        save_tensors_data(calibrator.compute_data(), ranges)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, samples: Iterator[Sample]) -> None:
        self._samples = samples

    def get_next(self) -> Any:
        sample = next(self._samples, None)
        return None if sample is None else dict(sample.feeds)

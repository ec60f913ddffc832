"""Sources: how a model's archive becomes what a compiler takes, by its framework."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tobo.compilers.model import Source
from tobo.compilers.options import read_shapes
from tobo.compilers.sources import exported_program, image_classification, onnx_file, trees
from tobo.kit.guest import UserError


def read(folder: Path, given: Mapping[str, Any], calibration: Path | None, work: Path) -> Source:
    """The model of an unpacked archive, as an InputConfig describes it; raises UserError.

    `calibration` is a folder with samples beside those of the archive; `work` one for what is made on the way.
    """
    shapes = read_shapes(given.get("DataInputConfig"))
    framework = given["Framework"]
    if framework == "XGBOOST":
        return trees.read(folder, work)
    if image_classification.is_one(folder):
        return image_classification.read(folder, shapes, calibration)
    if framework == "ONNX":
        return onnx_file.read(folder, shapes, calibration, work)
    if framework == "PYTORCH":
        return exported_program.read(folder, shapes, calibration, work)
    raise UserError(f"InputConfig.Framework {framework} is not compiled here.")

"""Somebody's ONNX file, with fixed shapes, and the samples that it is tried with: theirs, or drawn ones.

Samples are .npz files, one a sample, with an array for each input by its name, in the archive's folders `golden/` (what
the model is tried with) and `calibration/`; where golden/ is missing, inputs are drawn from a normal distribution, which
shows whether two forms agree but not how good they are.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx.external_data_helper import uses_external_data

from tobo.compilers.model import Array, Sample, Samples, Source
from tobo.compilers.onnx_runtime import last_line, load
from tobo.compilers.options import is_named
from tobo.kit.guest import UserError

DRAWN = 16
"""Samples that are drawn where the archive has none."""


class Input(NamedTuple):
    """An input of a graph with the shape that one sample has."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read(folder: Path, shapes: Mapping[str, tuple[int, ...]] | None, calibration: Path | None, work: Path) -> Source:
    """Raises UserError: not one .onnx file, a broken one, shapes that are not its inputs', bad samples."""
    graph = _whole(only(folder, (".onnx",), "ONNX graph"), work / "model.onnx")
    return from_graph(graph, folder, shapes, calibration)


def _whole(graph: Path, inlined: Path) -> Path:
    """The graph with its weights in the same file: those beside it are taken in. Raises UserError where some are missing."""
    try:
        model = onnx.load(str(graph), load_external_data=False)
        if not any(uses_external_data(weight) for weight in model.graph.initializer):
            return graph
        onnx.load_external_data_for_model(model, str(graph.parent))
        onnx.save(model, str(inlined))
    except Exception as error:  # protobuf's and onnx's own, which have no common class
        raise UserError(f"'{graph.name}' is not a valid ONNX graph: {last_line(error)}") from None
    return inlined


def only(folder: Path, suffixes: tuple[str, ...], what: str) -> Path:
    """The one file of a folder with such a name; raises UserError."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UserError(f"The archive has to hold one {what} ({', '.join(suffixes)}); it holds {names}.")
    return found[0]


def from_graph(
    graph: Path, folder: Path, shapes: Mapping[str, tuple[int, ...]] | None, calibration: Path | None
) -> Source:
    """A source of a graph of tensors. Its expected scores are ONNX Runtime's, unless golden/ knows better ones."""
    inputs = _inputs(graph, shapes)
    golden = _samples(folder / "golden", inputs, "the archive's golden/")
    given = folder / "calibration" if calibration is None else calibration
    known = _samples(given, inputs, "calibration samples")
    if calibration is not None and not len(known):
        raise UserError("None of the objects at CompilerOptions.calibration is an .npz file with the model's inputs.")
    return Source(
        graph=graph,
        reference="golden",
        examined=golden if len(golden) else _drawn(inputs),
        calibration=known,
        labels=_labels(folder),
    )


def _inputs(graph: Path, shapes: Mapping[str, tuple[int, ...]] | None) -> list[Input]:
    try:
        model = onnx.load(str(graph))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's and onnx's own, which have no common class
        raise UserError(f"'{graph.name}' is not a valid ONNX graph: {last_line(error)}") from None
    load(graph)
    fixed = {value.name for value in model.graph.initializer}
    declared = [value for value in model.graph.input if value.name not in fixed]
    given = _by_name(shapes, [value.name for value in declared])
    return [_input(value, given.get(value.name)) for value in declared]


def _by_name(shapes: Mapping[str, tuple[int, ...]] | None, names: list[str]) -> dict[str, tuple[int, ...]]:
    if shapes is None:
        return {}
    named = all(is_named(name) for name in shapes)
    found = dict(shapes if named else zip(names, shapes.values(), strict=False))
    if len(shapes) != len(names) or found.keys() != set(names):
        told = ", ".join(name for name in shapes if is_named(name)) or f"{len(shapes)} shapes"
        raise UserError(f"InputConfig.DataInputConfig names {told}; the graph's inputs are {', '.join(names)}.")
    return found


def _input(value: Any, given: tuple[int, ...] | None) -> Input:
    tensor = value.type.tensor_type
    own = [side.dim_value if side.HasField("dim_value") else None for side in tensor.shape.dim]
    shape = given
    if shape is None:
        if None in own[1:]:
            raise UserError(f"InputConfig.DataInputConfig is missing: the graph's input '{value.name}' has free sides.")
        shape = tuple(side or 1 for side in own)
    if len(shape) != len(own) or any(mine not in (None, 0, side) for mine, side in zip(own, shape, strict=True)):
        told = [side if side is not None else "any" for side in own]
        raise UserError(
            f"InputConfig.DataInputConfig gives '{value.name}' the shape {list(shape)}; the graph's is {told}."
        )
    return Input(value.name, shape, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)))


def _samples(folder: Path, inputs: list[Input], origin: str) -> Samples:
    files = sorted(folder.rglob("*.npz")) if folder.is_dir() else []
    return Samples(tuple(partial(_sample, file, inputs) for file in files), origin)


def _sample(file: Path, inputs: list[Input]) -> Sample:
    """Raises UserError for a file that does not hold the inputs."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            feeds = {one.name: np.asarray(arrays[one.name], one.dtype) for one in inputs}
            expected = np.asarray(arrays["scores"], np.float32).ravel() if "scores" in arrays else None
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"'{file.name}' does not hold the model's inputs as arrays ({error}).") from None
    for one in inputs:
        if feeds[one.name].shape != one.shape:
            raise UserError(
                f"'{file.name}' has '{one.name}' in the shape {list(feeds[one.name].shape)} and not {list(one.shape)}."
            )
    return Sample(feeds, expected)


def _drawn(inputs: list[Input]) -> Samples:
    def sample(number: int) -> Sample:
        random = np.random.default_rng(number)
        return Sample({one.name: _draw(random, one) for one in inputs})

    origin = "drawn from a normal distribution: the archive has no golden/*.npz"
    return Samples(tuple(partial(sample, number) for number in range(DRAWN)), origin)


def _draw(random: np.random.Generator, one: Input) -> Array:
    if one.dtype.kind == "f":
        return random.standard_normal(one.shape, np.float32).astype(one.dtype)
    if one.dtype == np.uint8:
        return random.integers(0, 256, one.shape, np.uint8)
    return random.integers(0, 2, one.shape).astype(one.dtype)


def _labels(folder: Path) -> tuple[str, ...]:
    try:
        found = json.loads((folder / "labels.json").read_text())
    except (OSError, ValueError):
        return ()
    return tuple(str(label) for label in found) if isinstance(found, list) else ()

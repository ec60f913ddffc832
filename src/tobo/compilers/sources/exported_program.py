"""A PyTorch program as torch.export.save writes it (.pt2), turned into ONNX by torch's own exporter.

A state dict holds weights without their network, and TorchScript (.pt, .pth) is no longer exported by torch: both are
refused with what to write instead. Loading a .pt2 can run what is in it, so this happens in the job's sandbox.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.compilers.decisions import flat
from tobo.compilers.model import Sample, Source
from tobo.compilers.onnx_runtime import last_line
from tobo.compilers.sources.onnx_file import from_graph, only
from tobo.kit.guest import UserError

_MEND = "save the model with torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2')"


def read(folder: Path, shapes: Mapping[str, tuple[int, ...]] | None, calibration: Path | None, work: Path) -> Source:
    """Raises UserError: no program, one that torch cannot load or export, shapes that are not its inputs'."""
    others = sorted(path.name for path in folder.rglob("*") if path.suffix in (".pt", ".pth", ".safetensors", ".bin"))
    if others and not any(folder.rglob("*.pt2")):
        raise UserError(
            f"'{others[0]}' holds weights without their network, or TorchScript, of which no graph can be made; {_MEND}, "
            "or export it to ONNX and give Framework ONNX."
        )
    program = _load(only(folder, (".pt2",), "exported program"))
    source = from_graph(_export(program, work / "model.onnx"), folder, shapes, calibration)
    answers = [_answer(program, sample) for sample in source.examined]
    readers = tuple(
        partial(_answered, read, scores) for read, scores in zip(source.examined.readers, answers, strict=True)
    )
    return replace(source, reference="torch", examined=replace(source.examined, readers=readers))


def _load(file: Path) -> Any:
    if missing := [name for name in ("torch", "onnxscript") if find_spec(name) is None]:
        raise UserError(f"PyTorch programs need {' and '.join(missing)}: pip install 'tobo[train,compile]'.")
    import torch

    try:
        return torch.export.load(file)
    except Exception as error:  # whatever the archive makes torch raise
        raise UserError(f"torch cannot load '{file.name}': {last_line(error)} Please {_MEND}.") from None


def _export(program: Any, graph: Path) -> Path:
    import torch

    try:
        exported = torch.onnx.export(program, dynamo=True, verbose=False)
        assert exported is not None, "the program is empty"
    except Exception as error:  # whatever the exporter meets in it
        raise UserError(f"torch cannot write the program as ONNX: {last_line(error)}") from None
    exported.save(str(graph), external_data=False)
    return graph


def _answer(program: Any, sample: Sample) -> npt.NDArray[np.float32]:
    """The program's own answer, its outputs in one row; inputs in the graph's order, which is the program's."""
    import torch

    with torch.no_grad():
        found = program.module()(*(torch.from_numpy(value) for value in sample.feeds.values()))
    outputs = found if isinstance(found, tuple | list) else (found,)
    return flat([output.numpy() for output in outputs]).astype(np.float32)


def _answered(read: Callable[[], Sample], scores: npt.NDArray[np.float32]) -> Sample:
    return replace(read(), expected=scores)

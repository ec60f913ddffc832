"""A PyTorch program as torch.export.save writes it (.pt2), turned into ONNX by torch's own exporter.

A state dict holds weights without their network, and TorchScript (.pt, .pth) is no longer exported by torch: both are
refused with what to write instead. Loading a .pt2 can run what is in it, so this happens in the job's sandbox.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tobo.compilers.model import Source
from tobo.compilers.onnx_runtime import first_line
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
    program = only(folder, (".pt2",), "exported program")
    return from_graph(_export(program, work / "model.onnx"), folder, shapes, calibration, "onnxruntime")


def _export(program: Path, graph: Path) -> Path:
    if missing := [name for name in ("torch", "onnxscript") if find_spec(name) is None]:
        raise UserError(f"PyTorch programs need {' and '.join(missing)}: pip install 'tobo[train,compile]'.")
    import torch

    try:
        loaded = torch.export.load(program)
    except Exception as error:  # whatever the archive makes torch raise
        raise UserError(f"torch cannot load '{program.name}': {first_line(error)} Please {_MEND}.") from None
    try:
        exported = torch.onnx.export(loaded, dynamo=True, verbose=False)
    except Exception as error:
        raise UserError(f"torch cannot write '{program.name}' as ONNX: {first_line(error)}") from None
    if exported is None:
        raise UserError(f"torch cannot write '{program.name}' as ONNX.")
    exported.save(str(graph), external_data=False)
    return graph

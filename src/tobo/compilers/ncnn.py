"""ncnn: the network as .param and .bin in single precision, for devices and apps that have ncnn; preprocessing beside it.

pnnx, by ncnn's authors, converts the network. What stands before it in a graph of pictures stays an ONNX graph of its own
(inference/ncnn_graph.py): ncnn's resize is not Pillow's. Source: github.com/pnnx/pnnx, github.com/Tencent/ncnn.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from tobo.compilers import onnx_runtime
from tobo.compilers.base import Built
from tobo.compilers.model import Run, Source
from tobo.compilers.targets import Precision, Runtime
from tobo.inference.ncnn_graph import INPUT, OUTPUT, PREPARE, load_graph
from tobo.kit.guest import UserError

GRAPH, WEIGHTS = "model.param", "model.bin"

_NETWORK = ("BatchNormalization", "Conv", "Gemm", "MatMul")
"""What a network begins with; before it is preprocessing."""

_SECONDS = 600
"""The longest that a conversion may take: a ResNet-18 takes less than one."""


class Ncnn:
    """The network in single precision."""

    runtime: Runtime = "ncnn"
    precision: Precision = "fp32"
    variant = ""

    def compile(self, source: Source, folder: Path) -> Built:
        ncnn, model = _installed(), onnx.load(str(source.graph))
        if foreign := next((node.op_type for node in model.graph.node if node.domain not in ("", "ai.onnx")), None):
            raise UserError(f"ncnn has no operator '{foreign}'.")
        if not source.pictures:
            raise UserError("ncnn is built for classifiers of pictures; use the runtime onnxruntime.")
        between = _split(model, folder / PREPARE)
        shape = list(onnx_runtime.load(folder / PREPARE)(next(iter(source.examined)).feeds)[0].shape)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            work = Path(name)
            _save_network(model, between, shape, work / "network.onnx")
            _convert(work, shape)
            (work / "network.ncnn.param").rename(folder / GRAPH)
            (work / "network.ncnn.bin").rename(folder / WEIGHTS)
        if unknown := next((kind for kind in _layers(folder / GRAPH) if ncnn.layer_to_index(kind) < 0), None):
            raise UserError(f"ncnn has no operator '{unknown}'.")
        requirements = ("numpy", "pillow", f"onnxruntime>={onnx_runtime.OLDEST}", f"ncnn>={version('ncnn')}")
        details = {"input": {"name": INPUT, "shape": shape[1:], "values": "RGB, 0 to 255"}, "output": OUTPUT}
        return Built(self.runtime, self.precision, GRAPH, (GRAPH, WEIGHTS, PREPARE), requirements, {"network": details})

    def load(self, folder: Path, built: Built) -> Run:
        _installed()
        try:
            return load_graph(folder / built.graph)
        except Exception as error:  # ONNX Runtime's have no common class of their own
            raise UserError(f"ncnn refuses the graph: {onnx_runtime.last_line(error)}") from None


def _split(model: Any, file: Path) -> str:
    """Writes the preprocessing of a graph of pictures; gives the name of what it hands the network.

    Raises UserError where more than one thing goes over.
    """
    graph = model.graph
    before = list(takewhile(lambda node: node.op_type not in _NETWORK, graph.node))
    made = {name for node in before for name in node.output}
    over = {name for node in graph.node[len(before) :] for name in node.input if name in made}
    if len(over) != 1:
        raise UserError(
            "ncnn takes a network with one input behind its preprocessing; use the runtime onnxruntime for this one."
        )
    between: str = over.pop()
    output = helper.make_tensor_value_info(between, TensorProto.FLOAT, ["n", "channels", "height", "width"])
    onnx.save(_graph(model, before, list(graph.input), [output]), str(file))
    return between


def _save_network(model: Any, between: str, shape: Sequence[int], file: Path) -> None:
    """Writes what is behind the preprocessing, with an input of that shape."""
    nodes = list(model.graph.node)
    behind = nodes[next(index for index, node in enumerate(nodes) if node.op_type in _NETWORK) :]
    given = helper.make_tensor_value_info(between, TensorProto.FLOAT, shape)
    onnx.save(_graph(model, behind, [given], list(model.graph.output)), str(file))


def _graph(model: Any, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """A model of some of another's nodes, with the constants that they use."""
    used = {name for node in nodes for name in node.input}
    constants = [value for value in model.graph.initializer if value.name in used]
    part = helper.make_graph(nodes, "part", inputs, outputs, constants)
    return helper.make_model(part, opset_imports=model.opset_import, ir_version=model.ir_version)


def _convert(work: Path, shape: Sequence[int]) -> None:
    """Makes network.ncnn.param and network.ncnn.bin of network.onnx. Raises UserError."""
    found = find_spec("pnnx")
    assert found is not None and found.origin is not None  # _installed has looked
    program = Path(found.origin).with_name("pnnx")  # beside a package whose import would bring torch
    words = [str(program), "network.onnx", f"inputshape=[{','.join(map(str, shape))}]", "fp16=0"]
    try:
        ran = subprocess.run(
            words, cwd=work, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"ncnn's converter failed: {onnx_runtime.last_line(error)}") from None
    if ran.returncode or not (work / "network.ncnn.param").is_file():
        said = (ran.stderr + ran.stdout).strip().splitlines() or ["it said nothing"]
        raise UserError(f"ncnn's converter ended with {ran.returncode}: {said[-1].strip().rstrip('.')[:400]}.")


def _layers(param: Path) -> set[str]:
    """The kinds of layers of a .param file, behind its two lines of numbers."""
    return {line.split()[0] for line in param.read_text().splitlines()[2:] if line.strip()}


def _installed() -> Any:
    """The package ncnn; raises UserError where it or its converter is not installed."""
    try:
        import ncnn
    except ModuleNotFoundError:
        ncnn = None
    if ncnn is None or find_spec("pnnx") is None:
        raise UserError("ncnn and pnnx are not installed: pip install 'tobo[compile]' in the server's environment.")
    return ncnn

"""A picture classifier in ncnn on one thread: ONNX Runtime prepares the pictures, ncnn computes the network.

Beside `<name>.param` and `<name>.bin`, which are ncnn's, lies PREPARE, an ONNX graph from uint8 RGB [n, h, w, 3] of any
size to the network's input float32 [n, 3, height, width]. It imports nothing of tobo's: it runs under emulation, too.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Array = npt.NDArray[Any]

PREPARE = "prepare.onnx"
INPUT, OUTPUT = "in0", "out0"
"""What pnnx calls a network's first input and output."""

_HALF = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage")
"""ncnn would compute in half precision wherever the processor can, with other scores than the rest of a fleet."""


def load_graph(graph: Path, threads: int = 1) -> Callable[[Mapping[str, Array]], list[Array]]:
    """What runs a .param file: {input: uint8 [n, h, w, 3]} -> [float32 [n, labels]].

    Raises ModuleNotFoundError where ncnn is not installed, ValueError where it does not read the files.
    """
    import ncnn

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.enable_mem_pattern = False  # plans memory for pictures of one size
    prepare = onnxruntime.InferenceSession(str(graph.with_name(PREPARE)), options, providers=["CPUExecutionProvider"])
    net = ncnn.Net()
    net.opt.num_threads = threads
    for option in _HALF:
        setattr(net.opt, option, False)
    if net.load_param(str(graph)) or net.load_model(str(graph.with_suffix(".bin"))):
        raise ValueError(f"ncnn does not read {graph.name} with {graph.with_suffix('.bin').name}")

    def network(planes: Array) -> Array:
        extractor = net.create_extractor()
        # A Mat does not keep the array alive that it is made of: its clone has memory of its own.
        extractor.input(INPUT, ncnn.Mat(planes).clone())
        code, answer = extractor.extract(OUTPUT)
        if code:
            raise RuntimeError(f"ncnn gave no {OUTPUT} (code {code})")
        return np.array(answer, np.float32).ravel()

    def run(feeds: Mapping[str, Array]) -> list[Array]:
        prepared = prepare.run(None, dict(feeds))[0]
        return [np.stack([network(np.ascontiguousarray(planes)) for planes in prepared])]

    return run

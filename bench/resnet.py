"""ResNet-18 at 224 px behind an endpoint beside the same graph in ONNX Runtime alone, both from a JPEG's bytes to scores."""

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from bench.client import Connection
from bench.endpoints import first_answer, invocation, prepare, resnet_files
from bench.rows import Row
from bench.servers import tobo
from bench.trees import Measured, cpu_ms_each

TIMES = 40


def run() -> list[Row]:
    picture = _photo()
    with tempfile.TemporaryDirectory() as folder:
        files = resnet_files(Path(folder))
    with tobo() as server:
        prepare(server, "resnet", files)
        first = first_answer(server, "resnet", picture)
        request = invocation(server, "resnet", picture)
        with Connection(server.endpoint) as connection:
            contestants = {
                "tobo": Measured(server.pids(), lambda number: connection.expect(request)),
                "raw": Measured([os.getpid()], _raw(files["model.onnx"], picture)),
            }
            cost = cpu_ms_each(contestants, TIMES)
    return [
        Row(
            "InvokeEndpoint ResNet-18, 640x480 JPEG",
            cost["tobo"],
            "CPU-ms",
            "ONNX Runtime alone",
            cost["raw"],
            aim_ratio=1.05,
        ),
        Row("CreateEndpoint to first answer, ResNet-18", first, "s", aim=1.5),
    ]


def _photo() -> bytes:
    """A JPEG of about 50 kB."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).save(packed, "JPEG", quality=90)
    return packed.getvalue()


def _raw(graph: bytes, picture: bytes) -> Callable[[int], object]:
    """Decoding and the graph, which resizes, in this process, with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def classify(number: int) -> object:
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
        return session.run(None, {"pictures": pixels[None]})

    classify(0)
    return classify

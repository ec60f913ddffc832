"""A transform job over JPEGs on all cores beside the same graph in ONNX Runtime alone, one thread and one session a core.

They take turns, and the medians count: a machine's speed drifts. CPU time is told beside, which other work disturbs less.
"""

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from bench.endpoints import prepare, resnet_files
from bench.rows import Row
from bench.servers import Tobo, tobo
from bench.trees import cpu_seconds

COUNT = int(os.environ.get("TOBO_BENCH_PICTURES", "2000"))
"""JPEGs that are scored."""
TURNS = 3


@dataclass(frozen=True)
class _Cost:
    """Seconds of the clock and of processors for all pictures; `server` is the server's own share of the latter."""

    seconds: float
    cpu: float
    server: float = 0.0


def run() -> list[Row]:
    picture = _photo()
    with tempfile.TemporaryDirectory() as folder:
        files = resnet_files(Path(folder))
    with tobo() as server:
        prepare(server, "batch", files)
        s3 = server.client("s3")
        with ThreadPoolExecutor(8) as threads:
            list(
                threads.map(
                    lambda n: s3.put_object(Bucket="bench-batch", Key=f"in/{n:05}.jpg", Body=picture), range(COUNT)
                )
            )
        turns = [(_transform(server, turn), _raw(files["model.onnx"], picture)) for turn in range(TURNS)]
    ours, raw = (_medians([turn[side] for turn in turns]) for side in (0, 1))
    what, alone = f"Transform job, {COUNT} JPEGs, ResNet-18", "ONNX Runtime alone, all cores"
    return [
        Row(what, COUNT / ours.seconds, "images/s", alone, COUNT / raw.seconds, aim_ratio=0.9, at_least=True),
        Row("the same", ours.cpu / COUNT * 1000, "CPU-ms", alone, raw.cpu / COUNT * 1000),
        Row("the server's share of a picture", ours.server / COUNT * 1000, "CPU-ms"),
    ]


def _medians(costs: Sequence[_Cost]) -> _Cost:
    return _Cost(*(median(values) for values in zip(*map(astuple, costs), strict=True)))


def _transform(server: Tobo, turn: int) -> _Cost:
    """From the start of the job's work, replicas included, to its end."""
    sagemaker, name = server.client("sagemaker"), f"batch-{turn}"
    [pid] = server.pids()
    before = cpu_seconds([pid])
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName="batch",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench-batch/in/"}},
            "ContentType": "image/jpeg",
        },
        TransformOutput={"S3OutputPath": f"s3://bench-batch/out-{turn}/"},
        TransformResources={"InstanceType": "ml.c5.18xlarge", "InstanceCount": 1},
    )
    spent: dict[int, float] = {}
    while True:
        job: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] == "Completed":
            seconds = (job["TransformEndTime"] - job["TransformStartTime"]).total_seconds()
            own = cpu_seconds([pid]) - before
            return _Cost(float(seconds), own + sum(spent.values()), own)
        if job["TransformJobStatus"] != "InProgress":
            raise RuntimeError(f"the transform job is {job['TransformJobStatus']}: {job.get('FailureReason')}")
        for replica in server.pids():
            if replica != pid:
                with contextlib.suppress(OSError):  # it has just ended
                    spent[replica] = cpu_seconds([replica])
        time.sleep(0.2)


def _raw(graph: bytes, picture: bytes) -> _Cost:
    """Decoding and scoring all pictures in this process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    cores = len(os.sched_getaffinity(0))
    sessions = [onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]) for _ in range(cores)]

    def classify(core: int) -> None:
        for _ in range(core, COUNT, cores):
            pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
            sessions[core].run(None, {"pictures": pixels[None]})

    begin, before = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(cores) as threads:
        list(threads.map(classify, range(cores)))
    return _Cost(time.monotonic() - begin, time.process_time() - before)


def _photo() -> bytes:
    """A JPEG of about 50 kB."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).save(packed, "JPEG", quality=90)
    return packed.getvalue()

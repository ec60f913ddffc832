"""A transform job over JPEGs on all cores beside the same graph in ONNX Runtime alone, one thread and one session a core."""

import io
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from bench.endpoints import prepare, resnet_files
from bench.rows import Row
from bench.servers import Tobo, tobo

COUNT = int(os.environ.get("TOBO_BENCH_PICTURES", "2000"))
"""JPEGs that are scored."""


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
        seconds = _transform(server)
    raw = _raw(files["model.onnx"], picture)
    return [
        Row(
            f"Transform job, {COUNT} JPEGs, ResNet-18",
            COUNT / seconds,
            "images/s",
            "ONNX Runtime alone, all cores",
            COUNT / raw,
            aim_ratio=0.9,
            at_least=True,
        )
    ]


def _transform(server: Tobo) -> float:
    """Seconds from the start of the job's work, replicas included, to its end."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_transform_job(
        TransformJobName="batch",
        ModelName="batch",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench-batch/in/"}},
            "ContentType": "image/jpeg",
        },
        TransformOutput={"S3OutputPath": "s3://bench-batch/out/"},
        TransformResources={"InstanceType": "ml.c5.18xlarge", "InstanceCount": 1},
    )
    while True:
        job: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName="batch")
        if job["TransformJobStatus"] == "Completed":
            return float((job["TransformEndTime"] - job["TransformStartTime"]).total_seconds())
        if job["TransformJobStatus"] != "InProgress":
            raise RuntimeError(f"the transform job is {job['TransformJobStatus']}: {job.get('FailureReason')}")
        time.sleep(0.2)


def _raw(graph: bytes, picture: bytes) -> float:
    """Seconds for decoding and scoring all pictures in this process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    cores = len(os.sched_getaffinity(0))
    sessions = [onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]) for _ in range(cores)]

    def classify(core: int) -> None:
        for _ in range(core, COUNT, cores):
            pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
            sessions[core].run(None, {"pictures": pixels[None]})

    begin = time.monotonic()
    with ThreadPoolExecutor(cores) as threads:
        list(threads.map(classify, range(cores)))
    return time.monotonic() - begin


def _photo() -> bytes:
    """A JPEG of about 50 kB."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).save(packed, "JPEG", quality=90)
    return packed.getvalue()

"""Endpoints to be measured: made of a model folder, through the same calls as anybody's."""

import io
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.client import Connection, signed
from bench.servers import Tobo

IMAGE, ECHO = "image-classification:1", "tobo-echo:1"
JPEG = {"Content-Type": "image/jpeg"}


def prepare(
    server: Tobo,
    name: str,
    files: Mapping[str, bytes],
    image: str = IMAGE,
    environment: Mapping[str, str] | None = None,
) -> None:
    """The model in S3, the model and the endpoint configuration, all called `name`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for file, data in files.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket=f"bench-{name}")
    s3.put_object(Bucket=f"bench-{name}", Key="model.tar.gz", Body=packed.getvalue())
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn="arn:aws:iam::111122223333:role/service-role/bench",
        PrimaryContainer={
            "Image": image,
            "ModelDataUrl": f"s3://bench-{name}/model.tar.gz",
            "Environment": dict(environment or {}),
        },
    )
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def first_answer(server: Tobo, name: str, body: bytes) -> float:
    """Seconds from CreateEndpoint of what was prepared to the first answer of InvokeEndpoint."""
    sagemaker = server.client("sagemaker")
    sagemaker.list_endpoints()  # the client's own first request is not the server's business
    request = invocation(server, name, body)
    begin = time.monotonic()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    with Connection(server.endpoint) as connection:
        while True:
            status, answer = connection.ask(request)
            if status == 200:
                return time.monotonic() - begin
            if time.monotonic() - begin > 60 or b" is Failed" in answer:
                reason = sagemaker.describe_endpoint(EndpointName=name).get("FailureReason")
                raise RuntimeError(f"endpoint {name} does not answer: {answer!r} {reason}")
            time.sleep(0.005)


def invocation(server: Tobo, name: str, body: bytes) -> bytes:
    """InvokeEndpoint, signed over the whole body."""
    return signed(server.endpoint, server.keys, "sagemaker", "POST", f"/endpoints/{name}/invocations", body, JPEG)


def resnet_files(folder: Path) -> dict[str, bytes]:
    """A model archive with a ResNet-18 at 224 px, written by the algorithm's own export in a process that may load torch."""
    subprocess.run([sys.executable, "-m", "bench.export", str(folder)], check=True)
    return {name: (folder / name).read_bytes() for name in ("model.onnx", "labels.json")}

"""Endpoints of models that answer with their name (tests/support/served/named_model.py), as a boto3 user makes them."""

import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from tests.conftest import Server
from tests.support.jobs import ROLE

IMAGE = "named-model:1"
BUCKET = "named-models"


@cache
def client_of(endpoint: str, keys: tuple[str, str], service: str) -> Any:
    """A boto3 client, made once: making one takes longer than an update of an endpoint."""
    key_id, secret = keys
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
    )


def sagemaker_of(server: Server) -> Any:
    return client_of(server.endpoint, server.keys, "sagemaker")


def make_named_model(server: Server, name: str, says: str | None = None, **environment: str) -> str:
    """A model that answers as `says`, else as its name."""
    file = io.BytesIO()
    told = (says or name).encode()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo("name.txt")
        info.size = len(told)
        archive.addfile(info, io.BytesIO(told))
    s3 = client_of(server.endpoint, server.keys, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=file.getvalue())
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz",
        "Environment": environment,
    }
    sagemaker_of(server).create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    return name


def named_variant(
    model: str, name: str = "AllTraffic", count: int = 1, weight: float = 1.0, **changed: Any
) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.t2.medium",
        "InitialInstanceCount": count,
        "InitialVariantWeight": weight,
        **changed,
    }


def serverless_variant(model: str, name: str = "AllTraffic", most: int = 4, **changed: Any) -> dict[str, Any]:
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": most, **changed}
    return {"VariantName": name, "ModelName": model, "ServerlessConfig": config}


def make_config(server: Server, name: str, *variants: dict[str, Any], **asked: Any) -> str:
    sagemaker_of(server).create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **asked)
    return name


def make_endpoint(server: Server, name: str, *variants: dict[str, Any], **asked: Any) -> dict[str, Any]:
    """Configuration and endpoint of one name; its description when it is settled."""
    make_config(server, name, *variants, **asked)
    sagemaker_of(server).create_endpoint(EndpointName=name, EndpointConfigName=name)
    return settled(server, name)


def settled(server: Server, name: str, seconds: float = 60) -> dict[str, Any]:
    """The description of an endpoint as soon as it is neither made nor changed."""
    sagemaker = sagemaker_of(server)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        if described["EndpointStatus"] in ("InService", "Failed"):
            return described
        time.sleep(0.02)
    raise AssertionError(f"{name} is still {described['EndpointStatus']}")


def asker(server: Server, endpoint: str) -> Callable[..., str]:
    """A function that invokes an endpoint and gives the name of the model; a wrong answer is an AssertionError."""
    runtime = client_of(server.endpoint, server.keys, "sagemaker-runtime")

    def ask(body: str, **asked: Any) -> str:
        answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body.encode(), **asked)
        name, _, rest = answer["Body"].read().decode().partition(": ")
        assert rest == body, f"sent {body!r}, answered {rest!r}"
        return str(name)

    return ask


@contextmanager
def load(server: Server, endpoint: str, clients: int = 4) -> Iterator[list[str]]:
    """Invokes an endpoint from several threads meanwhile; fills the list with the models that answered, in order.

    Raises what a request has raised, as soon as all are over.
    """
    seen: list[str] = []
    stop = threading.Event()

    def client(number: int) -> None:
        ask, turn = asker(server, endpoint), 0
        while not stop.is_set():
            seen.append(ask(f"{number}-{turn}"))
            turn += 1

    with ThreadPoolExecutor(clients) as threads:
        asked = [threads.submit(client, number) for number in range(clients)]
        try:
            yield seen
        finally:
            stop.set()
    for one in asked:
        one.result()

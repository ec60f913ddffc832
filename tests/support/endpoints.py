"""Models and endpoints as a boto3 user makes them."""

import json
import time
from typing import Any

from tests.conftest import Server
from tests.support.jobs import IMAGE, ROLE


def make_model(server: Server, name: str, artifact: str, **changed: Any) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": artifact, **changed}
    server.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)


def variant(model: str, count: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": "ml.t2.medium",
        "InitialInstanceCount": count,
        **changed,
    }


def deploy(server: Server, name: str, artifact: str, count: int = 1, **container: Any) -> dict[str, Any]:
    """Model, configuration and endpoint of one name; its description when it is no longer Creating."""
    sagemaker = server.client("sagemaker")
    make_model(server, name, artifact, **container)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name, count)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return await_endpoint(server, name)


def await_endpoint(server: Server, name: str, seconds: float = 60) -> dict[str, Any]:
    sagemaker = server.client("sagemaker")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        if described["EndpointStatus"] != "Creating":
            return described
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {described['EndpointStatus']}")


def classify(server: Server, name: str, body: bytes, content_type: str = "image/jpeg") -> list[float]:
    answer = server.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType=content_type, Body=body)
    scores: list[float] = json.loads(answer["Body"].read())
    return scores

"""What SageMaker publishes about an asynchronous request (Developer Guide, "Check prediction results")."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tobo.kit.arn import Namespace

LONGEST_RESPONSE = 128 << 10
"""Bytes of an answer that IncludeInferenceResponseIn takes into a message."""

_HINT = "Check S3 path location(if configured) or Cloudwatch for additional details."


def message(
    space: Namespace,
    endpoint: str,
    asked: Mapping[str, Any],
    received: float,
    now: float,
    outcome: Mapping[str, Any],
    response: bytes | None,
) -> dict[str, Any]:
    """SageMaker's message about one request.

    `asked` are the members of InvokeEndpointAsync, `outcome` the members that tell how it ended (invocationStatus,
    failureReason, responseParameters), `response` the model's answer where the topic wants it.
    """
    request = {"accept": asked.get("Accept"), "contentType": asked.get("ContentType")}
    request |= {"endpointName": endpoint, "inputLocation": asked.get("InputLocation")}
    told: dict[str, Any] = {
        "awsRegion": space.region,
        "eventTime": _time(now),
        "receivedTime": _time(received),
        **outcome,
        "requestParameters": {name: value for name, value in request.items() if value is not None},
        "inferenceId": asked["InferenceId"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if response is not None and len(response) <= LONGEST_RESPONSE:
        content = base64.b64encode(response).decode()
        told["responseBody"] = {"content": content, "message": _HINT, "encoding": "BASE64"}
    return told


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Notifications of asynchronous inference: AWS's messages, written down for each topic, and posted to a webhook.

There is no SNS here. A message to the topic `arn:aws:sns:<region>:<account>:<name>` becomes a line of
`<state>/notifications/<account>/<region>/<name>.jsonl`; where the setting `notification_webhook` names an address, the
message is posted there too, once, with the topic in the header x-amz-sns-topic-arn. The message is the one that
SageMaker publishes (Developer Guide, "Check prediction results").
"""

import base64
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.settings import Settings

log = logging.getLogger("tobo.endpoints")

WEBHOOK_SECONDS = 5.0
"""For the webhook to answer; it is not asked again."""

LONGEST_RESPONSE = 128 << 10
"""Bytes of an answer that IncludeInferenceResponseIn takes into a message."""

_HINT = "Check S3 path location(if configured) or Cloudwatch for additional details."

_writing = threading.Lock()


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


def write_down(settings: Settings, topic: str, told: Mapping[str, Any]) -> None:
    """Appends a message to its topic's file."""
    file = topic_file(settings, topic)
    with _writing:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as lines:
            lines.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))


def topic_file(settings: Settings, topic: str) -> Path:
    """Where the messages to a topic's ARN are; the wire has checked its pattern, which has no room for a path."""
    _, _, _, region, account, name = topic.split(":", 5)
    return settings.state / "notifications" / account / region / f"{name}.jsonl"


def post(settings: Settings, topic: str, told: Mapping[str, Any]) -> None:
    """Posts a message to the webhook, if there is one; a failure is logged and that is all."""
    if settings.notification_webhook is None:
        return
    headers = {"Content-Type": "application/json", "x-amz-sns-topic-arn": topic}
    try:
        request = urllib.request.Request(settings.notification_webhook, orjson.dumps(told), headers, method="POST")
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):
            pass
    except (OSError, ValueError) as error:
        log.warning("the webhook %s was not told of %s: %s", settings.notification_webhook, told["inferenceId"], error)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""POST /invocations in terms of a model: content types to pictures, scores to JSON, mistakes to status and sentence."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

JSON, JSON_LINES = "application/json", "application/jsonlines"


class Request(NamedTuple):
    """What the caller sent."""

    body: bytes
    content_type: str
    accept: str
    custom_attributes: str
    target_model: str = ""
    """Which of several models shall answer."""


class Response(NamedTuple):
    """What the caller gets; `status` is HTTP's. A body that is an iterator reaches who asked for a stream part by part."""

    status: int
    body: bytes | Iterator[bytes]
    content_type: str = JSON
    custom_attributes: str = ""


Handler = Callable[[Request], Response]
"""Answers one request. What it raises becomes a 500 with the message."""


def stuck_seconds() -> float:
    """How long one request may hold a model until the model counts as stuck: a minute more than answers may take.

    TOBO_ANSWER_SECONDS says how long that is; without it 60, as InvokeEndpoint allows.
    """
    return float(os.environ.get("TOBO_ANSWER_SECONDS", "60")) + 60


def refusal(status: int, sentence: str) -> Response:
    """The model's own error."""
    return Response(status, sentence.encode(), "text/plain")


def picture_handler(folder: Path) -> Handler:
    """Answers for the model of a folder as SageMaker's image-classification does: a JSON list of probabilities."""
    from tobo.inference.model import UnreadablePicture, load  # here, as other handlers need no ONNX Runtime

    model = load(folder)
    served = ", ".join(model.content_types)

    def answer(request: Request) -> Response:
        content_type = request.content_type.partition(";")[0].strip().lower()
        if content_type not in model.content_types:
            return refusal(415, f"Content type '{request.content_type}' is not served; send one of {served}.")
        accepted = accepted_type(request.accept)
        if accepted is None:
            return refusal(406, f"Accept '{request.accept}' cannot be given; ask for {JSON} or {JSON_LINES}.")
        try:
            [probabilities] = model.predict([request.body])
        except UnreadablePicture as error:
            return refusal(400, f"The picture {error}.")
        if accepted == JSON_LINES:
            return Response(200, json.dumps({"prediction": probabilities}).encode() + b"\n", JSON_LINES)
        return Response(200, json.dumps(probabilities).encode())

    return answer


def accepted_type(accept: str) -> str | None:
    """The answer's type for an Accept header: the first that we have; JSON where anything goes."""
    for asked in accept.lower().split(",") if accept else ("*/*",):
        match asked.partition(";")[0].strip():
            case "*/*" | "application/*" | "application/json" | "":
                return JSON
            case "application/jsonlines":
                return JSON_LINES
    return None

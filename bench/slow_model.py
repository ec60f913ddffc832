"""A model that takes 20 ms for each request, one after the other, and no processor: its capacity is 50 a second."""

import time
from pathlib import Path

from tobo.inference.invocations import Handler, Request, Response

SECONDS = 0.02


def handler(folder: Path) -> Handler:
    """TOBO_MODEL_SERVER=bench.slow_model:handler, with the repository in PYTHONPATH."""
    return _answer


def _answer(request: Request) -> Response:
    time.sleep(SECONDS)
    return Response(200, request.body, request.content_type)

"""Answers every request with its own body, ECHO_SECONDS later; the model folder may be empty."""

import os
import time
from pathlib import Path

from tobo.inference import server
from tobo.inference.invocations import Handler, Request, Response


def main() -> None:
    """The entry of a replica."""
    os.environ["TOBO_MODEL_SERVER"] = "tobo.algorithms.echo.serve:handler"
    server.main()


def handler(folder: Path) -> Handler:
    """The server's factory."""
    seconds = float(os.environ.get("ECHO_SECONDS", "0"))

    def answer(request: Request) -> Response:
        if seconds:
            time.sleep(seconds)
        return Response(200, request.body, request.content_type, request.custom_attributes)

    return answer

"""The model that is none: answers every request with its own body. Measures what the way there and back costs."""

from pathlib import Path

from tobo.inference.invocations import Handler, Request, Response


def handler(folder: Path) -> Handler:
    """TOBO_MODEL_SERVER=tobo.inference.echo:handler; the model folder may be empty."""
    return _echo


def _echo(request: Request) -> Response:
    return Response(200, request.body, request.content_type, request.custom_attributes)

"""tobo serve: the server."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tobo.settings import Settings


class Level(StrEnum):
    """What the log tells: `info` has a line a request."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.  [default: 8626]")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder for everything that is kept.  [default: .tobo]")] = None,
    tls_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Also serve TLS here, for devices and the SDKs' STS (see `tobo configure`)."
        ),
    ] = None,
    log_level: Annotated[Level, typer.Option(envvar="TOBO_LOG_LEVEL", help="JSON lines on stderr.")] = Level.info,
) -> None:
    """Starts the server; Ctrl+C stops it, its jobs and endpoints go on."""
    from tobo.app import serve as serve_settings
    from tobo.console.links import enter_link
    from tobo.gateway.log_format import log_json

    log_json(log_level.upper())
    settings = Settings.read(host=host, port=port, tls_port=tls_port, state=state)

    def ready(endpoint: str) -> None:
        where = "" if settings.state == Path(".tobo") else f" --state {settings.state}"
        print(f"tobo serves {endpoint} from {settings.state}; Ctrl+C stops it.")
        print(f"In a browser, once: {enter_link(settings.state, endpoint)}")
        print(
            f'In another shell: eval "$(tobo env{where})", then boto3, the AWS CLI and the SDKs speak to it.',
            flush=True,
        )

    serve_settings(settings, ready)

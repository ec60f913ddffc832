"""tobo console: a link that signs a browser in to the running server."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from tobo.cli.env import running_endpoint
from tobo.console.links import enter_link
from tobo.settings import Settings


def console(
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Also open it in this machine's browser.")] = False,
) -> None:
    """Prints a link that signs in to the console, once and within ten minutes, as the account's root."""
    settings = Settings.read(state=state)
    endpoint = running_endpoint(settings)
    if endpoint is None:
        raise SystemExit(f"No server runs on {settings.state}; start one with `tobo serve`.")
    link = enter_link(settings.state, endpoint)
    print(link)
    if show:
        webbrowser.open(link)

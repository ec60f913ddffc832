"""The style guide: the tokens and components that pages are made from."""

import re
from functools import cache
from importlib.resources import files

from starlette.responses import Response

from tobo.console.rendering import TONES
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit

_COLOUR = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")


@cache
def colours() -> list[tuple[str, str, str]]:
    """(token, by day, by night) of the token file."""
    return _COLOUR.findall((files("tobo.console") / "static" / "tokens.css").read_text())


@shown("/styleguide")
def _show(visit: Visit) -> Response:
    return visit.page("styleguide.html", colours=colours(), tones=TONES)


SCREENS: tuple[Screen, ...] = (_show,)

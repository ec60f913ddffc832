"""Preferences: the region and the theme, kept in cookies of the browser."""

from starlette.responses import Response

from tobo.console import ROOT
from tobo.console.routing import Screen, known_region, posted
from tobo.console.visit import Visit, fields_of
from tobo.kit.fault import Fault

YEAR = 365 * 86_400


@posted("/preferences")
def _choose(visit: Visit) -> Response:
    """What was chosen holds from the next page on, which is this one again."""
    chosen = fields_of(visit.form)
    answer = Response(status_code=204, headers={"HX-Refresh": "true"})
    if "region" in chosen:
        if not known_region(chosen["region"]):
            raise Fault("ValidationException", f"'{chosen['region']}' is no region; us-east-1 is one.")
        answer.set_cookie("tobo_region", chosen["region"], max_age=YEAR, path=ROOT, httponly=True, samesite="strict")
    if chosen.get("theme") in ("light", "dark", "auto"):
        answer.set_cookie("tobo_theme", chosen["theme"], max_age=YEAR, path=ROOT, httponly=True, samesite="strict")
    return answer


SCREENS: tuple[Screen, ...] = (_choose,)

"""The palette: screens, deeds and the resources whose name holds what is typed."""

from starlette.responses import JSONResponse, Response

from tobo.console.navigation import DEEDS, LISTED, NAVIGATION, Listed
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit, url
from tobo.kit.fault import Fault

MOST = 8
"""Resources of one kind."""


@shown("/palette")
def _find(visit: Visit) -> Response:
    words = visit.query.get("q", "").split()
    entries = [
        {"title": deed.title, "kind": "Action", "href": url(*deed.path.split("/")), "icon": deed.icon}
        for deed in DEEDS
        if visit.navigation is NAVIGATION
    ]
    entries += [
        {"title": place.title, "kind": "Screen", "href": url(*place.path.split("/")), "icon": place.icon}
        for group in visit.navigation
        for place in group.places
    ]
    if words:
        for listed in LISTED:
            entries += _named(visit, listed, max(words, key=len))
    return JSONResponse({"entries": entries})


def _named(visit: Visit, listed: Listed, part: str) -> list[dict[str, str]]:
    """Nothing where the key may not list the kind, or no name of it can hold such a text."""
    try:
        found = visit.quietly(listed.service, listed.operation, NameContains=part, MaxResults=MOST)
    except Fault:
        return []
    return [
        {
            "title": one[listed.name],
            "kind": listed.kind,
            "href": url(listed.path, one[listed.name]),
            "icon": listed.icon,
        }
        for one in found[listed.members]
    ]


SCREENS: tuple[Screen, ...] = (_find,)

"""The palette: screens, deeds and the resources whose name holds what is typed."""

from collections.abc import Iterator
from functools import partial
from itertools import islice

from starlette.responses import JSONResponse, Response

from tobo.console.lists import pages_of
from tobo.console.navigation import DEEDS, LISTED, NAVIGATION, Listed
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit, url
from tobo.kit.fault import Fault

MOST = 8
"""Resources of one kind."""


MOST_PAGES = 10
"""Of a list that finds no names by itself: a thousand of them, for each pause in the typing."""


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
        names = list(islice(_names(visit, listed, part), MOST))
    except Fault:
        return []
    return [{"title": name, "kind": listed.kind, "href": url(listed.path, name), "icon": listed.icon} for name in names]


def _names(visit: Visit, listed: Listed, part: str) -> Iterator[str]:
    """Those that hold the text, of any case. Raises the List operation's Faults."""
    if listed.searched:
        found = visit.quietly(listed.service, listed.operation, NameContains=part, MaxResults=MOST)
        yield from (one[listed.name] for one in found[listed.members])
        return
    asked = {"AccountId": visit.principal.account} if listed.service == "budgets" else {}
    for found in islice(pages_of(partial(visit.quietly, listed.service, listed.operation, **asked)), MOST_PAGES):
        names = (
            one[listed.name].rpartition(":")[2] if listed.name.endswith("Arn") else one[listed.name]
            for one in found[listed.members]
        )
        yield from (name for name in names if part.lower() in name.lower())


SCREENS: tuple[Screen, ...] = (_find,)

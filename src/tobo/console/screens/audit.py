"""Audit log: who did what, when, with which key."""

import json
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from tobo.console.lists import PAGE, addresses
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

FILTERS = {"what": "EventName", "who": "Username", "resource": "ResourceName", "key": "AccessKeyId"}
"""Member of the address -> attribute of LookupEvents."""


@shown("/audit")
def _list(visit: Visit) -> Response:
    asked: dict[str, Any] = {"MaxResults": PAGE}
    attributes = [
        {"AttributeKey": attribute, "AttributeValue": visit.query[name]}
        for name, attribute in FILTERS.items()
        if visit.query.get(name)
    ]
    if attributes:
        asked["LookupAttributes"] = attributes
    for name, member in (("from", "StartTime"), ("to", "EndTime")):
        if text := visit.query.get(name):
            asked[member] = _moment(text)
    if token := visit.query.get("token"):
        asked["NextToken"] = token
    found = visit.call("cloudtrail", "LookupEvents", **asked)
    events = [{**event, "told": json.loads(event["CloudTrailEvent"])} for event in found["Events"]]
    return visit.page(
        "audit/list.html",
        events=events,
        filtered=bool(attributes or "StartTime" in asked or "EndTime" in asked),
        next_token=found.get("NextToken"),
        at=addresses(visit, "audit"),
    )


@shown("/audit/{id}")
def _page(visit: Visit) -> Response:
    attributes = [{"AttributeKey": "EventId", "AttributeValue": visit.path["id"]}]
    events = visit.call("cloudtrail", "LookupEvents", LookupAttributes=attributes, MaxResults=1)["Events"]
    if not events:
        raise Fault("ResourceNotFound", f"There is no event '{visit.path['id']}' in {visit.region}.", 404)
    return visit.page("audit/page.html", event=events[0], record=json.loads(events[0]["CloudTrailEvent"]))


def _moment(text: str) -> datetime:
    """A day or a minute as <input> gives it, in UTC. Raises Fault."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Fault("ValidationException", f"'{text[:40]}' is no time; write it as 2026-01-31T12:00.") from None


SCREENS: tuple[Screen, ...] = (_list, _page)

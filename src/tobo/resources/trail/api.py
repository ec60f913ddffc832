"""LookupEvents. Source: AWS CloudTrail API Reference; the records are what operations/auditing.py writes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.auditing import GLOBAL, SIGN_IN, source_of
from tobo.operations.context import Call
from tobo.operations.listing import Tokens
from tobo.operations.registry import operation
from tobo.telemetry.trail import Line, Place

MOST = 50
"""Events of a page, as on AWS."""

Event = Mapping[str, Any]

_ATTRIBUTES: Mapping[str, Callable[[Event, str], bool]] = {
    "EventId": lambda event, value: event["eventID"] == value,
    "EventName": lambda event, value: event["eventName"] == value,
    "ReadOnly": lambda event, value: _text(event["readOnly"]) == value,
    "Username": lambda event, value: user_of(event) == value,
    "ResourceType": lambda event, value: any(each["type"] == value for each in event["resources"]),
    "ResourceName": lambda event, value: any(each["name"] == value for each in event["resources"]),
    "EventSource": lambda event, value: event["eventSource"] == value,
    "AccessKeyId": lambda event, value: event["userIdentity"].get("accessKeyId", "") == value,
}


@operation("cloudtrail", "LookupEvents", resource=lambda call, asked: "*")
def lookup_events(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The newest first, of the caller's account and region, and of IAM, STS and sign-ins, which have no region.

    Several LookupAttributes must all hold; AWS takes one. Raises Fault InvalidLookupAttributesException,
    InvalidTimeRangeException, InvalidNextTokenException.
    """
    wanted = _wanted(asked)
    start, end = _moment(asked, "StartTime"), _moment(asked, "EndTime")
    if start is not None and end is not None and start > end:
        raise Fault("InvalidTimeRangeException", "StartTime is after EndTime; the earlier of the two comes first.")
    tokens = Tokens.of("cloudtrail", asked)
    before = _before(tokens, asked.get("NextToken"))
    trail = call.context.trail
    if trail is None or asked.get("EventCategory") == "insight":
        return {"Events": []}
    limit = asked.get("MaxResults") or MOST
    hints = [orjson.dumps(value)[1:-1] for key, value in wanted.items() if key != "ReadOnly"]
    events: list[dict[str, Any]] = []
    last: Place | None = None
    # a record's day is never before its time's: a clock that was put back stays in the younger file
    for line in trail.newest(before, first_day=_day(start)):
        if not all(hint in line.text for hint in hints):
            continue
        found = _read(line)
        if found is None or (end is not None and found["at"] > end) or not _is_of(call, found["event"]):
            continue
        if start is not None and found["at"] < start:
            continue
        if not all(_ATTRIBUTES[key](found["event"], value) for key, value in wanted.items()):
            continue
        if len(events) == limit:
            assert last is not None
            return {"Events": events, "NextToken": tokens.write((last.day, last.offset))}
        events.append(described(found))
        last = line.place
    return {"Events": events}


def described(record: Mapping[str, Any]) -> dict[str, Any]:
    """CloudTrail's shape Event of a record."""
    event = record["event"]
    found = {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": _text(event["readOnly"]),
        "AccessKeyId": event["userIdentity"].get("accessKeyId", ""),
        "EventTime": record["at"],
        "EventSource": event["eventSource"],
        "Username": user_of(event),
        "Resources": [{"ResourceType": each["type"], "ResourceName": each["name"]} for each in event["resources"]],
        "CloudTrailEvent": orjson.dumps(event).decode(),
    }
    return {name: value for name, value in found.items() if value != ""}


def user_of(event: Event) -> str:
    """root, a user's name, a role's session, or the house."""
    who: Mapping[str, str] = event["userIdentity"]
    return who.get("userName") or who.get("invokedBy", "")


def _is_of(call: Call, event: Event) -> bool:
    everywhere = event["eventSource"] in {SIGN_IN, *(source_of(service) for service in GLOBAL)}
    return event["recipientAccountId"] == call.space.account and (everywhere or event["awsRegion"] == call.space.region)


def _wanted(asked: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in asked.get("LookupAttributes", ()):
        key, value = attribute["AttributeKey"], attribute["AttributeValue"]
        if key in found:
            raise Fault("InvalidLookupAttributesException", f"Attribute '{key}' is there twice; name each key once.")
        if key == "ReadOnly" and value not in ("true", "false"):
            raise Fault("InvalidLookupAttributesException", f"ReadOnly is 'true' or 'false', not '{value[:40]}'.")
        found[key] = value
    return found


def _before(tokens: Tokens, token: str | None) -> Place | None:
    try:
        found = tokens.read(token)
    except Fault as fault:
        raise Fault("InvalidNextTokenException", fault.message) from None
    if found is None:
        return None
    if not isinstance(found[0], str) or found[1] < 0:
        raise Fault("InvalidNextTokenException", "NextToken is not one that this operation gave; start without it.")
    return Place(found[0], found[1])


def _read(line: Line) -> dict[str, Any] | None:
    """None for what somebody else has written there; `tobo doctor --audit` names it."""
    try:
        found = line.members
        described(found)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return found


def _moment(asked: Mapping[str, Any], name: str) -> float | None:
    given = asked.get(name)
    return None if given is None else float(given.timestamp())


def _day(start: float | None) -> str:
    if start is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return ""


def _text(value: object) -> str:
    return "true" if value else "false"

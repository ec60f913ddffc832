"""The operations on event rules. Source: Amazon EventBridge API Reference, PutRule and its siblings."""

import json
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.event_rules.delivering import deliver, event_of
from tobo.resources.event_rules.patterns import matches, read_pattern
from tobo.resources.event_rules.rule import BUS, KIND, check_bus, described, known_rule, rule_arn, rule_of
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Query, Row

PAGE = 100
MOST_RULES = 300
MOST_ENTRIES = 10

_STATES = ("ENABLED", "DISABLED")


@operation("events", "PutRule", resource=rule_of)
def put_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Makes a rule, or replaces what one is about: its targets stay. Raises Fault InvalidEventPatternException, LimitExceededException."""
    check_bus(asked)
    if asked.get("ScheduleExpression"):
        raise validation("ScheduleExpression is not built in tobo; cron or a systemd timer calls the AWS CLI as well.")
    if not asked.get("EventPattern"):
        raise validation("EventPattern is missing; a rule is about events.")
    read_pattern(asked["EventPattern"])
    state = asked.get("State", "ENABLED")
    if state not in _STATES:
        raise validation(f"State {state} is neither of {', '.join(_STATES)}.")
    key = Key(call.space, KIND, asked["Name"])
    kept = {member: asked[member] for member in ("EventPattern", "Description", "RoleArn") if member in asked}
    while True:
        row = call.context.store.get(key)
        try:
            if row is None:
                row = _added(call, key, kept, state, asked)
            else:
                changed = {**kept, "Targets": row.asked["Targets"]}
                call.context.store.update(
                    row, Event(call.now, "put", state), asked=changed, status=state, state=state, modified=call.now
                )
        except (AlreadyExists, Conflict):
            continue
        return {"RuleArn": row.arn}


@operation("events", "DescribeRule", resource=rule_of)
def describe_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    return {**described(known_rule(call, asked["Name"], asked)), "CreatedBy": call.space.account}


@operation("events", "ListRules", resource=rule_of)
def list_rules(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their names."""
    check_bus(asked)
    wanted = {**asked, "MaxResults": asked.get("Limit"), "Limit": None, "SortBy": "Name"}
    prefix = asked.get("NamePrefix")
    return list_rows(call, KIND, wanted, "Rules", described, None, PAGE, False, name_prefix=prefix)


@operation("events", "DeleteRule", resource=rule_of)
def delete_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One that is not there is no error. Raises Fault ValidationException while it has targets."""
    check_bus(asked)
    while (row := call.context.store.get(Key(call.space, KIND, asked["Name"]))) is not None:
        if row.asked["Targets"]:
            raise validation("Rule can't be deleted since it has targets; RemoveTargets takes them away.")
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
    return {}


@operation("events", "EnableRule", resource=rule_of)
def enable_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    return _switch(call, asked, "ENABLED")


@operation("events", "DisableRule", resource=rule_of)
def disable_rule(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    return _switch(call, asked, "DISABLED")


@operation("events", "TestEventPattern", resource=lambda call, asked: "*")
def test_event_pattern(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault InvalidEventPatternException, ValidationException for an event that is no JSON object."""
    try:
        event = json.loads(asked["Event"])
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise validation(f"Event is no JSON object: {asked['Event'][:60]}")
    return {"Result": matches(read_pattern(asked["EventPattern"]), event)}


@operation(
    "events",
    "PutEvents",
    resource=lambda call, asked: f"arn:aws:events:{call.space.region}:{call.space.account}:event-bus/{BUS}",
)
def put_events(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One's own events; each entry succeeds or fails by itself. Raises Fault ValidationException for none or too many."""
    entries = asked["Entries"]
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise validation(f"Entries has {len(entries)} events; send 1 to {MOST_ENTRIES}.")
    answers: list[dict[str, Any]] = []
    for entry in entries:
        try:
            check_bus(entry)
            event = event_of(call.context, call.space, *_read(entry), entry.get("Resources", []))
            deliver(call.context, call.space, event)
            answers.append({"EventId": event["id"]})
        except Fault as fault:
            answers.append({"ErrorCode": "InvalidArgument", "ErrorMessage": fault.message})
    return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


def _read(entry: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Source, DetailType and Detail."""
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            raise validation(f"Parameter {member} is not valid. Reason: {member} is a required argument.")
    if entry["Source"].startswith("aws."):
        raise validation(f"Source {entry['Source'][:60]} is the house's; take a name of your own.")
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        raise validation("Parameter Detail is not valid. Reason: it is no JSON object.")
    return entry["Source"], entry["DetailType"], detail


def _added(call: Call, key: Key, kept: Mapping[str, Any], state: str, asked: Mapping[str, Any]) -> Row:
    if call.context.store.count(Query(call.space, KIND)) >= MOST_RULES:
        raise Fault("LimitExceededException", f"There are {MOST_RULES} rules in {call.space.region}; delete one first.")
    tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", [])}
    arn = rule_arn(call.space, key.name)
    row = Row(key, arn, {**kept, "Targets": []}, {}, state, state, call.now, call.now, tags)
    return call.context.store.insert(row, Event(call.now, "put", state))


def _switch(call: Call, asked: Mapping[str, Any], state: str) -> dict[str, Any]:
    change_row(
        call, lambda: known_rule(call, asked["Name"], asked), "switched", lambda row: {"state": state, "status": state}
    )
    return {}

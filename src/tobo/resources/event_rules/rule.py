"""A rule's row: how it is found, read and refused."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.store.base import Key, Row

KIND = "event-rule"
BUS = "default"


def rule_arn(space: Namespace, name: str) -> str:
    return str(Arn("events", space.region, space.account, f"rule/{name}"))


def rule_of(call: Call, asked: Mapping[str, Any]) -> str:
    """The resource that policies speak of."""
    return rule_arn(call.space, asked.get("Rule") or asked.get("Name") or "*")


def known_rule(call: Call, name: str, asked: Mapping[str, Any]) -> Row:
    """Raises Fault ResourceNotFoundException."""
    check_bus(asked)
    row = call.context.store.get(Key(call.space, KIND, name))
    if row is None:
        raise Fault("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {BUS}.")
    return row


def check_bus(asked: Mapping[str, Any]) -> None:
    """Raises Fault ResourceNotFoundException for a bus that is not there."""
    bus = asked.get("EventBusName", BUS)
    if bus != BUS and not bus.endswith(f":event-bus/{BUS}"):
        raise Fault("ResourceNotFoundException", f"Event bus {bus[:100]} does not exist; there is one, '{BUS}'.")


def described(row: Row) -> dict[str, Any]:
    members = ("EventPattern", "Description", "RoleArn")
    kept = {member: row.asked[member] for member in members if row.asked.get(member)}
    return {"Name": row.key.name, "Arn": row.arn, "State": row.status, "EventBusName": BUS, **kept}

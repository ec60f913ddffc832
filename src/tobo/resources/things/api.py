"""Things and endpoints: iot CreateThing, DescribeThing, ListThings, DeleteThing, DescribeEndpoint (AWS IoT API Reference)."""

import uuid
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import Asked, operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.things.names import ATTACHED, THING, invalid, iot_arn, missing
from tobo.store.base import Conflict, Key, Query, Row


def thing_resource(call: Call, asked: Asked) -> str:
    """The thing that a request is about, for the check of policies."""
    return iot_arn(call.space, f"thing/{asked.get('thingName', '*')}")


def thing_row(call: Call, name: str) -> Row:
    """Raises Fault ResourceNotFoundException."""
    return known_row(call, THING, name, lambda arn: missing("thing", name))


@operation("iot", "CreateThing", resource=thing_resource)
def create_thing(call: Call, asked: Asked) -> dict[str, Any]:
    """The same thing again is the same thing, as on AWS; raises Fault ResourceAlreadyExistsException for another one."""
    name = asked["thingName"]
    if unbuilt := next((member for member in ("thingTypeName", "billingGroupName") if member in asked), None):
        raise invalid(f"{unbuilt} is not built in tobo; create the thing without it.")
    known = call.context.store.get(Key(call.space, THING, name))
    if known is None or known.asked != asked:
        found = {"thingId": str(uuid.uuid4())}
        known = add_row(call, THING, name, asked, _taken, found=found, arn=thing_resource(call, asked))
    return {"thingName": name, "thingArn": known.arn, "thingId": known.found["thingId"]}


@operation("iot", "DescribeThing", resource=thing_resource)
def describe_thing(call: Call, asked: Asked) -> dict[str, Any]:
    row = thing_row(call, asked["thingName"])
    return {**_summary(row), "defaultClientId": row.key.name, "thingId": row.found["thingId"]}


@operation("iot", "ListThings", resource=thing_resource)
def list_things(call: Call, asked: Asked) -> dict[str, Any]:
    """In the order of their names. Filters by attribute or type are refused: they are not built."""
    if unbuilt := next((name for name in asked if name not in ("nextToken", "maxResults")), None):
        raise invalid(f"{unbuilt} is not built in tobo; list all things.")
    return paged(call, THING, asked, "things", _summary)


@operation("iot", "DeleteThing", resource=thing_resource)
def delete_thing(call: Call, asked: Asked) -> dict[str, Any]:
    """What is not there is no error, as on AWS. Raises Fault InvalidRequestException while a certificate is attached."""
    name = asked["thingName"]
    while (row := call.context.store.get(Key(call.space, THING, name))) is not None:
        if call.context.store.count(Query(call.space, ATTACHED, name_prefix=f"{name}/")):
            raise invalid(f"The thing '{name}' has certificates attached to it; detach them first.")
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
    return {}


@operation("iot", "DescribeEndpoint", resource=lambda call, asked: "*")
def describe_endpoint(call: Call, asked: Asked) -> dict[str, Any]:
    """iot:CredentialProvider is the TLS port, iot:Data-ATS the broker of TOBO_MQTT; each as host:port.

    Raises Fault InvalidRequestException where there is none.
    """
    settings, kind = call.context.settings, asked.get("endpointType", "iot:Data-ATS")
    if kind == "iot:CredentialProvider":
        if settings.tls_port is None:
            raise invalid("The server speaks no TLS, which devices need; start it with --tls-port.")
        return {"endpointAddress": settings.reached(settings.tls_port)}
    if kind in ("iot:Data-ATS", "iot:Data"):
        if settings.mqtt is None:
            raise invalid("There is no broker; name one with TOBO_MQTT. Devices without one poll.")
        return {"endpointAddress": settings.mqtt.partition("://")[2]}
    raise invalid(f"endpointType '{kind}' is not built in tobo; ask for iot:CredentialProvider or iot:Data-ATS.")


def paged(call: Call, kind: str, asked: Asked, member: str, summary: Any) -> dict[str, Any]:
    """AWS IoT's lists: nextToken and maxResults in small letters, in the order of names."""
    like = {"SortBy": "Name", "MaxResults": asked.get("maxResults") or 100, "NextToken": asked.get("nextToken")}
    answer = list_rows(call, kind, like, member, summary, default_descending=False)
    return {member: answer[member], **({"nextToken": answer["NextToken"]} if "NextToken" in answer else {})}


def _summary(row: Row) -> dict[str, Any]:
    attributes = row.asked.get("attributePayload", {}).get("attributes", {})
    return {"thingName": row.key.name, "thingArn": row.arn, "attributes": attributes, "version": row.version}


def _taken(arn: str) -> Fault:
    return Fault("ResourceAlreadyExistsException", f"Another thing of this name exists ({arn}).", 409)

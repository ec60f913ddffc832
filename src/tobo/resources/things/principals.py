"""Which certificate is which thing's: iot Attach/DetachThingPrincipal, ListThingPrincipals, ListPrincipalThings."""

from contextlib import suppress
from typing import Any

from tobo.kit.arn import parse_arn
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.things.api import thing_resource, thing_row
from tobo.resources.things.certificates import certificate_row
from tobo.resources.things.names import ATTACHED, invalid
from tobo.store.base import AlreadyExists, Conflict, Key, Query, Row


@operation("iot", "AttachThingPrincipal", resource=thing_resource)
def attach_thing_principal(call: Call, asked: Asked) -> dict[str, Any]:
    """Once more is no error. Raises Fault ResourceNotFoundException, InvalidRequestException."""
    thing, certificate = thing_row(call, asked["thingName"]), _certificate(call, asked)
    row = Row(
        key=Key(call.space, ATTACHED, f"{thing.key.name}/{certificate.key.name}"),
        arn=f"{certificate.arn}/things",
        asked={"thingName": thing.key.name, "principal": certificate.arn},
        found={},
        status="Attached",
        state="Attached",
        created=call.now,
        modified=call.now,
    )
    with suppress(AlreadyExists):
        call.context.store.insert(row)
    return {}


@operation("iot", "DetachThingPrincipal", resource=thing_resource)
def detach_thing_principal(call: Call, asked: Asked) -> dict[str, Any]:
    """What is not attached is no error. Raises Fault ResourceNotFoundException for no such thing or certificate."""
    thing, certificate = thing_row(call, asked["thingName"]), _certificate(call, asked)
    row = call.context.store.get(Key(call.space, ATTACHED, f"{thing.key.name}/{certificate.key.name}"))
    if row is not None:
        with suppress(Conflict):  # somebody else was quicker
            call.context.store.delete(row)
    return {}


@operation("iot", "ListThingPrincipals", resource=thing_resource)
def list_thing_principals(call: Call, asked: Asked) -> dict[str, Any]:
    """All on one page: a thing has few."""
    thing = thing_row(call, asked["thingName"])
    rows = call.context.store.page(Query(call.space, ATTACHED, name_prefix=f"{thing.key.name}/", limit=1000)).rows
    return {"principals": [row.asked["principal"] for row in rows]}


@operation("iot", "ListPrincipalThings", resource=lambda call, asked: asked["principal"])
def list_principal_things(call: Call, asked: Asked) -> dict[str, Any]:
    """All on one page: a certificate is of few things."""
    certificate = _certificate(call, asked)
    rows = call.context.store.page(Query(call.space, ATTACHED, arn=f"{certificate.arn}/things", limit=1000)).rows
    return {"things": [row.asked["thingName"] for row in rows]}


def _certificate(call: Call, asked: Asked) -> Row:
    resource = parse_arn(asked["principal"]).resource
    if not resource.startswith("cert/"):
        raise invalid(f"'{asked['principal']}' at principal is not the ARN of a certificate.")
    return certificate_row(call, resource.removeprefix("cert/"))

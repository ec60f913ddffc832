"""Where the members of a REST operation's input or output travel: label, query, header, payload or body."""

from dataclasses import dataclass
from functools import cache

from botocore.model import Shape, StructureShape

from tobo.wire.models import wire_name

Member = tuple[str, Shape, str]
"""(member name, shape, name on the wire); header names are in lower case."""


@dataclass(frozen=True)
class Layout:
    """`headers` are maps whose wire name is a prefix; `payload` is the member that is the whole body; `body` has all
    members without a place of their own."""

    uri: tuple[Member, ...]
    querystring: tuple[Member, ...]
    header: tuple[Member, ...]
    headers: tuple[Member, ...]
    payload: tuple[str, Shape] | None
    body: tuple[str, ...]


@cache
def layout_of(shape: StructureShape) -> Layout:
    """The layout of an input, output or error shape, made once (shapes live as long as their operation's model)."""
    places: dict[str, list[Member]] = {"uri": [], "querystring": [], "header": [], "headers": [], "statusCode": []}
    body: list[str] = []
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire = wire_name(member, name)
        if location is None:
            body.append(name)
        else:
            places[location].append((name, member, wire.lower() if location.startswith("header") else wire))
    payload = shape.serialization.get("payload")
    return Layout(
        uri=tuple(places["uri"]),
        querystring=tuple(places["querystring"]),
        header=tuple(places["header"]),
        headers=tuple(places["headers"]),
        payload=(payload, shape.members[payload]) if payload is not None else None,
        body=tuple(name for name in body if name != payload),
    )

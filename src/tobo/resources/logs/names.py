"""How log groups and streams are named: ARNs, identifiers, and the opaque tokens that continue a listing."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import Arn, Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call

SEQUENCE_TOKEN = "0"
"""What old clients hand back to PutLogEvents, which has ignored it since 2023."""


def group_arn(space: Namespace, group: str) -> str:
    """Without the `:*` that older members carry and policies end in."""
    return str(Arn("logs", space.region, space.account, f"log-group:{group}"))


def stream_arn(space: Namespace, group: str, stream: str) -> str:
    return f"{group_arn(space, group)}:log-stream:{stream}"


def named_group(call: Call, asked: Mapping[str, Any]) -> str:
    """The group of logGroupName or logGroupIdentifier; raises Fault InvalidParameterException unless one is given."""
    name, identifier = asked.get("logGroupName"), asked.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Give either logGroupName or logGroupIdentifier, and not both.")
    return name if name is not None else identified_group(call.space, str(identifier))


def identified_group(space: Namespace, identifier: str) -> str:
    """The name in `name`, `arn:...:log-group:name` or `arn:...:log-group:name:*`."""
    if not identifier.startswith("arn:"):
        return identifier
    arn = parse_arn(identifier)
    kind, _, group = arn.resource.removesuffix(":*").partition(":")
    if (arn.service, kind) != ("logs", "log-group") or not group:
        raise invalid(f"'{identifier}' is not the ARN of a log group; expected {group_arn(space, 'NAME')}.")
    if (arn.account, arn.region) != space:
        raise Fault(
            "ResourceNotFoundException",
            f"The log group '{identifier}' is of another account or region than {space.account}, {space.region}.",
        )
    return group


def group_resource(call: Call, asked: Mapping[str, Any]) -> str:
    """What policies of operations on a group speak of."""
    identifier = asked.get("logGroupName") or asked.get("logGroupIdentifier") or asked.get("resourceArn")
    group = identified_group(call.space, identifier) if identifier else ""
    return f"{group_arn(call.space, group)}:*"


def stream_resource(call: Call, asked: Mapping[str, Any]) -> str:
    """What policies of operations on a stream speak of."""
    return stream_arn(call.space, named_group(call, asked), asked["logStreamName"])


def invalid(message: str) -> Fault:
    return Fault("InvalidParameterException", message)


def write_token(*values: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode()


def read_token(token: str, kinds: tuple[type, ...]) -> list[Any]:
    """The values that `write_token` was given, checked against their types; raises Fault InvalidParameterException."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        values = None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise invalid(f"The nextToken '{token[:80]}' is not one that this operation gave; start again without it.")
    return values

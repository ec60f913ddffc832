"""Kinds, ARNs and refusals that the parts of this noun share."""

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault

THING, CERTIFICATE, ATTACHED, ALIAS = "thing", "thing-certificate", "thing-principal", "role-alias"

EVERYWHERE = Namespace("", "")
"""Where certificates live: a connection shows its certificate before anybody knows its account and region."""


def iot_arn(space: Namespace, resource: str) -> str:
    return str(Arn("iot", space.region, space.account, resource))


def missing(what: str, name: str) -> Fault:
    return Fault("ResourceNotFoundException", f"There is no {what} '{name}'.", 404)


def invalid(message: str) -> Fault:
    return Fault("InvalidRequestException", message)

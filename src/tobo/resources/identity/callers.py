"""Callers: which user a request without a user's name is about."""

from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call


def caller_name(call: Call) -> str | None:
    """The user who asks; None for the root. Raises Fault ValidationError for a role's session, which is no user."""
    resource = parse_arn(call.principal.arn).resource
    if resource == "root":
        return None
    if not resource.startswith("user/"):
        raise Fault("ValidationError", "Must specify userName when calling with non-User credentials.")
    return resource.rsplit("/", 1)[-1]

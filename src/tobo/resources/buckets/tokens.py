"""Continuation tokens: opaque to the client, a key or name to us."""

import base64
import binascii

from tobo.kit.fault import Fault


def write_token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def read_token(token: str | None) -> str:
    """The name behind a token, "" without one; raises Fault InvalidArgument."""
    if token is None:
        return ""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Fault(
            "InvalidArgument",
            "The continuation token provided is incorrect; start again without it.",
            members={"ArgumentName": "continuation-token"},
        ) from None

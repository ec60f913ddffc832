"""Presigned links: addresses of S3's door on this very origin, signed with the key of who is signed in."""

from collections.abc import Mapping
from urllib.parse import quote

from tobo.console.visit import Visit
from tobo.kit.fault import Fault
from tobo.kit.sigv4 import MAX_PRESIGNED_SECONDS
from tobo.operations.presigning import Key, presigned_path
from tobo.resources.identity.keyring import BadToken, UnknownKey, ring_of

SOON = 900
"""Seconds for what the page does with a link at once; a request that has begun may take longer."""


def presigned(
    visit: Visit, method: str, bucket: str, key: str, seconds: int = SOON, more: Mapping[str, str] | None = None
) -> str:
    """The path and query of a link that works for `seconds` with the rights of the signed-in key, and no cookie.

    `more` are further parameters, such as response-content-disposition. The host is the one that the browser has asked.
    Raises Fault ValidationException for a time or a key that no link can have.
    """
    if not 1 <= seconds <= MAX_PRESIGNED_SECONDS:
        raise Fault("ValidationException", f"A link works for 1 to {MAX_PRESIGNED_SECONDS} seconds, not {seconds}.")
    path = object_path(bucket, key)
    session = visit.session
    try:
        credential = ring_of(visit.context).find(session.access_key_id, session.token)
    except (UnknownKey, BadToken):
        raise Fault("InvalidClientTokenId", "Your access key is gone; sign in again.", 403) from None
    key_of_session = Key(session.access_key_id, credential.secret, session.token or "")
    host = visit.request.headers.get("host", "")
    now = visit.context.clock.now()
    return presigned_path(key_of_session, method, host, path, visit.region, now, seconds, more or {})


def object_path(bucket: str, key: str) -> str:
    """The path of an object, such that a browser leaves it as it is.

    A browser resolves the segments "." and "..", however they are encoded (WHATWG URL, 4.4), so the slashes of a key
    that has such are encoded. Raises Fault for the two keys that no browser can ask for.
    """
    if key in (".", ".."):
        raise Fault("ValidationException", f"No browser can ask for an object that is called '{key}'; use a client.")
    odd = any(segment in ("", ".", "..") for segment in key.split("/"))
    return f"/{quote(bucket, safe='')}/{quote(key, safe='-_.~' if odd else '/-_.~')}"

"""SigV2 in a query: what boto3's generate_presigned_url writes for S3 unless it is told to use SigV4.

Format: S3 User Guide, "Authenticating requests (AWS signature version 2)", query string request authentication alternative.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from tobo.gateway.signature import Refused

SUB_RESOURCES = frozenset((
    "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle",
    "location", "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication",
    "requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires", "restore", "select",
    "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
    "versions", "website",
))  # fmt: skip
"""Parameters that belong to the signed resource."""

_HEADERS = ("content-md5", "content-type")


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """Who says to have signed the link; `expires` in epoch seconds."""

    access_key_id: str
    signature: str
    expires: int
    token: str | None


def is_link(query: str) -> bool:
    return "AWSAccessKeyId=" in query and "Signature=" in query


def read_link(query: str) -> LinkClaim:
    """Raises Refused malformed."""
    found = _parameters(query)
    expires = found.get("Expires", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16) or not found.get("AWSAccessKeyId"):
        raise Refused("malformed", f"Expires must be a time in epoch seconds, not '{expires[:40]}'.")
    token = found.get("x-amz-security-token")
    return LinkClaim(found["AWSAccessKeyId"], found.get("Signature", ""), int(expires), token)


def check_link(claim: LinkClaim, secret: str, method: str, path: str, query: str, headers: Mapping[str, str]) -> None:
    """`path` is path-style. Raises Refused mismatch unless the signature is the one of this request."""
    found = _parameters(query)
    sent = {name.lower(): value for name, value in found.items()} | dict(headers)
    lines = [method, sent.get("content-md5", ""), sent.get("content-type", ""), str(claim.expires)]
    lines += [f"{name}:{sent[name].strip()}" for name in sorted(sent) if name.startswith("x-amz-")]
    parts = sorted((name, value) for name, value in found.items() if name in SUB_RESOURCES)
    texts = [f"{name}={value}" if value else name for name, value in parts]
    lines.append(path + ("?" + "&".join(texts) if texts else ""))
    digest = hmac.digest(secret.encode(), "\n".join(lines).encode(), "sha1")
    if not hmac.compare_digest(base64.b64encode(digest), claim.signature.encode("latin-1", "replace")):
        raise Refused("mismatch", "The signature of the link does not match the one we calculated.")


def _parameters(query: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in query.split("&"))
    return {name: unquote(value) for name, _, value in pairs}

"""Refusals: the error code that each kind of client knows for a request that proves nothing.

Sources: S3 API Reference, "Error responses"; IAM API Reference and the JSON services' "Common errors".
"""

from collections.abc import Mapping
from typing import Literal

from tobo.gateway.signature import Kind, Refused
from tobo.wire.routing import Protocol, Unrouted

Family = Literal["s3", "query", "json"]

_CODES: Mapping[Kind, Mapping[Family, tuple[str, int]]] = {
    "missing": {
        "s3": ("AccessDenied", 403),
        "query": ("MissingAuthenticationToken", 403),
        "json": ("MissingAuthenticationTokenException", 403),
    },
    "malformed": {
        "s3": ("AuthorizationHeaderMalformed", 400),
        "query": ("IncompleteSignature", 400),
        "json": ("IncompleteSignatureException", 400),
    },
    "unsupported": {
        "s3": ("InvalidRequest", 400),
        "query": ("IncompleteSignature", 400),
        "json": ("IncompleteSignatureException", 400),
    },
    "unknown key": {
        "s3": ("InvalidAccessKeyId", 403),
        "query": ("InvalidClientTokenId", 403),
        "json": ("UnrecognizedClientException", 403),
    },
    "mismatch": {
        "s3": ("SignatureDoesNotMatch", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "json": ("InvalidSignatureException", 403),
    },
    "skewed": {
        "s3": ("RequestTimeTooSkewed", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "json": ("InvalidSignatureException", 403),
    },
    "expired link": {
        "s3": ("AccessDenied", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "json": ("InvalidSignatureException", 403),
    },
    "bad token": {
        "s3": ("InvalidToken", 403),
        "query": ("InvalidClientTokenId", 403),
        "json": ("UnrecognizedClientException", 403),
    },
    "expired token": {
        "s3": ("ExpiredToken", 403),
        "query": ("ExpiredToken", 403),
        "json": ("ExpiredTokenException", 403),
    },
    "payload": {
        "s3": ("XAmzContentSHA256Mismatch", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "json": ("InvalidSignatureException", 403),
    },
    "unsigned headers": {
        "s3": ("AccessDenied", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "json": ("InvalidSignatureException", 403),
    },
    "region": {
        "s3": ("AuthorizationHeaderMalformed", 400),
        "query": ("SignatureDoesNotMatch", 403),
        "json": ("InvalidSignatureException", 403),
    },
}


def protocol_of(method: str, path: str, headers: Mapping[str, str], service: str | None) -> Protocol:
    """The protocol in which the client can read a refusal before its request has been routed."""
    if service == "s3":
        return "rest-xml"
    if "x-amz-target" in headers:
        return "json-1.0" if "json-1.0" in headers.get("content-type", "") else "json-1.1"
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if service in ("sts", "iam") or headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return "query"
    if service is None and not (method == "POST" and path.startswith("/endpoints/")):
        return "rest-xml"
    return "rest-json"


def refusal(protocol: Protocol, refused: Refused) -> Unrouted:
    """The Fault that says it in the protocol's words."""
    family: Family = "s3" if protocol == "rest-xml" else "query" if protocol == "query" else "json"
    code, status = _CODES[refused.kind][family]
    return Unrouted(protocol, code, refused.message, status)

"""Authentication: from a request's signature to the principal behind it. There is no anonymous access."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader

from tobo.gateway import chunks, signature_v2
from tobo.gateway.signature import (
    Claim,
    Refused,
    check_signature,
    check_signed_headers,
    epoch,
    read_claim,
)
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.sigv4 import UNSIGNED_PAYLOAD, signing_key
from tobo.objects.base import Objects
from tobo.operations.context import Principal
from tobo.resources.identity.keyring import BadToken, Credential, KeyRing, UnknownKey
from tobo.wire.body import Body
from tobo.wire.request import Request
from tobo.wire.routing import to_path_style

SKEW = 900
"""Seconds that a client's clock may differ from ours."""


@dataclass(slots=True)
class Head:
    """A request without its body. `path` and `query` raw, header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Signed:
    """A claim whose key is known. `payload` is what the client declared as its body's hash: None where it declared none."""

    principal: Principal
    service: str
    region: str
    claim: Claim | None
    key: bytes
    payload: str | None

    @property
    def streamed(self) -> bool:
        return self.payload is not None and self.payload.startswith("STREAMING-")


def authenticate(ring: KeyRing, now: float, head: Head) -> Signed:
    """Everything that can be told before the body is read. Raises Refused."""
    if "authorization" not in head.headers and signature_v2.is_link(head.query):
        return _authenticate_link(ring, now, head)
    claim = read_claim(head.headers, head.query)
    credential = _credential(ring, now, claim.access_key_id, claim.token)
    _check_time(claim, now)
    if not known_region(claim.region):
        raise Refused(
            "region", f"'{claim.region[:40]}' is not the name of an AWS region; sign for one, e.g. us-east-1."
        )
    check_signed_headers(claim, head.headers)
    key = signing_key(credential.secret, claim.date, claim.region, claim.service)
    payload = _declared(claim, head.headers)
    if payload is not None:
        check_signature(key, claim, head.method, head.path, head.query, head.headers, payload)
    return Signed(credential.principal, claim.service, claim.region, claim, key, payload)


def check_body(signed: Signed, head: Head, body: Body) -> None:
    """The body is the signed one. Raises Refused: payload (of S3), mismatch."""
    payload = signed.payload
    if payload is None:
        assert signed.claim is not None
        actual = body.digests["sha256"].hex()
        check_signature(signed.key, signed.claim, head.method, head.path, head.query, head.headers, actual)
    elif payload != UNSIGNED_PAYLOAD and not signed.streamed:
        actual = body.digests["sha256"].hex()
        if not hmac.compare_digest(actual, payload.lower()):
            raise Refused(
                "payload", f"The body's SHA-256 is {actual}, not the '{payload[:64]}' of x-amz-content-sha256."
            )


def _declared(claim: Claim, headers: Mapping[str, str]) -> str | None:
    declared = headers.get("x-amz-content-sha256")
    if claim.service != "s3":
        return declared if declared is not None and _is_hash(declared) else None
    if declared is None:
        if claim.expires is None:
            raise Refused("unsupported", "Header x-amz-content-sha256 is missing; S3 requires it.")
        return UNSIGNED_PAYLOAD
    if not (declared == UNSIGNED_PAYLOAD or declared in chunks.KINDS or _is_hash(declared)):
        raise Refused("unsupported", f"x-amz-content-sha256 '{declared[:80]}' is not understood.")
    return declared


def _is_hash(text: str) -> bool:
    return len(text) == 64 and text.isascii() and text.isalnum()


def _credential(ring: KeyRing, now: float, access_key_id: str, token: str | None) -> Credential:
    try:
        credential = ring.find(access_key_id, token)
    except UnknownKey:
        raise Refused("unknown key", f"The access key '{access_key_id[:40]}' does not exist in our records.") from None
    except BadToken:
        raise Refused("bad token", "The security token included in the request is invalid.") from None
    if credential.expires is not None and now > credential.expires:
        raise Refused("expired token", "The security token included in the request is expired.")
    return credential


def _check_time(claim: Claim, now: float) -> None:
    signed_at = epoch(claim.timestamp)
    if signed_at > now + SKEW or (claim.expires is None and signed_at < now - SKEW):
        raise Refused(
            "skewed",
            f"Signature expired or not yet valid: {claim.timestamp} differs from our clock by more than {SKEW // 60} minutes.",
        )
    if claim.expires is not None and now > signed_at + claim.expires:
        raise Refused("expired link", f"Request has expired: it was signed at {claim.timestamp} for {claim.expires} s.")


def _authenticate_link(ring: KeyRing, now: float, head: Head) -> Signed:
    """SigV2 names no region: `region` is "" and the bucket's own counts (`region_of_bucket`)."""
    claim = signature_v2.read_link(head.query)
    credential = _credential(ring, now, claim.access_key_id, claim.token)
    if now > claim.expires:
        raise Refused("expired link", f"Request has expired: the link was valid until {claim.expires} (epoch seconds).")
    request = to_path_style(
        Request(head.method, head.path, "", head.headers, Body(0, b"")), head.headers.get("host", "")
    )
    signature_v2.check_link(claim, credential.secret, head.method, request.path, head.query, head.headers)
    return Signed(credential.principal, "s3", "", None, b"", UNSIGNED_PAYLOAD)


def region_of_bucket(objects: Objects, account: str, bucket: str) -> str:
    """The first region of the account, us-east-1 before all others, that has a bucket of this name; else us-east-1."""
    for region in ("us-east-1", *_regions()):
        try:
            objects.bucket(Namespace(account, region), bucket)
        except Fault:
            continue
        return region
    return "us-east-1"


@lru_cache(256)
def known_region(name: str) -> bool:
    """Whether AWS has, or by its naming could have, such a region: botocore would not send to any other."""
    return len(name) <= 32 and any(re.fullmatch(pattern, name) for pattern in _region_patterns())


@lru_cache(1)
def _region_patterns() -> list[str]:
    return [partition["regionRegex"] for partition in _partitions()]


@lru_cache(1)
def _regions() -> list[str]:
    return [region for partition in _partitions() for region in partition["regions"]]


def _partitions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Loader().load_data("partitions")["partitions"]
    return found

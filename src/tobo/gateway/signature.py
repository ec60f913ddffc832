"""SigV4: reads the claim that a request makes about its sender, and checks the signature that has to prove it.

Format: IAM User Guide, "AWS Signature Version 4 for API requests"; S3 API Reference, "Authenticating Requests".
"""

import hmac
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote_to_bytes

from tobo.kit.sigv4 import ALGORITHM, MAX_PRESIGNED_SECONDS, canonical, signature

Kind = Literal[
    "missing", "malformed", "unsupported", "unknown key", "mismatch", "skewed", "expired link", "bad token",
    "expired token", "payload", "unsigned headers", "region",
]  # fmt: skip


class Refused(Exception):
    """A request that proves nothing; `kind` decides the error code that its protocol has for it."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says to have signed, for when and where, and the signature (hexadecimal) to be checked.

    `timestamp` is YYYYMMDDTHHMMSSZ; `expires` seconds of validity of a presigned URL, None for a signed header.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    timestamp: str
    signed_headers: str
    signature: str
    token: str | None
    expires: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_claim(headers: Mapping[str, str], query: str) -> Claim:
    """The claim in the Authorization header or in a presigned query. Raises Refused: missing, malformed, unsupported."""
    authorization = headers.get("authorization")
    if authorization is not None:
        return _header_claim(authorization, headers)
    if "X-Amz-Algorithm=" in query:
        return _query_claim(query)
    raise Refused("missing", "The request is not signed; sign it with an access key (`tobo env` prints one).")


def _header_claim(authorization: str, headers: Mapping[str, str]) -> Claim:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise Refused("unsupported", f"Authorization starts with '{algorithm[:40]}'; sign with {ALGORITHM}.")
    credential = signed_headers = signature = ""
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        if name == "Credential":
            credential = value
        elif name == "SignedHeaders":
            signed_headers = value
        elif name == "Signature":
            signature = value
    timestamp = headers.get("x-amz-date", "")
    return _claim(credential, timestamp, signed_headers, signature, headers.get("x-amz-security-token"), None)


def _query_claim(query: str) -> Claim:
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name.startswith("X-Amz-"):
            if name in found:
                raise Refused("malformed", f"The query names {name} twice.")
            found[name] = unquote_to_bytes(value).decode("latin-1")
    if found.get("X-Amz-Algorithm") != ALGORITHM:
        raise Refused("unsupported", f"X-Amz-Algorithm is '{found.get('X-Amz-Algorithm')}'; presign with {ALGORITHM}.")
    expires = found.get("X-Amz-Expires", "")
    if not (expires.isascii() and expires.isdigit()) or not 0 < int(expires) <= MAX_PRESIGNED_SECONDS:
        raise Refused("malformed", f"X-Amz-Expires must be 1 to {MAX_PRESIGNED_SECONDS} seconds, not '{expires}'.")
    return _claim(
        found.get("X-Amz-Credential", ""),
        found.get("X-Amz-Date", ""),
        found.get("X-Amz-SignedHeaders", ""),
        found.get("X-Amz-Signature", ""),
        found.get("X-Amz-Security-Token"),
        int(expires),
    )


def _claim(
    credential: str, timestamp: str, signed_headers: str, signature: str, token: str | None, expires: int | None
) -> Claim:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request" or not all(parts):
        raise Refused(
            "malformed", f"Credential '{credential[:120]}' is not <access key>/<date>/<region>/<service>/aws4_request."
        )
    if not signed_headers or not signature or not timestamp:
        raise Refused("malformed", "The signature lacks one of SignedHeaders, Signature and X-Amz-Date.")
    if not timestamp.startswith(parts[1]):
        raise Refused("malformed", f"Date '{parts[1][:20]}' of the credential is not the day of '{timestamp[:20]}'.")
    return Claim(parts[0], parts[1], parts[2], parts[3], timestamp, signed_headers, signature, token, expires)


@lru_cache(512)
def epoch(timestamp: str) -> int:
    """Seconds since 1970 of YYYYMMDDTHHMMSSZ. Raises Refused malformed."""
    digits = timestamp[:8] + timestamp[9:15]
    if (
        len(timestamp) != 16
        or timestamp[8] != "T"
        or timestamp[15] != "Z"
        or not (digits.isascii() and digits.isdigit())
    ):
        raise Refused("malformed", f"X-Amz-Date '{timestamp[:40]}' is not YYYYMMDDTHHMMSSZ.")
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= day <= 31):
        raise Refused("malformed", f"X-Amz-Date '{timestamp}' is no date.")
    return timegm((year, month, day, int(digits[8:10]), int(digits[10:12]), int(digits[12:14])))


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], claim: Claim, payload_hash: str
) -> str:
    """What was signed, in SigV4's form. Raises Refused where a signed header is not in the request."""
    try:
        return canonical(method, path, query, headers, claim.signed_headers, claim.service, payload_hash)
    except KeyError as error:
        raise Refused("mismatch", f"Header '{error.args[0][:80]}' was signed and is not in the request.") from None


def signature_of(key: bytes, claim: Claim, canonical: str) -> str:
    """The hexadecimal signature of a canonical request."""
    return signature(key, claim.timestamp, claim.scope, canonical)


def check_signed_headers(claim: Claim, headers: Mapping[str, str]) -> None:
    """Host and every x-amz-* header must be signed. Raises Refused."""
    signed = claim.signed_headers.split(";")
    if "host" not in signed:
        raise Refused("unsigned headers", "SignedHeaders must name host.")
    for name in headers:
        if name.startswith("x-amz-") and name not in signed:
            raise Refused("unsigned headers", f"Header '{name[:80]}' is not among SignedHeaders; sign it.")


def check_signature(
    key: bytes, claim: Claim, method: str, path: str, query: str, headers: Mapping[str, str], payload_hash: str
) -> None:
    """Raises Refused `mismatch` unless the claim's signature is the one of this request."""
    expected = signature_of(key, claim, canonical_request(method, path, query, headers, claim, payload_hash))
    if not hmac.compare_digest(expected.encode(), claim.signature.encode("latin-1")):
        raise Refused(
            "mismatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )

"""Requests signed with SigV4, as AWS's clients sign them; stdlib only.

Format: IAM User Guide, "Create a signed AWS API request".
"""

import hashlib
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tobo.kit import sigv4


@dataclass(frozen=True)
class Credentials:
    """Temporary ones; `expires` in epoch seconds of the house's clock."""

    key_id: str
    secret: str
    token: str
    expires: float


def sign(
    credentials: Credentials,
    service: str,
    region: str,
    now: float,
    method: str,
    url: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> dict[str, str]:
    """The headers to send (lower case), `headers` among them; `now` in epoch seconds, `url` with an encoded path."""
    parts = urlsplit(url)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    payload = hashlib.sha256(body).hexdigest()
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    sent |= {
        "host": parts.netloc,
        "x-amz-content-sha256": payload,
        "x-amz-date": stamp,
        "x-amz-security-token": credentials.token,
    }
    signed = ";".join(sorted(sent))
    text = sigv4.canonical(method, parts.path or "/", parts.query, sent, signed, service, payload)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    key = sigv4.signing_key(credentials.secret, stamp[:8], region, service)
    sent["authorization"] = (
        f"{sigv4.ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={signed}, "
        f"Signature={sigv4.signature(key, stamp, scope, text)}"
    )
    return sent

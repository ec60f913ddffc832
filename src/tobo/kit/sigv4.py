"""SigV4's arithmetic, for who signs and for who checks: canonical form, signing key, signature.

Format: IAM User Guide, "AWS Signature Version 4 for API requests"; S3 API Reference, "Authenticating Requests".
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
MAX_PRESIGNED_SECONDS = 7 * 86_400

_PLAIN_PATH = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
_PLAIN_QUERY = _PLAIN_PATH.replace(b"/", b"")
_BLANKS = (" ", "\t")


def canonical_path(path: str, service: str) -> str:
    """The raw path as it was signed: S3 encodes once, the others normalise and encode what is already encoded."""
    raw = path.encode("latin-1")
    if service == "s3":
        return path if not raw.translate(None, _PLAIN_PATH) else quote(unquote_to_bytes(raw), safe="/-_.~")
    if not raw.translate(None, _PLAIN_PATH) and "//" not in path and "/." not in path:
        return path
    return quote(_normal(path), safe="/-_.~", encoding="latin-1")


def _normal(path: str) -> str:
    """RFC 3986, 5.2.4: without '.', '..' and empty segments; a trailing slash stays."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept[-1:] = []
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def canonical_query(query: str) -> str:
    """Parameters encoded alike and sorted, without the signature itself."""
    if not query:
        return ""
    pairs: list[tuple[str, str]] = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part and name != "X-Amz-Signature":
            pairs.append((_encoded(name), _encoded(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def _encoded(text: str) -> str:
    raw = text.encode("latin-1")
    return text if not raw.translate(None, _PLAIN_QUERY) else quote(unquote_to_bytes(raw), safe="-_.~")


def canonical(
    method: str, path: str, query: str, headers: Mapping[str, str], signed: str, service: str, payload_hash: str
) -> str:
    """What is signed; `signed` names the headers, `a;b`, `headers` has them in lower case. Raises KeyError for a missing one."""
    lines = [method, canonical_path(path, service), canonical_query(query)]
    for name in signed.split(";"):
        value = headers[name]
        if value[:1] in _BLANKS or value[-1:] in _BLANKS or "  " in value or "\t" in value:
            value = " ".join(value.split())
        lines.append(f"{name}:{value}")
    lines += ("", signed, payload_hash)
    return "\n".join(lines)


@lru_cache(1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key that signs one day in one region for one service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return key


def signature(key: bytes, timestamp: str, scope: str, text: str) -> str:
    """The hexadecimal signature of a canonical request; `scope` is <date>/<region>/<service>/aws4_request."""
    digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
    return hmac.digest(key, f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}".encode("latin-1"), "sha256").hex()

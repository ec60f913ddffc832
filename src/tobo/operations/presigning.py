"""Presigned links: addresses of S3's door that work for a while with somebody's rights.

Format: S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from tobo.kit.sigv4 import ALGORITHM, UNSIGNED_PAYLOAD, canonical, signature, signing_key


@dataclass(frozen=True)
class Key:
    """An access key. `token` "" for a lasting one."""

    id: str
    secret: str
    token: str = ""


def presigned_path(
    key: Key, method: str, host: str, path: str, region: str, now: float, seconds: int, more: Mapping[str, str]
) -> str:
    """Path and query of a link to `host` (as the browser will name it) that works from `now`, epoch, for `seconds`.

    `path` is quoted already; `more` are further parameters, such as response-content-disposition.
    """
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{key.id}/{scope}",
        "X-Amz-Date": at,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": key.token} if key.token else {}),
        **more,
    }
    text = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in query.items())
    signed = canonical(method, path, text, {"host": host}, "host", "s3", UNSIGNED_PAYLOAD)
    own = signature(signing_key(key.secret, at[:8], region, "s3"), at, scope, signed)
    return f"{path}?{text}&X-Amz-Signature={own}"

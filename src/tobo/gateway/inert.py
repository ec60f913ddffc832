"""Inert answers: what others have made never runs as a page of this origin, whatever it says to be.

The console lives on the same origin as the objects of S3 and the answers of models. A presigned link of an uploaded page
(or a form that is sent to a presigned InvokeEndpoint), opened by somebody who is signed in, would otherwise be a page of
the console's. Source: W3C CSP 3, "sandbox"; WHATWG MIME Sniffing, 7.
"""

import re
from functools import lru_cache

from tobo.wire.response import Response
from tobo.wire.routing import Target

MADE_BY_OTHERS = frozenset({("s3", "GetObject"), ("sagemaker-runtime", "InvokeEndpoint")})
"""Operations whose answers are somebody's bytes under somebody's media type."""

_HARMLESS = re.compile(
    r"(image/(?!svg)[a-z0-9.+-]+|audio/[a-z0-9.+-]+|video/[a-z0-9.+-]+|text/(plain|csv)|font/[a-z0-9]+"
    r"|application/(json|pdf|gzip|x-gzip|zip|x-tar|octet-stream)|binary/octet-stream)\s*(;[\w\s=\"./-]*)?",
    re.IGNORECASE,
)
"""Types that no browser executes; it may go on showing a PDF in its own reader, which a sandbox would not let it."""

NOSNIFF = ("x-content-type-options", "nosniff")
SANDBOX = ("content-security-policy", "sandbox")


def inert(target: Target, response: Response) -> Response:
    """The answer, where others made it, with headers that keep a browser from guessing its type and from running it.

    A sandbox without exceptions: an origin of its own, no scripts, no forms.
    """
    if (target.service, target.operation) in MADE_BY_OTHERS:
        kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
        response.headers.extend([NOSNIFF] if is_harmless(kind) else [NOSNIFF, SANDBOX])
    return response


@lru_cache(256)
def is_harmless(kind: str) -> bool:
    """Whether no browser would run what has this Content-Type."""
    return "xml" not in kind.lower() and _HARMLESS.fullmatch(kind.strip()) is not None

"""Inert answers: an object of S3 never runs as a page of this origin, whatever it says to be.

The console lives on the same origin as the objects. A presigned link of an uploaded page, opened by somebody who is
signed in, would otherwise be a page of the console's. Source: W3C CSP 3, "sandbox"; WHATWG MIME Sniffing, 7.
"""

import re

from tobo.wire.response import Response

_HARMLESS = re.compile(
    r"(image/(?!svg)[a-z0-9.+-]+|audio/[a-z0-9.+-]+|video/[a-z0-9.+-]+|text/(plain|csv)|font/[a-z0-9]+"
    r"|application/(json|pdf|gzip|x-gzip|zip|x-tar|octet-stream)|binary/octet-stream)\s*(;[\w\s=\"./-]*)?",
    re.IGNORECASE,
)
"""Types that no browser executes; it may go on showing a PDF in its own reader, which a sandbox would not let it."""

NOSNIFF = ("x-content-type-options", "nosniff")
SANDBOX = ("content-security-policy", "sandbox")


def inert(response: Response) -> Response:
    """The answer with headers that keep a browser from guessing its type and, unless that is harmless, from running it.

    A sandbox without exceptions: an origin of its own, no scripts, no forms.
    """
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    harmless = "xml" not in kind.lower() and _HARMLESS.fullmatch(kind.strip()) is not None
    response.headers.extend([NOSNIFF] if harmless else [NOSNIFF, SANDBOX])
    return response

"""What is S3's own about a request: parameters of a link that stand for headers, and the framing of streamed bodies."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from tobo.gateway.chunks import Chunks
from tobo.kit.fault import Fault
from tobo.wire.request import Request

_SIGNATURE = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-content-sha256",
    }
)


def hoisted(request: Request) -> Request:
    """Presigners move x-amz-* headers (and, with SigV2, content-type and content-md5) into the query; here they go back."""
    query = request.query
    if "x-amz-" not in query and "content-" not in query:
        return request
    found = dict(request.headers)
    kept: list[str] = []
    link = "AWSAccessKeyId=" in query
    for part in query.split("&"):
        name, _, value = part.partition("=")
        lower = name.lower()
        if lower in _SIGNATURE:
            continue
        if name.startswith("x-amz-") or (link and name in ("content-type", "content-md5")):
            found.setdefault(name, unquote(value))
        else:
            kept.append(part)
    return replace(request, query="&".join(kept), headers=found)


def unframed(headers: Mapping[str, str], chunks: Chunks) -> dict[str, str]:
    """The headers as they would be without aws-chunked. Raises Fault IncompleteBody where the lengths differ."""
    found = dict(headers)
    declared = found.pop("x-amz-decoded-content-length", None)
    if declared is None:
        raise Fault("MissingContentLength", "Header x-amz-decoded-content-length is missing.", 411)
    if declared != str(chunks.size):
        raise Fault(
            "IncompleteBody", f"The body has {chunks.size} bytes, x-amz-decoded-content-length says {declared[:20]}."
        )
    codings = [name.strip() for name in found.pop("content-encoding", "").split(",")]
    rest = ",".join(name for name in codings if name and name.lower() != "aws-chunked")
    if rest:
        found["content-encoding"] = rest
    found["content-length"] = declared
    announced = {name.strip().lower() for name in found.get("x-amz-trailer", "").split(",")}
    for name, value in chunks.trailer.items():
        if name not in announced:
            raise Fault("MalformedTrailerError", f"Trailer '{name[:80]}' was not announced in x-amz-trailer.")
        found[name] = value
    return found

"""Request: one HTTP request as the gateway took it, before anybody knows what it asks for."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs

from tobo.kit.fault import Fault
from tobo.wire.body import Body

LARGEST_DOCUMENT = 16 << 20
"""Bytes of the largest body that is read as JSON, XML, CBOR or a form. Blob payloads are not read here at all."""


@dataclass(frozen=True)
class Request:
    """`path` and `query` are raw (percent-encoded), `headers` have lower-case names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body

    @cached_property
    def parameters(self) -> Mapping[str, list[str]]:
        """The query decoded, in order of appearance; raises Fault InvalidURI where it is not UTF-8."""
        if not self.query:
            return {}
        try:
            return parse_qs(self.query, keep_blank_values=True, errors="strict")
        except ValueError:
            raise Fault("InvalidURI", "The query of the URI is not percent-encoded UTF-8.") from None

    @cached_property
    def form(self) -> Mapping[str, list[str]]:
        """The body decoded as a form; raises Fault MalformedQueryString where it is none."""
        try:
            return parse_qs(self.document.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError:
            raise Fault("MalformedQueryString", "The form in the body is not percent-encoded UTF-8.") from None

    @cached_property
    def document(self) -> bytes:
        """The body whole, unpacked where Content-Encoding is gzip (botocore packs large PutMetricData requests).

        Raises Fault RequestEntityTooLarge (413) above 16 MB, packed or not, and SerializationException where it is no
        gzip.
        """
        if self.body.size > LARGEST_DOCUMENT:
            raise _too_large()
        data = self.body.read()
        if self.headers.get("content-encoding") != "gzip":
            return data
        unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            data = unpacker.decompress(data, LARGEST_DOCUMENT)
        except zlib.error:
            raise _not_gzip() from None
        if unpacker.unconsumed_tail:
            raise _too_large()
        if not unpacker.eof:
            raise _not_gzip()
        return data


def _not_gzip() -> Fault:
    return Fault("SerializationException", "The body is not whole gzip, as its Content-Encoding says.")


def _too_large() -> Fault:
    return Fault(
        "RequestEntityTooLarge", f"The body is larger than {LARGEST_DOCUMENT >> 20} MB; send less at once.", 413
    )
